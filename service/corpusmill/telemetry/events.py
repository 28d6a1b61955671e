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
    """The job's store is open and calls may begin.

    Attributes:
        items: None while their number is unknown.
        done, kept: items that have an outcome from earlier runs, and those of them that were kept.
        target: how many are to be kept, None without a target.
    """

    job: str
    items: int | None
    done: int
    endpoint: str
    kept: int = 0
    target: int | None = None


class DocumentsIndexed(Event, frozen=True):
    """The documents of an axis have been found.

    Attributes:
        documents, chunks, bytes: of those that are used.
        skipped: reason -> how many are not.
    """

    job: str
    axis: str
    documents: int
    chunks: int
    bytes: int
    skipped: dict[str, int]
    seconds: float


class DocumentSkipped(Event, frozen=True):
    """A document cannot be used, though the spec did not say so."""

    job: str
    axis: str
    name: str
    reason: str
    detail: str


class JobPaused(Event, frozen=True):
    """No call is issued until the cause is gone; the job goes on by itself.

    Attributes:
        cause: for people.
        seconds: after which it goes on at the earliest, None where nobody knows.
    """

    job: str
    cause: str
    seconds: float | None = None


class JobResumed(Event, frozen=True):
    """The cause of the last pause is gone."""

    job: str
    paused_seconds: float


class JobEnded(Event, frozen=True):
    """The run is over.

    Attributes:
        reason: why it ended in this state, where that needs saying.
        seconds: how long this run took.
        items, outcomes, rejected_by, failed_by, records, calls, tokens, cost_usd: the balance sheet of the job, all its
            runs together, as `run --json` tells it; the cost is None where the price of some completion is unknown.
    """

    job: str
    state: str
    reason: str
    seconds: float
    items: int | None = None
    outcomes: dict[str, int] = {}
    rejected_by: dict[str, int] = {}
    failed_by: dict[str, int] = {}
    records: int = 0
    calls: dict[str, int] = {}
    tokens: dict[str, int] = {}
    cost_usd: float | None = None


class JobCrashed(Event, frozen=True):
    """A job ended by an error of ours, or something about it could not be recorded; `error` names type and place."""

    job: str
    error: str


class JobDeleted(Event, frozen=True):
    """A job that had ended was deleted, with its files, on request or because its time was over."""

    job: str
    ended_at: str


class Call(Event, frozen=True):
    """What is known of every call that came back.

    Attributes:
        endpoint, model: by the operator's names.
        upstream: the model's name at the endpoint.
        step, index: the step of the chain and the item.
        api: the interface: chat or completions.
        after: the kind of the failure that this call repeats; empty for a first call.
        waited_seconds: how long it waited for the limits.
        seconds: from sending it to the last byte of its answer, or to its failure.
        request_id: by which the provider knows the call, where it told one.
    """

    job: str
    endpoint: str
    model: str
    upstream: str
    step: str
    api: str
    index: int
    after: str
    waited_seconds: float
    seconds: float
    request_id: str


class CallAnswered(Call, frozen=True):
    """A call came back with a completion that will be paid for; its cost is None where the price is unknown."""

    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_picodollars: int | None
    finish_reason: str


class CallFailed(Call, frozen=True):
    """A call came back without a completion.

    Attributes:
        fate: what becomes of it: retried, item failed, job stopped.
        billed: input, cached input, output and reasoning tokens, where the answer told them all the same.
        cost_picodollars: what it is known to cost; None where it may cost something that nobody told.
    """

    kind: str
    status: int | None
    fate: str
    message: str
    billed: tuple[int, int, int, int] | None
    cost_picodollars: int | None


class ItemDecided(Event, frozen=True):
    """An item has its one outcome: kept, rejected, duplicate or failed; `reason` is empty for kept."""

    job: str
    index: int
    outcome: str
    reason: str
    records: int


class ItemBroken(Event, frozen=True):
    """An item failed by an error of ours or of its template; `error` names the type and place."""

    job: str
    index: int
    error: str


class BudgetSpent(Event, frozen=True):
    """How much of a job's budget is spent; told about a hundred times on the way, and at the end.

    Attributes:
        calls, picodollars: spent in the job's life.
        of_calls, of_picodollars: the budget; None without one of that kind.
    """

    job: str
    calls: int
    picodollars: int
    of_calls: int | None
    of_picodollars: int | None


class JournalSynced(Event, frozen=True):
    """A block of the journal is durable; `bytes` are those of its lines, before compression."""

    job: str
    entries: int
    bytes: int
    seconds: float


class ShardSealed(Event, frozen=True):
    """A shard of the corpus or of the rejects is complete, checksummed and named by the manifest."""

    job: str
    folder: str
    name: str
    records: int
    bytes: int


class HttpAnswered(Event, frozen=True):
    """The daemon answered a request.

    Attributes:
        route: the template of its address, never what a client sent.
        request: by which the client knows it too, in its header X-Request-ID or in the problem that it got.
    """

    route: str
    method: str
    code: int
    seconds: float
    request: str = ""


class RequestCrashed(Event, frozen=True):
    """A request ended by an error of ours; `error` names type and place."""

    request: str
    error: str


class DaemonReady(Event, frozen=True):
    """The daemon takes requests."""

    url: str
    jobs_waiting: int


class DaemonStopping(Event, frozen=True):
    """The daemon takes no more jobs, and lets calls that are out come back."""

    reason: str


class ConfigReloaded(Event, frozen=True):
    """Another configuration holds from now on; or it was refused, and `error` says why."""

    error: str = ""


class WebhookDelivered(Event, frozen=True):
    """A webhook was told, or could not be: `outcome` is delivered, postponed or given_up."""

    webhook: str
    outcome: str
    detail: str = ""


class LoopLagged(Event, frozen=True):
    """The event loop ran a timer so much later than asked; told once a second."""

    seconds: float


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
