"""From what somebody sent to a spec that may run here.

Rules of this file: the sender is not trusted. A spec names models and folders that the operator configured, and nothing
else of this machine or network; whatever is wrong is a SpecError that names the path. Blocking: it belongs on a thread.
"""

from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

import msgspec

from corpusmill.chain.evaluation_files import with_runs
from corpusmill.endpoint.prices import PICODOLLARS_PER_USD
from corpusmill.space.documents.places import Base
from corpusmill.space.files import inline_axis_files
from corpusmill.spec.checks import check_spec
from corpusmill.spec.errors import SpecError
from corpusmill.spec.load import Form, parse_spec
from corpusmill.spec.schema import Axis, Budget, Filter, JobSpec, Scalar
from corpusmill.spec.wording import at, hint, listed, quoted

MICRODOLLAR = Decimal("0.000001")


class Terms(msgspec.Struct, frozen=True):
    """What the operator lets a spec name.

    Attributes:
        models: aliases; None where any name is passed on to the one endpoint there is.
        base: the folders in which files of axes and documents lie, by name.
    """

    models: frozenset[str] | None
    base: Base


def accepted(body: bytes, form: Form, terms: Terms) -> JobSpec:
    """Return the spec that a body tells, self-contained and within the terms.

    Raises:
        SpecError: it cannot be accepted.
    """
    spec = parse_spec(body, form)
    check_spec(spec)
    _check_models(spec, terms)
    _check_documents(spec, terms.base)
    spec = _inlined(spec, terms)
    check_spec(spec)
    return spec


def within_cap(spec: JobSpec, left_picodollars: int) -> JobSpec:
    """Return a spec whose budget is set: what is left of the sender's cap, where it sets none itself."""
    if spec.budget.usd is not None or left_picodollars <= 0:
        return spec
    left = (Decimal(left_picodollars) / PICODOLLARS_PER_USD).quantize(MICRODOLLAR, ROUND_DOWN)
    return msgspec.structs.replace(spec, budget=Budget(usd=float(left) or None, calls=spec.budget.calls))


def reserved_picodollars(spec: JobSpec) -> int | None:
    """Return what a job may cost at most, None where it has no budget in dollars."""
    return None if spec.budget.usd is None else int(Decimal(str(spec.budget.usd)) * PICODOLLARS_PER_USD)


def _check_models(spec: JobSpec, terms: Terms) -> None:
    for path, alias in _named_models(spec):
        if terms.models is not None and alias not in terms.models:
            raise SpecError(path, f"no model {quoted(alias)} is configured here{hint(alias, sorted(terms.models))}")


def _named_models(spec: JobSpec) -> Iterator[tuple[str, str]]:
    """Yield each alias that a spec names, with its path."""
    for place, step in enumerate(spec.steps):
        speakers = step.rounds.speakers if step.rounds is not None else []
        if not speakers or any(speaker.model is None for speaker in speakers):
            yield f"steps[{place}].model", step.model
        for turn, speaker in enumerate(speakers):
            if speaker.model is not None:
                yield f"steps[{place}].rounds.speakers[{turn}].model", speaker.model


def _check_documents(spec: JobSpec, base: Base) -> None:
    """Refuse documents that lie nowhere here; what is in them is looked at when the job begins."""
    for name, documents in spec.space.documents.items():
        path = f"{at('space.documents', name)}.{documents.kind}"
        for pattern in documents.patterns:
            if next(base.expanded(pattern, path), None) is None:
                raise SpecError(path, f"there is no file {quoted(pattern)} here")


def _inlined(spec: JobSpec, terms: Terms) -> JobSpec:
    """Read the files of axes and evaluations; each lies in the folder that the first part of its name names."""
    axes: dict[str, list[Scalar] | Axis] = {}
    for name, axis in spec.space.axes.items():
        axes[name] = axis
        if isinstance(axis, Axis) and axis.file is not None:
            root, inside = _rooted(f"{at('space.axes', name)}.file", axis.file, terms)
            alone = msgspec.structs.replace(axis, file=inside)
            space = msgspec.structs.replace(spec.space, axes={name: alone})
            axes[name] = inline_axis_files(msgspec.structs.replace(spec, space=space), root).space.axes[name]
    filters = [
        _with_runs(each, f"filters[{place}].decontaminate.file", terms) for place, each in enumerate(spec.filters)
    ]
    return msgspec.structs.replace(spec, space=msgspec.structs.replace(spec.space, axes=axes), filters=filters)


def _with_runs(each: Filter, path: str, terms: Terms) -> Filter:
    """Read the evaluation file of a filter, which lies where the files of axes do."""
    asked = each.decontaminate
    if asked is None or asked.runs is not None:
        return each
    root, inside = _rooted(path, asked.file, terms)
    found = with_runs(msgspec.structs.replace(asked, file=inside), path, root)
    return msgspec.structs.replace(each, decontaminate=msgspec.structs.replace(found, file=asked.file))


def _rooted(path: str, file: str, terms: Terms) -> tuple[Path, str]:
    name, _, inside = file.partition("/")
    root = terms.base.roots.get(name)
    if root is None:
        known = (
            f"the first part names a folder of the operator's: {listed(terms.base.roots)}"
            if terms.base.roots
            else "there are none"
        )
        raise SpecError(path, f"no file {quoted(file)} is configured here; {known}")
    if not inside or inside.startswith("/"):
        raise SpecError(path, f"{quoted(file)} names no file in {quoted(name)}")
    return root, inside
