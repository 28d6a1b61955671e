"""Confabulation: what an answer lists must occur in the text that it was taken from.

Rules of this file: an item occurs if its words stand in the source as they are, whatever case, punctuation and spacing;
or, where the spec allows, nearly as they are. An item of an object or a list is grounded if all its texts are.
"""

import functools
import string
import unicodedata
from collections.abc import Iterator, Mapping

from msgspec.structs import replace
from rapidfuzz import fuzz

from corpusmill.chain.filters.subject import Check, Edit, Rejection, Subject
from corpusmill.spec.schema import Filter, Grounding
from corpusmill.spec.template import Reference

FUZZY_CHARS = 6
"""Shorter items must occur exactly: nearly every few letters stand in a long text nearly."""

SHOWN_CHARS = 100

_SPACED = str.maketrans(
    dict.fromkeys(
        [*string.punctuation, *"\u2018\u2019\u201c\u201d\u2010\u2011\u2013\u2014\u2022\u2026\u00b7\u3001\u3002"], " "
    )
)


def grounded_in(spec: Filter) -> Check | None:
    """Each item of the output occurs in the source."""
    if spec.grounded_in is None:
        return None
    asked = _asked(spec.grounded_in)

    def check(subject: Subject) -> Rejection | None:
        source = folded(_text_of(subject.values.get(asked.document)))
        missing = [item for item in _items(subject.output) if not _is_grounded(item, source, asked.similarity)]
        if not missing:
            return None
        first = next(_texts(missing[0]), "")[:SHOWN_CHARS]
        return Rejection("grounded_in", f"not in {asked.document}: {first!r}{_more(len(missing) - 1)}")

    return check


def drop_ungrounded(spec: Filter) -> Edit | None:
    """Take the items of a list out of it that do not occur in the source, if any does."""
    if spec.grounded_in is None or not _asked(spec.grounded_in).drop:
        return None
    asked = _asked(spec.grounded_in)

    def edit(subject: Subject) -> Subject:
        if not isinstance(subject.output, list):
            return subject
        source = folded(_text_of(subject.values.get(asked.document)))
        left = [item for item in subject.output if _is_grounded(item, source, asked.similarity)]
        return replace(subject, output=left) if left else subject

    return edit


def _asked(grounding: Grounding | str) -> Grounding:
    return grounding if isinstance(grounding, Grounding) else Grounding(grounding)


@functools.lru_cache(maxsize=4)
def folded(text: str) -> str:
    """Return a text as it is compared: no case, no punctuation, single spaces, also at both ends."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return f" {' '.join(text.casefold().translate(_SPACED).split())} "


def _is_grounded(item: object, source: str, similarity: float | None) -> bool:
    return all(_occurs(text, source, similarity) for text in _texts(item))


def _occurs(text: str, source: str, similarity: float | None) -> bool:
    wanted = folded(text)
    if wanted in source or not wanted.strip():
        return True
    if similarity is None or len(wanted) - 2 < FUZZY_CHARS or len(wanted) > len(source):
        return False
    return fuzz.partial_ratio(wanted.strip(), source, score_cutoff=similarity) > 0


def _items(output: object) -> list[object]:
    if isinstance(output, list | tuple):
        return list(output)
    if isinstance(output, str):
        return [line for line in output.splitlines() if line.strip()]
    return [output]


def _texts(item: object) -> Iterator[str]:
    """Yield the texts in an item; a bool and None say nothing that could occur."""
    if isinstance(item, str):
        yield item
    elif isinstance(item, Mapping):
        for value in item.values():
            yield from _texts(value)
    elif isinstance(item, list | tuple):
        for value in item:
            yield from _texts(value)
    elif isinstance(item, int | float) and not isinstance(item, bool):
        yield f"{item:g}" if isinstance(item, float) else str(item)


def _text_of(value: object) -> str:
    """Return what is searched: a document's text, or all texts of another value."""
    return value.text() if isinstance(value, Reference) else "\n".join(_texts(value))


def _more(count: int) -> str:
    return f" and {count} more" if count else ""
