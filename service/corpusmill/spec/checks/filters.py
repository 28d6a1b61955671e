"""Filters and deduplication: of a step that there is, and with something to judge by."""

from collections.abc import Sequence

from corpusmill.spec.checks.patterns import check_pattern
from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import RECORD, Filter, JobSpec
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
        _check_bounds(each.min_chars, each.max_chars, "chars", path)
        _check_bounds(each.min_words, each.max_words, "words", path)
        check_pattern(each.matching, f"{path}.matching")
        check_pattern(each.not_matching, f"{path}.not_matching")
    if spec.dedup is not None:
        _check_step(spec.dedup.of, [*steps, RECORD], "dedup")
        if spec.name in (spec.dedup.across or ()):
            raise SpecError("dedup.across", f"{quoted(spec.name)} is this job itself; name others")


def _check_step(name: str, steps: Sequence[str], path: str) -> None:
    if name not in steps:
        raise SpecError(f"{path}.of", f"there is no step {quoted(name)}{hint(name, steps)}")


def _check_bounds(least: int | None, most: int | None, unit: str, path: str) -> None:
    if least is not None and most is not None and least > most:
        raise SpecError(f"{path}.max_{unit}", f"{most} is less than `min_{unit}`, {least}: nothing would be kept")
