"""The plain conditions: how a text ended, how long it is, what matches, what was parsed out of it."""

from collections.abc import Callable, Sized

import msgspec
import re2

from corpusmill.chain.filters.refusal import is_refusal
from corpusmill.chain.filters.subject import Check, Rejection, Subject
from corpusmill.spec.schema import Filter
from corpusmill.spec.schemas import compile_schema

SHOWN_CHARS = 100
"""How much of a text is told."""


def finish_reason(spec: Filter) -> Check | None:
    """The completion ended for an accepted reason."""
    if spec.finish_reason is None:
        return None
    accepted = frozenset(spec.finish_reason)
    wanted = ", ".join(sorted(accepted))

    def check(subject: Subject) -> Rejection | None:
        if subject.finish_reason in accepted:
            return None
        return Rejection("finish_reason", f"{subject.finish_reason or 'none given'}; wanted: {wanted}")

    return check


def lengths(spec: Filter) -> Check | None:
    """The text is neither too short nor too long, in any unit."""
    checks = [
        check
        for check in (
            _within("chars", lambda subject: len(subject.text), spec.min_chars, spec.max_chars),
            _within("bytes", lambda subject: _count_bytes(subject.text), spec.min_bytes, spec.max_bytes),
            _within("words", lambda subject: len(subject.text.split()), spec.min_words, spec.max_words),
        )
        if check is not None
    ]
    return _all_of(checks)


def matching(spec: Filter) -> Check | None:
    """The pattern is found in the text."""
    if spec.matching is None:
        return None
    pattern = spec.matching
    search = re2.compile(pattern).search

    def check(subject: Subject) -> Rejection | None:
        return None if search(subject.text) else Rejection("matching", f"nothing matches {pattern}")

    return check


def not_matching(spec: Filter) -> Check | None:
    """The pattern is not found in the text."""
    if spec.not_matching is None:
        return None
    pattern = spec.not_matching
    search = re2.compile(pattern).search

    def check(subject: Subject) -> Rejection | None:
        found = search(subject.text)
        return Rejection("not_matching", f"{found.group()[:SHOWN_CHARS]!r} matches {pattern}") if found else None

    return check


def refusal(spec: Filter) -> Check | None:
    """The answer does not open by declining the task."""
    if not spec.no_refusal:
        return None
    return lambda subject: Rejection("no_refusal", subject.text[:SHOWN_CHARS]) if is_refusal(subject.text) else None


def number_of_items(spec: Filter) -> Check | None:
    """The parsed list is neither too short nor too long; of a text that is not parsed, its lines count."""
    return _within("items", _count_items, spec.min_items, spec.max_items)


def numbers(spec: Filter) -> Check | None:
    """The parsed number lies within its bounds; what is no number lies in none."""
    if spec.min_value is None and spec.max_value is None:
        return None
    low = spec.min_value if spec.min_value is not None else float("-inf")
    high = spec.max_value if spec.max_value is not None else float("inf")

    def check(subject: Subject) -> Rejection | None:
        value = subject.output
        if not isinstance(value, int | float):
            return Rejection("min_value" if spec.min_value is not None else "max_value", f"no number: {_shown(value)}")
        if value < low:
            return Rejection("min_value", f"{value:g}; at least {low:g} wanted")
        return Rejection("max_value", f"{value:g}; at most {high:g} wanted") if value > high else None

    return check


def follows_schema(spec: Filter) -> Check | None:
    """What was parsed, or the text read as JSON, follows a JSON Schema."""
    if spec.json_schema is None:
        return None
    errors = compile_schema(spec.json_schema).iter_errors

    def check(subject: Subject) -> Rejection | None:
        value = subject.output
        if value is subject.text:
            try:
                value = msgspec.json.decode(subject.text)
            except msgspec.DecodeError as error:
                return Rejection("json_schema", f"not JSON: {error}")
            except RecursionError:
                return Rejection("json_schema", "JSON that is nested too deep")
        for wrong in errors(value):
            path = "".join(f"[{part!r}]" for part in wrong.instance_path)
            return Rejection("json_schema", f"{wrong.message[:SHOWN_CHARS]}{f', at {path}' if path else ''}")
        return None

    return check


def _within(unit: str, measure: Callable[[Subject], int], least: int | None, most: int | None) -> Check | None:
    if least is None and most is None:
        return None
    low, high = least or 0, most if most is not None else float("inf")

    def check(subject: Subject) -> Rejection | None:
        length = measure(subject)
        if length < low:
            return Rejection(f"min_{unit}", f"{length} {unit}; at least {low} wanted")
        if length > high:
            return Rejection(f"max_{unit}", f"{length} {unit}; at most {high} wanted")
        return None

    return check


def _all_of(checks: list[Check]) -> Check | None:
    if len(checks) < 2:
        return checks[0] if checks else None

    def check(subject: Subject) -> Rejection | None:
        for each in checks:
            rejection = each(subject)
            if rejection is not None:
                return rejection
        return None

    return check


def _count_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _count_items(subject: Subject) -> int:
    output = subject.output
    if isinstance(output, str):
        return sum(1 for line in output.splitlines() if line.strip())
    return len(output) if isinstance(output, Sized) else 1


def _shown(value: object) -> str:
    return repr(value)[:SHOWN_CHARS]
