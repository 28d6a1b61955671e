"""Cutting: the beginning of a text, or all of it in chunks.

Rule of this file: pure, linear in the text; cuts are made at white space wherever there is some.
"""

import re
from collections.abc import Iterator

_INK = re.compile(r"\S")

Span = tuple[int, int]
"""Where a chunk begins in its text, and where it ends."""


def truncated(text: str, chars: int, marker: str) -> str:
    """Return the text if it has at most so many characters, else as many words of it as do, and the marker."""
    if len(text) <= chars:
        return text
    end = _word_end(text, 0, chars)
    return text[:end] + marker


def chunk_spans(text: str, chars: int, overlap: int) -> Iterator[Span]:
    """Yield the chunks of a text, in order.

    Each has at most `chars` characters, begins and ends with ink, and reaches further than the one before. What lies
    between two chunks is white space. Where a word is longer than a chunk, it is cut.

    Args:
        text: any.
        chars: at least 1.
        overlap: about how many characters a chunk repeats of the one before, whole words where there are some; at most
            half of `chars`.
    """
    start, reached = _ink(text, 0), 0
    while start < len(text):
        end = _chunk_end(text, start, chars)
        if end <= reached:  # what is repeated leaves no room for the next word
            start = _ink(text, reached)
            end = _chunk_end(text, start, chars)
        yield start, end
        reached = end
        if _ink(text, reached) == len(text):
            return
        start = _ink(text, _word_start(text, max(end - overlap, start + 1), end) if overlap else end)


def _ink(text: str, start: int) -> int:
    """Return where the first character stands that is no white space, or the end of the text."""
    found = _INK.search(text, start)
    return found.start() if found else len(text)


def _chunk_end(text: str, start: int, chars: int) -> int:
    return _word_end(text, start, start + chars) if start + chars < len(text) else _trimmed(text, start, len(text))


def _word_end(text: str, start: int, limit: int) -> int:
    """Return the last place up to `limit` at which a word ends; `limit` itself where a single word fills it all."""
    if text[limit].isspace():
        return _trimmed(text, start, limit)
    blank = max(text.rfind(blank, start, limit) for blank in (" ", "\n", "\t"))
    end = _trimmed(text, start, blank) if blank > start else start
    return end if end > start else limit


def _trimmed(text: str, start: int, end: int) -> int:
    while end > start and text[end - 1].isspace():
        end -= 1
    return end


def _word_start(text: str, start: int, end: int) -> int:
    """Return the first place from `start` at which a word begins, `start` itself where none does before `end`."""
    if text[start - 1].isspace():
        return start
    blanks = [place for blank in (" ", "\n", "\t") if (place := text.find(blank, start, end)) != -1]
    return min(blanks) if blanks else start
