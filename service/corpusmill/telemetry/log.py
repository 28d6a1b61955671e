"""Events as structured log lines: one JSON object a line on stderr.

Rules of this file: what happens with every call is counted and told every ten seconds; what may come again and again
is rationed (`repeats`), and how many lines stayed silent is told; the line of a job's end, of an operator's act or of a
request's crash is always told. At level debug nothing is rationed, and every unit of work (a call, an item, a request)
has its one line, with all that is known of it. Nothing secret is in an event, so nothing is redacted here.
"""

import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from typing import Literal

import msgspec

from corpusmill.telemetry.events import (
    BudgetSpent,
    CallAnswered,
    CallFailed,
    DocumentSkipped,
    Event,
    HttpAnswered,
    ItemBroken,
    ItemDecided,
    JobCrashed,
    JobEnded,
    JobPaused,
    JobResumed,
    JournalSynced,
    LoopLagged,
    RequestCrashed,
    ShardSealed,
    WebhookDelivered,
)
from corpusmill.telemetry.repeats import Key, Repeats
from corpusmill.telemetry.structured import structlog

Level = Literal["debug", "info"]
"""How much is told."""

PROGRESS_SECONDS = 10.0
"""How often progress is told."""

_LEVELS: dict[type[Event], str] = {
    JobPaused: "warning",
    DocumentSkipped: "warning",
    CallFailed: "warning",
    ItemBroken: "error",
    JobCrashed: "error",
    RequestCrashed: "error",
}

UNTOLD = (BudgetSpent, CallAnswered, HttpAnswered, ItemDecided, JournalSynced, LoopLagged)
"""Events that come with every unit of work, or by the clock: at level info they are counted at most."""

SUPPRESSED = "repeats_suppressed"
"""The line that tells how many lines of a kind stayed silent when nothing more of the kind will come."""


class LogSink:
    """Writes events as log lines.

    Args:
        write: takes a finished line; by default writes it to stderr.
        clock: monotonic seconds.
        level: `debug` tells every event, each time.
    """

    def __init__(
        self,
        write: Callable[[str], object] = sys.stderr.write,
        clock: Callable[[], float] = time.monotonic,
        level: Level = "info",
    ) -> None:
        self._tells_all = level == "debug"
        self._logger = structlog.wrap_logger(
            _Lines(write),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(serializer=_to_json),
            ],
        )
        self._clock = clock
        self._repeats = Repeats()
        self._progress: Counter[str] = Counter()
        self._progress_told = clock()

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, UNTOLD):
            self._count(event)
            if self._tells_all:
                self._tell(event)
            return
        key = None if self._tells_all else rationed(event)
        if key is not None:
            suppressed = self._repeats.admit(key, self._clock())
            if suppressed is not None:
                self._tell(event, suppressed)
            return
        if isinstance(event, JobEnded | JobCrashed):
            self._tell_progress(at_once=True)
            self._tell_suppressed(self._repeats.ended(event.job))
        self._tell(event)

    def close(self) -> None:
        """Tell what was counted and not told yet."""
        self._tell_progress(at_once=True)
        self._tell_suppressed(self._repeats.all_ended())

    def _count(self, event: Event) -> None:
        if isinstance(event, ItemDecided):
            self._progress[event.outcome] += 1
            self._progress["records"] += event.records
            self._tell_progress()
        elif isinstance(event, CallAnswered):
            self._progress["calls_answered"] += 1
        elif isinstance(event, JournalSynced):
            self._progress["journal_bytes"] += event.bytes

    def _tell_progress(self, *, at_once: bool = False) -> None:
        now = self._clock()
        if self._progress and (at_once or now - self._progress_told >= PROGRESS_SECONDS):
            seconds = now - self._progress_told
            self._logger.info("progress", **self._progress, seconds=round(seconds, 3))
            self._progress.clear()
            self._progress_told = now

    def _tell_suppressed(self, counts: Iterable[tuple[Key, int]]) -> None:
        for (job, event, kind), count in counts:
            named = {"job": job, "of": event, "kind": kind}
            self._logger.info(SUPPRESSED, **{name: text for name, text in named.items() if text}, suppressed=count)

    def _tell(self, event: Event, suppressed: int = 0) -> None:
        level = _LEVELS.get(type(event), "debug" if isinstance(event, UNTOLD) else "info")
        told = msgspec.structs.asdict(event).items()
        fields = {name: _rounded(value) for name, value in told if value not in (None, "")}
        if suppressed:
            fields["suppressed"] = suppressed
        getattr(self._logger, level)(event_name(type(event)), **fields)


def rationed(event: Event) -> Key | None:
    """Return what an event that may come again and again is like, None where each is told.

    A key has closed words alone: names of the operator's, kinds, types; never a message.
    """
    name = event_name(type(event))
    match event:
        case CallFailed():
            return event.job, name, f"{event.kind} {event.endpoint}"
        case ItemBroken():
            return event.job, name, event.error.partition(":")[0]
        case JobPaused() | JobResumed():
            return event.job, name, ""
        case ShardSealed():
            return event.job, name, event.folder
        case WebhookDelivered():
            return "", name, f"{event.outcome} {event.webhook}"
        case _:
            return None


class _Lines:
    """What structlog writes to: every level ends in the same place."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def msg(self, line: str) -> None:
        """Write one line."""
        self._write(line + "\n")

    debug = info = warning = error = msg


@cache
def event_name(kind: type[Event]) -> str:
    """Return an event's name in a log line: its class name in snake case."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def _rounded(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value


def _to_json(fields: dict[str, object], **_: object) -> str:
    return msgspec.json.encode(fields).decode()
