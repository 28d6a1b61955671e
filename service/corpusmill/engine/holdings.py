"""The kept texts of one job: who holds a copy, and who nearly one."""

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from corpusmill.dedup.exact import ExactIndex
from corpusmill.journal.state import Covered

if TYPE_CHECKING:  # loaded where a spec asks for near duplicates: see there
    from corpusmill.dedup.sketch import Sketch
    from corpusmill.engine.near import NearRows


class Mark(msgspec.Struct, frozen=True):
    """What tells a text from others; without a sketch where near duplicates are not looked for, or it is too short."""

    fingerprint: int
    sketch: "Sketch | None" = None


class Found(msgspec.Struct, frozen=True):
    """The item that holds a text, and how similar its text is; None for a copy."""

    index: int
    similarity: float | None = None


class Holdings:
    """An index of kept texts.

    Args:
        near: finds near duplicates, None where such are not looked for.
    """

    def __init__(self, near: "NearRows | None") -> None:
        self._exact, self._near = ExactIndex(), near

    def load(self, kept: Sequence[Covered]) -> None:
        """Take in what was kept, in order; once, before anything else."""
        fingerprints, holders = array("Q"), array("Q")
        for covered in kept:
            fingerprints += covered.fingerprints
            holders += covered.holders
        self._exact.load(fingerprints, holders)
        if self._near is not None:
            self._near.load(kept)

    def find(self, mark: Mark) -> Found | None:
        """Return who holds the text, or one that is nearly the same; None if nobody does."""
        holder = self._exact.holder(mark.fingerprint)
        if holder is not None:
            return Found(holder)
        if self._near is None or mark.sketch is None:
            return None
        match = self._near.find(mark.sketch)
        return Found(match.index, match.similarity) if match is not None else None

    def add(self, index: int, mark: Mark) -> None:
        """Take in one more text, which item `index` holds."""
        self._exact.add(mark.fingerprint, index)
        if self._near is not None:
            self._near.add(index, mark.sketch)
