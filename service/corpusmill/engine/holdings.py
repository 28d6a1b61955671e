"""The kept texts of one job, as far as they are written down: who holds a copy, and who nearly one.

Rule of this file: the same sidecars always give the same index, so it is the same after a recovery.
"""

from collections import deque
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from corpusmill.dedup.bands import Plan, band_keys
from corpusmill.dedup.exact import ExactIndex
from corpusmill.dedup.near import NearIndex
from corpusmill.dedup.shingles import Shingles
from corpusmill.dedup.sketch import Sketch, nearest
from corpusmill.journal.state import Covered

LOADED_ROWS = 100_000
"""How many rows are loaded at once at least, where there are so many: a load looks at every part of the index."""

Read = Callable[[int], tuple[int, bytes]]
"""Gives the holder and the shingles of a row that was written down."""


class Mark(msgspec.Struct, frozen=True):
    """What tells a text from others; without a sketch where near duplicates are not looked for, or it is too short."""

    fingerprint: int
    sketch: Sketch | None = None


class Found(msgspec.Struct, frozen=True):
    """The item that holds a text, and how similar its text is; None for a copy."""

    index: int
    similarity: float | None = None


class Holdings:
    """An index of kept texts.

    Args:
        threshold: the similarity from which on a text is a near duplicate, None where such are not looked for.
        plan: for that threshold.
        expected: how many texts may be kept; a guess.
        read: gives rows that were written down.
    """

    def __init__(self, threshold: float | None, plan: Plan | None, *, expected: int, read: Read) -> None:
        self._threshold, self._plan, self._read = threshold, plan, read
        self.exact = ExactIndex()
        self.near = NearIndex(plan, expected) if plan is not None else None

    def load(self, kept: Sequence[Covered]) -> None:
        """Take in what was kept, in order; once, before anything else."""
        self.exact.reserve(sum(len(covered.fingerprints) for covered in kept))
        waiting: list[Covered] = []
        for covered in kept:
            self.exact.load(covered.fingerprints, covered.holders)
            waiting.append(covered)
            if sum(len(each.sizes) for each in waiting) >= LOADED_ROWS:
                self._load_near(waiting)
                waiting = []
        self._load_near(waiting)

    def find(self, mark: Mark) -> Found | None:
        """Return who holds the text, or one that is nearly the same; None if nobody does."""
        holder = self.exact.holder(mark.fingerprint)
        if holder is not None:
            return Found(holder)
        if self.near is None or self._threshold is None or mark.sketch is None:
            return None
        match = nearest(self.near, mark.sketch, lambda row: self.row(row)[1], self._threshold)
        return Found(self.row(match.row)[0], match.similarity) if match is not None else None

    def row(self, row: int) -> tuple[int, Shingles]:
        """Return a row's holder and shingles."""
        holder, written = self._read(row)
        return holder, np.frombuffer(written, "<u4")

    def _load_near(self, kept: Sequence[Covered]) -> None:
        if self.near is None or self._plan is None:
            return
        rows = sum(len(covered.sizes) for covered in kept)
        keys = np.frombuffer(b"".join(bytes(covered.keys) for covered in kept), "<u4")
        if len(keys) == rows * self._plan.bands:
            self.near.load(keys.reshape(rows, self._plan.bands))
            return
        for row in range(len(self.near), len(self.near) + rows):  # of a job with another threshold
            shingles = self.row(row)[1]
            self.near.add(band_keys(shingles, self._plan) if len(shingles) else _NOTHING)


class OwnHoldings(Holdings):
    """The kept texts of the job that is running; rows stay in memory until they are written down.

    Args:
        threshold, plan, expected, read: as for other holdings.
        readable: how many rows are written down.
    """

    def __init__(
        self,
        threshold: float | None,
        plan: Plan | None,
        *,
        expected: int,
        read: Read,
        readable: Callable[[], int],
    ) -> None:
        super().__init__(threshold, plan, expected=expected, read=read)
        self._readable = readable
        self._recent: deque[tuple[int, Shingles]] = deque()
        self._recent_from = readable()

    def add(self, index: int, mark: Mark) -> None:
        """Take in one more text, which item `index` holds."""
        self.exact.add(mark.fingerprint, index)
        if self.near is None:
            return
        sketch = mark.sketch
        self.near.add(sketch.keys if sketch is not None else _NOTHING)
        self._recent.append((index, sketch.shingles if sketch is not None else _NOTHING))
        while self._recent_from < self._readable() and self._recent:
            self._recent.popleft()
            self._recent_from += 1

    def row(self, row: int) -> tuple[int, Shingles]:
        """Return a row's holder and shingles: from memory while they are not written down."""
        if row >= self._recent_from:
            return self._recent[row - self._recent_from]
        return super().row(row)


_NOTHING = np.empty(0, np.uint32)
