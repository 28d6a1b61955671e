"""Which items a job has: axes, their order, how many."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from corpusmill.spec.schema.documents import Documents
from corpusmill.spec.schema.words import Identifier, Positive, Scalar, Strict


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
        documents: name -> source; each is one more axis, whose values are documents.
        where: an expression over the axes; combinations for which it is false are left out.
        draws: how many times each combination comes, each time with a nonce of its own.
        order: `balanced` keeps the counts of the values of each axis within 1 in any prefix.
        limit: how many items the job has; default: the whole space.
    """

    axes: Annotated[dict[Identifier, list[Scalar] | Axis], Meta(min_length=1, max_length=1000)] = msgspec.field(
        default_factory=dict
    )
    documents: Annotated[dict[Identifier, Documents], Meta(max_length=100)] = msgspec.field(default_factory=dict)
    where: Annotated[str, Meta(min_length=1, max_length=10_000)] | None = None
    draws: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 1
    order: Literal["balanced", "random", "sequential"] = "balanced"
    limit: Positive | None = None


class Target(Strict, frozen=True):
    """Go on through the order until exactly `kept` items are kept."""

    kept: Positive
