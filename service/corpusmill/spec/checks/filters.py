"""Filters and deduplication: of a step that there is, and with something to judge by."""

import base64
import importlib.util
from collections.abc import Sequence
from typing import Any

from corpusmill.spec.checks.languages import LANGUAGES
from corpusmill.spec.checks.patterns import check_pattern
from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import RECORD, Filter, Grounding, JobSpec
from corpusmill.spec.schemas import compile_schema
from corpusmill.spec.wording import hint, quoted

_CONDITIONS = tuple(name for name in Filter.__struct_fields__ if name != "of")


def check_filters(spec: JobSpec) -> None:
    """Check each filter, and what the deduplication is of.

    Raises:
        SpecError: at the filter's field.
    """
    steps = [step.name for step in spec.steps]
    for position, each in enumerate(spec.filters):
        path = f"filters[{position}]"
        _check_step(each.of, steps, path)
        if all(getattr(each, name) in (None, False) for name in _CONDITIONS):
            raise SpecError(path, "judges nothing: give it a condition, such as `min_chars` or `no_refusal: true`")
        for unit in ("chars", "bytes", "words", "items", "value"):
            _check_bounds(getattr(each, f"min_{unit}"), getattr(each, f"max_{unit}"), unit, path)
        check_pattern(each.matching, f"{path}.matching")
        check_pattern(each.not_matching, f"{path}.not_matching")
        if each.decontaminate is not None and each.decontaminate.runs is not None:
            _check_runs(each.decontaminate.runs, f"{path}.decontaminate.runs")
        _check_language(each.language, f"{path}.language")
        if each.json_schema is not None:
            _check_schema(each.json_schema, f"{path}.json_schema")
        if each.grounded_in is not None:
            _check_source(each, spec, f"{path}.grounded_in")
    if spec.dedup is not None:
        _check_step(spec.dedup.of, [*steps, RECORD], "dedup")
        if spec.name in (spec.dedup.across or ()):
            raise SpecError("dedup.across", f"{quoted(spec.name)} is this job itself; name others")


def _check_step(name: str, steps: Sequence[str], path: str) -> None:
    if name not in steps:
        raise SpecError(f"{path}.of", f"there is no step {quoted(name)}{hint(name, steps)}")


def _check_bounds(least: float | None, most: float | None, unit: str, path: str) -> None:
    if least is not None and most is not None and least > most:
        raise SpecError(f"{path}.max_{unit}", f"{most} is less than `min_{unit}`, {least}: nothing would be kept")


def _check_language(languages: Sequence[str] | None, path: str) -> None:
    if languages is None:
        return
    for code in languages:
        if code not in LANGUAGES:
            raise SpecError(path, f"{quoted(code)} is no language that can be told{hint(code, LANGUAGES)}")
    if importlib.util.find_spec("py3langid") is None:
        raise SpecError(path, "needs py3langid, which is not installed: pip install 'corpusmill[language]'")


def _check_runs(runs: str, path: str) -> None:
    try:
        size = len(base64.b64decode(runs, validate=True))
    except ValueError:
        size = -1
    if size <= 0 or size % 8:
        raise SpecError(path, "is filled in when a spec is accepted; leave it out")


def _check_schema(schema: dict[str, Any], path: str) -> None:
    try:
        compile_schema(schema)
    except SpecError as error:
        raise SpecError(path, error.problem) from None


def _check_source(each: Filter, spec: JobSpec, path: str) -> None:
    """Check that what an output must occur in is there when the output is judged."""
    grounding = each.grounded_in
    name = grounding.document if isinstance(grounding, Grounding) else str(grounding)
    steps = [step.name for step in spec.steps]
    known = [*spec.space.axes, *spec.space.documents, *steps[: steps.index(each.of)]]
    if name not in known:
        raise SpecError(path, f"{quoted(name)} is no document, axis or earlier step{hint(name, known)}")
