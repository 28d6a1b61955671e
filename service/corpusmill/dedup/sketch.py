"""Near duplicates: a text's sketch, and the search for a kept text that is like it.

Rule of this file: a decision is exact. The index only says whom to compare with; what is compared are all shingles.
"""

from collections.abc import Callable

import msgspec

from corpusmill.dedup.bands import Keys, Plan, band_keys
from corpusmill.dedup.near import NearIndex
from corpusmill.dedup.shingles import Shingles, shingles, similarity


class Sketch(msgspec.Struct, frozen=True):
    """What is kept of a text to find its near duplicates: its shingles, and the keys by which it is found."""

    keys: Keys
    shingles: Shingles


class Match(msgspec.Struct, frozen=True):
    """A kept text, by its row, and how similar it is."""

    row: int
    similarity: float


def sketch_of(text: str, plan: Plan) -> Sketch | None:
    """Return a text's sketch; None for one of fewer than three words, which is like nothing but its copies."""
    found = shingles(text)
    return Sketch(band_keys(found, plan), found) if len(found) else None


def nearest(index: NearIndex, sketch: Sketch, read: Callable[[int], Shingles], threshold: float) -> Match | None:
    """Return a kept text that is at least `threshold` similar, or None.

    Args:
        index: the kept texts.
        sketch: of the new one.
        read: gives the shingles of a row.
        threshold: Jaccard similarity of the two sets of shingles.
    """
    for row in index.candidates(sketch.keys):
        found = read(row)
        if similar_enough(len(found), len(sketch.shingles), threshold):
            alike = similarity(found, sketch.shingles)
            if alike >= threshold:
                return Match(row, alike)
    return None


def similar_enough(one: int, other: int, threshold: float) -> bool:
    """Whether sets of these sizes can be as similar as the threshold."""
    return min(one, other) >= threshold * max(one, other)
