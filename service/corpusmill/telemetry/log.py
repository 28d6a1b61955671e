"""Events as structured log lines: one JSON object a line on stderr.

Rules of this file: what happens once in a while is a line; what happens with every call is counted and told every ten
seconds; the same failure is told at most once in ten seconds, with how often it was silent. At level debug every unit
of work (a call, an item, a request) has its one line, with all that is known of it. Nothing secret is in an event, so
nothing is redacted here.
"""

import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Literal

import msgspec
import structlog

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
    JournalSynced,
    LoopLagged,
    RequestCrashed,
)

Level = Literal["debug", "info"]
"""How much is told."""

QUIET_SECONDS = 10.0
"""How long the same failure stays silent, and how often progress is told."""

KEYS_MOST = 1000
"""Different failures that are remembered; beyond that all are told anew."""

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
        self._told: dict[str, float] = {}
        self._silent: Counter[str] = Counter()
        self._progress: Counter[str] = Counter()
        self._progress_told = clock()

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, UNTOLD):
            self._count(event)
            if self._tells_all:
                self._tell(event)
        elif isinstance(event, CallFailed | ItemBroken) and not self._tells_all:
            self._tell_seldom(event, event.kind if isinstance(event, CallFailed) else event.error)
        else:
            if isinstance(event, JobEnded):
                self._tell_progress(at_once=True)
            self._tell(event)

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
        if at_once or now - self._progress_told >= QUIET_SECONDS:
            seconds = now - self._progress_told
            self._logger.info("progress", **self._progress, seconds=round(seconds, 3))
            self._progress.clear()
            self._progress_told = now

    def _tell_seldom(self, event: Event, key: str) -> None:
        now = self._clock()
        if now - self._told.get(key, -QUIET_SECONDS) < QUIET_SECONDS:
            self._silent[key] += 1
            return
        if len(self._told) >= KEYS_MOST:
            self._told.clear()
            self._silent.clear()
        self._told[key] = now
        self._tell(event, silent_before=self._silent.pop(key, 0))

    def _tell(self, event: Event, **more: object) -> None:
        level = _LEVELS.get(type(event), "debug" if isinstance(event, UNTOLD) else "info")
        told = msgspec.structs.asdict(event).items()
        fields = {name: _rounded(value) for name, value in told if value not in (None, "")}
        getattr(self._logger, level)(event_name(type(event)), **fields, **more)


class _Lines:
    """What structlog writes to: every level ends in the same place."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def msg(self, line: str) -> None:
        """Write one line."""
        self._write(line + "\n")

    debug = info = warning = error = msg


def event_name(kind: type[Event]) -> str:
    """Return an event's name in a log line: its class name in snake case."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def _rounded(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value


def _to_json(fields: dict[str, object], **_: object) -> str:
    return msgspec.json.encode(fields).decode()
