"""Everything that can happen in a job, one frozen struct each.

Rule of this file: an event is a value in the past tense. Rooms emit events through an `Emit` they were given; only the
sinks wired in `bootstrap` turn them into log lines, metrics or a progress display. No event carries a prompt, a text
or a secret.
"""

from collections.abc import Callable

import msgspec


class Event(msgspec.Struct, frozen=True):
    """Something that happened. `kind` in a log line is the class name in snake case."""


class JobStarted(Event, frozen=True):
    """The job's store is open and calls may begin. `items` is None while their number is unknown."""

    job: str
    items: int | None
    done: int
    endpoint: str


class JobPaused(Event, frozen=True):
    """No call is issued until the cause is gone; the job goes on by itself."""

    job: str
    cause: str


class JobResumed(Event, frozen=True):
    """The cause of the last pause is gone."""

    job: str
    paused_seconds: float


class JobEnded(Event, frozen=True):
    """The run is over, with the state of the job and, unless it is finished, the reason."""

    job: str
    state: str
    reason: str
    seconds: float


class CallAnswered(Event, frozen=True):
    """A call came back with a completion that will be paid for."""

    model: str
    seconds: float
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_picodollars: int | None
    finish_reason: str


class CallFailed(Event, frozen=True):
    """A call came back without a completion. `fate` says what becomes of it: retried, item failed, job stopped."""

    model: str
    kind: str
    status: int | None
    fate: str
    message: str


class ItemDecided(Event, frozen=True):
    """An item has its one outcome: kept, rejected, duplicate or failed; `reason` is empty for kept."""

    index: int
    outcome: str
    reason: str
    records: int


class ItemBroken(Event, frozen=True):
    """An item failed by an error of ours or of its template; `error` names the type and place."""

    index: int
    error: str


class JournalSynced(Event, frozen=True):
    """A block of the journal is durable."""

    entries: int
    bytes: int
    seconds: float


class ShardSealed(Event, frozen=True):
    """A shard of the corpus or of the rejects is complete, checksummed and named by the manifest."""

    folder: str
    name: str
    records: int
    bytes: int


Emit = Callable[[Event], None]
"""Takes an event; must be quick and must not raise."""


def broadcast(*sinks: Emit) -> Emit:
    """Return an `Emit` that passes each event to every sink, in order."""
    if len(sinks) == 1:
        return sinks[0]

    def emit(event: Event) -> None:
        for sink in sinks:
            sink(event)

    return emit
