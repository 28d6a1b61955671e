"""Tells when a job's calls are held back for long, and when they go on.

Rule of this file: it is looked at after each call, and now and then, and tells changes only; no call depends on it.
"""

from corpusmill.engine.route import Route
from corpusmill.limits.hold import Hold, HoldKind
from corpusmill.telemetry.events import Emit, JobPaused, JobResumed

TOLD_SECONDS = 30.0
"""A pause shorter than this is the limiter's daily work, and told by its statistics alone."""


class Held:
    """What was told of one job's routes.

    Args:
        job: whose calls these are.
        emit: takes events.
    """

    def __init__(self, job: str, emit: Emit) -> None:
        self._job, self._emit = job, emit

    def look(self, route: Route, now: float, message: str = "") -> None:
        """Tell if the route has just closed or opened; `message` is of the failure that came last, if one did."""
        hold = route.hold()
        if hold is not None and hold.kind is not HoldKind.DOWN and hold.until - now < TOLD_SECONDS:
            hold = None
        if hold is not None and route.held_since is None:
            route.held_since = now
            seconds = None if hold.kind is HoldKind.DOWN else hold.until - now
            self._emit(JobPaused(self._job, _cause(hold, message), seconds))
        elif hold is None and route.held_since is not None and not message:
            self._emit(JobResumed(self._job, now - route.held_since))
            route.held_since = None


def _cause(hold: Hold, message: str) -> str:
    """Say why in words."""
    what = {HoldKind.DOWN: "endpoint down", HoldKind.PAUSE: hold.reason, HoldKind.DAY: f"{hold.reason} used up"}
    return f"{what[hold.kind]}: {message}" if message else what[hold.kind]
