"""The job spec as values: what a spec may say, and nothing else.

Rule of this file: structs only. Every struct forbids unknown keys; bounds that one field can state on its own stand
in its type (`msgspec.Meta`), everything that needs two fields is checked in `spec.checks`. Reading YAML, JSON and TOML
into these structs, with errors that name the path, is `spec.load`.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

# `$` alone would let a trailing newline through.
IDENTIFIER_PATTERN = r"^[A-Za-z][A-Za-z0-9_]{0,62}$(?!\n)"
JOB_NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$(?!\n)"

JobName = Annotated[str, Meta(pattern=JOB_NAME_PATTERN)]
"""A job's name, which is also its folder's name."""
Identifier = Annotated[str, Meta(pattern=IDENTIFIER_PATTERN)]
"""The name of an axis, a step or an example: usable as a template variable."""
Positive = Annotated[int, Meta(ge=1)]
Natural = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(gt=0, lt=1)]
Scalar = str | int | float | bool
"""One value of an axis. A string "label: definition" also offers `.label` and `.definition` to templates."""


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A frozen struct that refuses keys it does not know."""


class Axis(Strict, frozen=True):
    """A named list of values, told in one of three forms.

    Attributes:
        values: a list; or value -> integer weight (a multiplicity); or, with `within`, parent value -> list.
        file: a UTF-8 text file beside the spec with one value a line, instead of `values`.
        within: the axis on whose value the values of this one depend.
    """

    values: list[Scalar] | dict[str, Positive | list[Scalar]] | None = None
    file: Annotated[str, Meta(min_length=1)] | None = None
    within: Identifier | None = None


class SpaceSpec(Strict, frozen=True):
    """Which combinations there are, in what order they come, and how many of them.

    Attributes:
        axes: name -> axis; a combination has one value of each.
        where: an expression over the axes; combinations for which it is false are left out.
        draws: how many times each combination comes, each time with a nonce of its own.
        order: `balanced` keeps the counts of the values of each axis within 1 in any prefix.
        limit: how many items the job has; default: the whole space.
    """

    axes: Annotated[dict[Identifier, list[Scalar] | Axis], Meta(min_length=1, max_length=1000)]
    where: Annotated[str, Meta(min_length=1, max_length=10_000)] | None = None
    draws: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 1
    order: Literal["balanced", "random", "sequential"] = "balanced"
    limit: Positive | None = None


class Target(Strict, frozen=True):
    """Go on through the order until exactly `kept` items are kept."""

    kept: Positive


class Step(Strict, frozen=True):
    """One prompt of the chain.

    Attributes:
        model: a model alias.
        api: which of the two completion interfaces of the endpoint is called.
        parameters: sampling parameters, sent as they are.
        attempts: how many completions are asked for at most, until one passes the step's filters.
    """

    name: Identifier
    prompt: Annotated[str, Meta(min_length=1, max_length=1_000_000)]
    model: Annotated[str, Meta(min_length=1, max_length=200)] = "default"
    system: Annotated[str, Meta(max_length=1_000_000)] | None = None
    api: Literal["chat", "completions"] = "chat"
    parameters: dict[str, Any] = {}
    attempts: Annotated[int, Meta(ge=1, le=100)] = 1


class Filter(Strict, frozen=True):
    """What a step's completion must be like; the first condition that fails, in the order below, names the reason.

    Attributes:
        of: the step whose completion is judged.
        finish_reason: the finish reasons that are accepted.
        min_chars, max_chars, min_words, max_words: inclusive bounds.
        matching, not_matching: a linear-time regular expression (RE2 syntax) that must, must not, be found in the text.
        no_refusal: reject answers that decline the task.
    """

    of: Identifier
    finish_reason: Annotated[list[str], Meta(min_length=1)] | None = None
    min_chars: Natural | None = None
    max_chars: Natural | None = None
    min_words: Natural | None = None
    max_words: Natural | None = None
    matching: Annotated[str, Meta(min_length=1, max_length=10_000)] | None = None
    not_matching: Annotated[str, Meta(min_length=1, max_length=10_000)] | None = None
    no_refusal: bool = False


class Dedup(Strict, frozen=True):
    """Reject a completion of step `of` whose text, but for case, spacing and punctuation, was kept before."""

    of: Identifier
    exact: Literal[True] = True


class Message(Strict, frozen=True):
    """One message of a chat example."""

    role: Literal["system", "user", "assistant"]
    content: Annotated[str, Meta(min_length=1, max_length=1_000_000)]


class Example(Strict, frozen=True):
    """One record that a kept item contributes: either `prompt` and `completion`, or `messages`."""

    name: Identifier
    prompt: Annotated[str, Meta(max_length=1_000_000)] | None = None
    completion: Annotated[str, Meta(min_length=1, max_length=1_000_000)] | None = None
    messages: Annotated[list[Message], Meta(min_length=1)] | None = None


class Split(Strict, frozen=True):
    """Mark a share of the corpus as validation; items that agree on `by` never lie on both sides.

    Attributes:
        validation: the share of groups, between 0 and 1.
        by: `item`, or the name of an axis.
    """

    validation: Share
    by: str = "item"


class Limits(Strict, frozen=True):
    """What the endpoint may be asked for at most; None means no limit of that kind."""

    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None
    concurrency: Annotated[int, Meta(ge=1, le=100_000)] = 100


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
    filters: Annotated[list[Filter], Meta(max_length=1000)] = []
    dedup: Dedup | None = None
    split: Split | None = None
    limits: Limits = Limits()
    budget: Budget = Budget()
    shards: Shards = Shards()
