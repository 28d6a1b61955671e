"""What the daemon tells, as typed values.

Rule of this file: fields that a newer daemon adds are passed over, so a client need not be of its daemon's age.
"""

from typing import Any, Literal

import msgspec

State = Literal["queued", "running", "paused", "finished", "failed", "cancelled", "exhausted"]

ENDED: frozenset[State] = frozenset({"finished", "failed", "cancelled", "exhausted"})
"""States in which a job does not go on by itself."""


class Outcomes(msgspec.Struct, frozen=True):
    """Items by outcome; they add up to the items done."""

    kept: int = 0
    rejected: int = 0
    duplicate: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """Items done."""
        return self.kept + self.rejected + self.duplicate + self.failed


class Calls(msgspec.Struct, frozen=True):
    """Requests by what came of them; `sent` is the sum of the others."""

    sent: int = 0
    answered: int = 0
    rate_limited: int = 0
    errors: int = 0


class Tokens(msgspec.Struct, frozen=True):
    """Tokens by the endpoint's own count; cached input is part of input."""

    input: int = 0
    cached_input: int = 0
    output: int = 0


class Rate(msgspec.Struct, frozen=True):
    """How fast a job goes; `eta_seconds` is None while that cannot be told."""

    records_per_second: float = 0.0
    eta_seconds: int | None = None


class Budget(msgspec.Struct, frozen=True):
    """What a job may spend at most; None is no bound."""

    usd: float | None = None
    calls: int | None = None


class Job(msgspec.Struct, frozen=True):
    """A job and how far it is. Times are ISO 8601, UTC.

    Attributes:
        error: why it failed or was stopped; while it runs, what it waits for.
        items: how many it has; None while that is unknown.
        cost_usd: None where the price of some completion is unknown.
        in_flight: calls that are out.
        draining: it was told to stop, and calls that are out come back yet.
    """

    id: str
    name: str
    state: State
    created_at: str
    started_at: str | None
    finished_at: str | None
    error: str | None
    items: int | None
    outcomes: Outcomes
    records: int
    calls: Calls
    tokens: Tokens
    cost_usd: float | None
    rate: Rate = Rate()
    rejected_by: dict[str, int] = {}
    failed_by: dict[str, int] = {}
    budget: Budget = Budget()
    priority: str = "normal"
    weight: int = 1
    submitted_by: str = ""
    in_flight: int = 0
    draining: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will change any more, unless somebody resumes it."""
        return self.state in ENDED and not self.draining


class JobPage(msgspec.Struct, frozen=True):
    """Jobs, the newest first; `next_cursor` is None on the last page."""

    items: list[Job]
    next_cursor: str | None


class Event(msgspec.Struct, frozen=True):
    """One piece of news of a job.

    Attributes:
        number: rises with time.
        kind: `state`, when that has changed; else `progress`.
        job: as it was at that moment.
    """

    number: int
    kind: str
    job: Job


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the corpus: `messages`, or `prompt` and `completion`."""

    id: str
    index: int
    example: str
    values: dict[str, Any]
    messages: list[dict[str, Any]] | None = None
    prompt: str | None = None
    completion: str | None = None
    split: str | None = None


class Reject(msgspec.Struct, frozen=True):
    """An item that was not kept, why, and what was answered, by step."""

    id: str
    index: int
    values: dict[str, Any]
    reason: str
    detail: str = ""
    outputs: dict[str, Any] = {}


class Shard(msgspec.Struct, frozen=True):
    """A sealed shard; `bytes` and `sha256` are the file's."""

    name: str
    records: int
    bytes: int
    sha256: str
    sealed_at: str = ""


class Shards(msgspec.Struct, frozen=True):
    """The sealed shards of a job, in their order."""

    items: list[Shard]


class PlannedTokens(msgspec.Struct, frozen=True):
    """Tokens of all calls."""

    input: int
    output: int


class Plan(msgspec.Struct, frozen=True):
    """What a job would be.

    Attributes:
        space: how many items the whole space has, before `where` and `limit`.
        items: how many of them a run would take; with a target, the least.
        cost_usd: None where a price is unknown.
        seconds: at the limits that are known.
        samples: some of the first items, with their prompts.
    """

    job: str
    space: int
    items: int
    calls: int
    tokens: PlannedTokens
    cost_usd: float | None
    seconds: int
    samples: list[dict[str, Any]]


class Report(msgspec.Struct, frozen=True):
    """What a job came to: the balance sheet, and what its lines tell.

    Attributes:
        coverage: axis -> value -> what became of its items.
        lengths, openings: by example.
        reasons: by reason, most frequent first.
        document: the report whole, as the daemon sent it.
    """

    job: str
    state: str
    items: int | None
    outcomes: Outcomes
    rejected_by: dict[str, int]
    failed_by: dict[str, int]
    records: int
    calls: Calls
    tokens: Tokens
    cost_usd: float | None
    coverage: dict[str, dict[str, dict[str, Any]]] = {}
    lengths: dict[str, dict[str, Any]] = {}
    openings: dict[str, list[dict[str, Any]]] = {}
    duplicates: dict[str, Any] = {}
    reasons: dict[str, dict[str, Any]] = {}
    document: dict[str, Any] = {}


class Bucket(msgspec.Struct, frozen=True):
    """One limit of an endpoint, such as `requests_per_minute`."""

    name: str
    limit: float
    remaining: float
    rate_per_minute: float


class Gate(msgspec.Struct, frozen=True):
    """What the limiter of one endpoint does.

    Attributes:
        queue_depth: waiting requests.
        in_flight: requests let through and not settled yet; at most `width`.
        held_by: what the next one waits for.
        paused_by: why nothing passes; None if something does.
        breaker: the circuit breaker's state.
    """

    buckets: list[Bucket]
    queue_depth: int
    in_flight: int
    width: int
    held_by: str | None = None
    paused_by: str | None = None
    paused_seconds: float = 0.0
    breaker: str = "closed"


class Service(msgspec.Struct, frozen=True):
    """The daemon.

    Attributes:
        simulated: the endpoint invents its text.
        models: aliases that a spec may name; None where any name is passed on.
        roots: folders whose files a spec may name.
        jobs: how many there are in each state.
        endpoints: their gates, of those that were used so far.
    """

    version: str
    simulated: bool
    models: list[str] | None
    roots: list[str]
    jobs: dict[str, int]
    endpoints: dict[str, Gate]


class Mistake(msgspec.Struct, frozen=True):
    """One thing that is wrong with what was sent: where, and what."""

    path: str
    problem: str


class Problem(msgspec.Struct, frozen=True):
    """Problem details (RFC 9457).

    Attributes:
        type: which kind of problem, as a URN.
        detail: this problem, in words, and what to do.
        request_id: by which the daemon's log knows the request.
        errors: what is wrong with what was sent.
    """

    type: str = "about:blank"
    title: str = ""
    status: int = 0
    detail: str = ""
    request_id: str = ""
    errors: list[Mistake] = []
