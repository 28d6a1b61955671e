"""A whole job: its parts, what it may take and cost, and how its corpus is cut."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from corpusmill.spec.schema.examples import Example, Split
from corpusmill.spec.schema.filters import Dedup, Filter
from corpusmill.spec.schema.space import SpaceSpec, Target
from corpusmill.spec.schema.steps import Step
from corpusmill.spec.schema.words import Concurrency, JobName, Positive, Strict


class Limits(Strict, frozen=True):
    """What the endpoint may be asked for at most; None means no limit of that kind.

    Attributes:
        requests_per_minute: calls.
        tokens_per_minute: of prompts and completions together.
        concurrency: calls in flight; None: as many as the endpoint turns out to bear.
        on_quota: what becomes of the job when the account may not spend any more: it stops, or it waits and asks again
            once a minute. None: it stops, or in a daemon what its operator says.
        hedge: whether a call of the last hundredth of the items that takes longer than 99 % did is sent a second time.
            Both calls count as sent; the one that loses is given up, and a budget sets its worst case aside for good.
        tries: calls for one answer that fail, or bring nothing of use, while the endpoint serves others; then the item
            fails. None: 8.
    """

    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None
    concurrency: Concurrency | None = None
    on_quota: Literal["stop", "pause"] | None = None
    hedge: bool = False
    tries: Annotated[int, Meta(ge=1, le=100)] | None = None


class Budget(Strict, frozen=True):
    """Hard bounds on what a job may spend.

    Attributes:
        usd: US dollars as written in the spec; counted as an integer from its shortest decimal form.
        calls: requests sent, retries included.
    """

    usd: Annotated[float, Meta(gt=0, le=1e9)] | None = None
    calls: Positive | None = None


class Shards(Strict, frozen=True):
    """How the corpus is cut: at most `records` records a file, plain or zstd-compressed when sealed."""

    records: Annotated[int, Meta(ge=1, le=100_000_000)] = 50_000
    compress: Literal["none", "zstd"] = "none"


class JobSpec(Strict, frozen=True):
    """A whole job: what is asked, of whom, what is kept, and what it may cost."""

    name: JobName
    space: SpaceSpec
    steps: Annotated[list[Step], Meta(min_length=1, max_length=100)]
    examples: Annotated[list[Example], Meta(min_length=1, max_length=100)]
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] = 0
    target: Target | None = None
    filters: Annotated[list[Filter], Meta(max_length=1000)] = msgspec.field(default_factory=list)
    dedup: Dedup | None = None
    split: Split | None = None
    limits: Limits = Limits()
    budget: Budget = Budget()
    shards: Shards = Shards()
