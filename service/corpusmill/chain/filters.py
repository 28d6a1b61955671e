"""Filters: what a completion must be like, compiled from the spec into plain checks.

Rules of this file: a check takes a subject and answers with a rejection or None; it has no state.
The reason is the condition's name in the spec, so the set of reasons is closed.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import re2

from corpusmill.chain.completion import Prompt
from corpusmill.chain.refusal import is_refusal
from corpusmill.spec.schema import Filter


class Rejection(msgspec.Struct, frozen=True):
    """Why something is not kept: `reason` is one of a closed set of words, `detail` is for people."""

    reason: str
    detail: str


class Subject(msgspec.Struct, frozen=True):
    """What is judged, and what later steps see: one choice of a completion, or what a step makes of several.

    Attributes:
        text: cleaned, without white space around it.
        finish_reason: why the text ended.
        output: what the step's `parse` makes of the text; the text itself where it is not parsed.
        prompt: what was asked; None where nothing was.
        values: what the prompt's template saw: axis values, outputs of earlier steps, `nonce`.
    """

    text: str
    finish_reason: str
    output: object
    prompt: Prompt | None
    values: Mapping[str, Any]


Check = Callable[[Subject], Rejection | None]


class Checks(msgspec.Struct, frozen=True):
    """The checks of one step, in the order in which the spec lists them.

    Attributes:
        of_text: judge the text alone, before it is parsed: so a text that was cut off is told as that.
        of_output: judge what was parsed.
    """

    of_text: tuple[Check, ...] = ()
    of_output: tuple[Check, ...] = ()


def compile_checks(filters: list[Filter], step: str) -> Checks:
    """Return the checks for one step."""
    return Checks(of_text=tuple(check for each in filters if each.of == step for check in _conditions(each)))


def first_rejection(checks: tuple[Check, ...], subject: Subject) -> Rejection | None:
    """Return what the first failing check says, or None if all pass."""
    for check in checks:
        rejection = check(subject)
        if rejection is not None:
            return rejection
    return None


def _conditions(spec: Filter) -> Iterator[Check]:
    if spec.finish_reason is not None:
        yield _finish_reason(frozenset(spec.finish_reason))
    if spec.min_chars is not None or spec.max_chars is not None:
        yield _length("chars", len, spec.min_chars, spec.max_chars)
    if spec.min_words is not None or spec.max_words is not None:
        yield _length("words", _count_words, spec.min_words, spec.max_words)
    if spec.matching is not None:
        yield _matching(spec.matching)
    if spec.not_matching is not None:
        yield _not_matching(spec.not_matching)
    if spec.no_refusal:
        yield _no_refusal


def _finish_reason(accepted: frozenset[str]) -> Check:
    wanted = ", ".join(sorted(accepted))

    def check(subject: Subject) -> Rejection | None:
        if subject.finish_reason in accepted:
            return None
        return Rejection("finish_reason", f"{subject.finish_reason or 'none given'}; wanted: {wanted}")

    return check


def _length(unit: str, measure: Callable[[str], int], least: int | None, most: int | None) -> Check:
    low, high = least or 0, most if most is not None else float("inf")

    def check(subject: Subject) -> Rejection | None:
        length = measure(subject.text)
        if length < low:
            return Rejection(f"min_{unit}", f"{length} {unit}; at least {low} wanted")
        if length > high:
            return Rejection(f"max_{unit}", f"{length} {unit}; at most {high} wanted")
        return None

    return check


def _matching(pattern: str) -> Check:
    search = re2.compile(pattern).search

    def check(subject: Subject) -> Rejection | None:
        return None if search(subject.text) else Rejection("matching", f"nothing matches {pattern}")

    return check


def _not_matching(pattern: str) -> Check:
    search = re2.compile(pattern).search

    def check(subject: Subject) -> Rejection | None:
        found = search(subject.text)
        return Rejection("not_matching", f"{found.group()[:100]!r} matches {pattern}") if found else None

    return check


def _no_refusal(subject: Subject) -> Rejection | None:
    return Rejection("no_refusal", subject.text[:100]) if is_refusal(subject.text) else None


def _count_words(text: str) -> int:
    return len(text.split())
