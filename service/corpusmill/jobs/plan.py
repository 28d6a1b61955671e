"""What a job would be: counts, prompts, and an estimate of what it takes. Nothing is called, nothing is written.

Rule of this file: the counts are those of a run of the same spec; where they cannot be known, `Basis` says how they
came about, and people are told so.
"""

from collections.abc import Mapping, Sequence

import msgspec

from corpusmill.jobs.estimate import (
    Load,
    Model,
    Pace,
    cost_picodollars,
    expected_loads,
    greatest_loads,
    pace,
)
from corpusmill.jobs.preview import CHECKED, Sample, preview, spread
from corpusmill.jobs.summary import usd
from corpusmill.space.space import Space
from corpusmill.spec.schema import JobSpec

MOST_SAMPLES = 1_000

BEYOND_FLOAT = 10**300
"""Pico-dollars that are not told in dollars: a space of 10^4000 items has no use for its price."""


class PlannedTokens(msgspec.Struct, frozen=True):
    """Tokens of all calls."""

    input: int
    output: int


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """A plan as programs read it.

    Attributes:
        space: how many items the whole space has, before `where` and `limit`.
        items: how many of them a run would take; with a target, the least.
        calls: one for each item and prompt, as far as lists can be told before; see `Basis.loads`.
        cost_usd: None where a price is unknown.
        seconds: at the limits that are known.
        samples: some of the first items, with their prompts.
        suggested_max_tokens: by step, where an earlier run of the job tells.
    """

    job: str
    space: int
    items: int
    calls: int
    tokens: PlannedTokens
    cost_usd: float | None
    seconds: int
    samples: tuple[Sample, ...]
    suggested_max_tokens: dict[str, int] = {}


class Items(msgspec.Struct, frozen=True):
    """How many items a run takes.

    Attributes:
        least: the number; with a target, how many there are if all are kept.
        most: as many as there are within `where` and `limit`.
        exact: whether `most` was counted; else it is estimated from a sample.
    """

    least: int
    most: int
    exact: bool


class Basis(msgspec.Struct, frozen=True):
    """What a plan rests on, for people.

    Attributes:
        axes: axis -> how many of the cells have each value.
        loads: what each step is expected to take.
        greatest: what the steps take at the worst; None where an answer has no bound.
        greatest_picodollars: what that costs, None where unknown.
        checked: how many items were rendered.
        remarks: what could not be judged.
    """

    axes: dict[str, dict[str, int]]
    items: Items
    loads: list[Load]
    greatest: list[Load] | None
    greatest_picodollars: int | None
    picodollars: int | None
    pace: Pace
    checked: int
    remarks: tuple[str, ...]


def make_plan(
    spec: JobSpec, space: Space, models: Mapping[str, Model], samples: int, remarks: Sequence[str] = ()
) -> tuple[Plan, Basis]:
    """Return the plan of a job and what it rests on.

    Args:
        spec: checked, with axis files inlined.
        space: the spec's.
        models: what each alias of the steps leads to.
        samples: how many items to show, at most `MOST_SAMPLES`.
        remarks: what is known of the spec besides.

    Raises:
        SpecError: a template or `where` fails for one of the first items.
    """
    items = count_items(spec, space)
    shown = preview(spec, space, max(CHECKED, samples))
    loads = expected_loads(spec, shown, items.least)
    greatest = greatest_loads(spec, shown, items.most)
    basis = Basis(
        axes={axis: space.weights(axis) for axis in space.axes},
        items=items,
        loads=loads,
        greatest=greatest,
        greatest_picodollars=None if greatest is None else cost_picodollars(greatest, models),
        picodollars=cost_picodollars(loads, models),
        pace=pace(loads, models, spec.limits.concurrency),
        checked=len(shown.samples),
        remarks=(*remarks, *shown.remarks),
    )
    return _plan(spec, space, basis, spread(shown.samples, samples)), basis


def count_items(spec: JobSpec, space: Space) -> Items:
    """Return how many items a run of the spec takes.

    Raises:
        SpecError: `where` cannot be evaluated.
    """
    count = space.count()
    most = min(count.kept, spec.space.limit or count.kept)
    least = min(spec.target.kept, most) if spec.target is not None else most
    return Items(least, most, count.exact)


def _plan(spec: JobSpec, space: Space, basis: Basis, samples: tuple[Sample, ...]) -> Plan:
    return Plan(
        job=spec.name,
        space=space.size,
        items=basis.items.least,
        calls=sum(load.calls for load in basis.loads),
        tokens=PlannedTokens(
            sum(load.calls * load.input_tokens for load in basis.loads),
            sum(load.calls * load.output_tokens for load in basis.loads),
        ),
        cost_usd=None if basis.picodollars is None or basis.picodollars > BEYOND_FLOAT else usd(basis.picodollars),
        seconds=basis.pace.seconds,
        samples=samples,
    )
