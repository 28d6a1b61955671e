"""Cleaning: `clean` of a spec as one function from text to text.

Rule of this file: pure, linear in the text, and its result is never longer than the bound below. What `strip` and
`collapse` take for white space is what `str.split` does.
"""

import re
from collections.abc import Callable, Iterator

import re2

from corpusmill.spec.schema.clean import Clean, Cleaning

MAX_CHARS = 128 * 2**20
"""The longest text that a replacement may make."""

_BLANKS = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")

Transform = Callable[[str], str]


class OverlongTextError(ValueError):
    """A replacement makes the text longer than 128 Mi characters."""


def compile_clean(cleaning: Cleaning | None) -> Transform:
    """Return the function that cleans a text; without a cleaning it returns the text as it is.

    It raises OverlongTextError where replacements make the text too long.

    Args:
        cleaning: checked; its patterns are RE2's.
    """
    stages = [] if cleaning is None else cleaning if isinstance(cleaning, list) else [cleaning]
    transforms = tuple(transform for stage in stages for transform in _transforms(stage))

    def clean(text: str) -> str:
        for transform in transforms:
            text = transform(text)
        return text

    return clean


def _transforms(clean: Clean) -> Iterator[Transform]:
    if clean.begin_after is not None:
        yield _begin_after(clean.begin_after)
    if clean.cut_at is not None:
        yield _cut_at(clean.cut_at)
    for pattern in _listed(clean.remove):
        yield _replace(pattern, "")
    for pattern, text in (clean.replace or {}).items():
        yield _replace(pattern, text)
    if clean.keep_lines is not None:
        yield _lines(clean.keep_lines, keep=True)
    if clean.drop_lines is not None:
        yield _lines(clean.drop_lines, keep=False)
    if clean.collapse:
        yield _collapse_lines if clean.collapse == "lines" else _collapse
    if clean.lower:
        yield str.lower
    if clean.strip:
        yield str.strip


def _listed(patterns: str | list[str] | None) -> list[str]:
    return [] if patterns is None else [patterns] if isinstance(patterns, str) else patterns


def _begin_after(pattern: str) -> Transform:
    search = re2.compile(pattern).search

    def transform(text: str) -> str:
        found = search(text)
        return text[found.end() :] if found else text

    return transform


def _cut_at(pattern: str) -> Transform:
    search = re2.compile(pattern).search

    def transform(text: str) -> str:
        found = search(text)
        return text[: found.start()] if found else text

    return transform


def _replace(pattern: str, replacement: str) -> Transform:
    matches = re2.compile(pattern).finditer

    def transform(text: str) -> str:
        pieces: list[str] = []
        end = length = 0
        for found in matches(text):
            pieces += (text[end : found.start()], replacement)
            end = found.end()
            length += len(replacement)
            if length > MAX_CHARS:
                raise OverlongTextError("its replacements make the text too long")
        return "".join([*pieces, text[end:]]) if pieces else text

    return transform


def _lines(pattern: str, *, keep: bool) -> Transform:
    search = re2.compile(pattern).search

    def transform(text: str) -> str:
        return "\n".join(line for line in text.split("\n") if (search(line) is not None) is keep)

    return transform


def _collapse(text: str) -> str:
    return " ".join(text.split())


def _collapse_lines(text: str) -> str:
    lines = (_BLANKS.sub(" ", line).strip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines))
