"""From a spec's file and the options beside it to a spec that may run."""

from pathlib import Path

import msgspec

from corpusmill.chain.evaluation_files import inline_evaluation_files
from corpusmill.space.files import inline_axis_files
from corpusmill.spec.checks import check_spec
from corpusmill.spec.load import load_spec
from corpusmill.spec.schema import JobSpec, Positive


class Overrides(msgspec.Struct, frozen=True):
    """What options say instead of the spec; None leaves the spec's word."""

    rpm: Positive | None = None
    tpm: Positive | None = None
    concurrency: Positive | None = None
    limit: Positive | None = None
    budget_usd: float | None = None


AS_WRITTEN = Overrides()


def accepted(path: Path, overrides: Overrides = AS_WRITTEN) -> JobSpec:
    """Read a spec, check it, and make it self-contained: what axis and evaluation files hold becomes part of it.

    Raises:
        SpecError: it cannot be accepted.
    """
    spec = load_spec(path)
    check_spec(spec)
    inlined = inline_evaluation_files(inline_axis_files(spec, path.parent), path.parent)
    if inlined != spec:
        check_spec(inlined)
    return _overridden(inlined, overrides)


def _overridden(spec: JobSpec, options: Overrides) -> JobSpec:
    limits = {
        "requests_per_minute": options.rpm,
        "tokens_per_minute": options.tpm,
        "concurrency": options.concurrency,
    }
    replace = msgspec.structs.replace
    return replace(
        spec,
        limits=replace(spec.limits, **{name: value for name, value in limits.items() if value is not None}),
        space=replace(spec.space, limit=options.limit or spec.space.limit),
        budget=replace(spec.budget, usd=options.budget_usd or spec.budget.usd),
    )
