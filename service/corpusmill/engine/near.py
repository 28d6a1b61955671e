"""Near duplicates: what is kept of texts to find them again, and who holds one that is nearly the same.

Rules of this file: the same sidecars always give the same index, so it is the same after a recovery. It is loaded only
where a spec asks for near duplicates, because numpy takes a third of the time to a run's first call.
"""

from collections import deque
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from corpusmill.dedup.bands import Plan, band_keys, plan_for
from corpusmill.dedup.near import NearIndex
from corpusmill.dedup.shingles import Shingles, similarity
from corpusmill.dedup.sketch import Sketch, nearest, sketch_of
from corpusmill.journal.entry import Kept
from corpusmill.journal.state import Covered

LOADED_ROWS = 100_000
"""How many rows are loaded at once at least, where there are so many: a load looks at every part of the index."""

Read = Callable[[int], tuple[int, bytes]]
"""Gives the holder and the shingles of a row that was written down."""

_NOTHING = np.empty(0, np.uint32)


class Near:
    """What is near enough, for one threshold of similarity.

    Attributes:
        threshold: the Jaccard similarity from which on a text is a near duplicate.
    """

    def __init__(self, threshold: float) -> None:
        self.threshold, self._plan = threshold, plan_for(threshold)

    def sketch(self, text: str) -> Sketch | None:
        """Return what is kept of a text; None for one of fewer than three words: only copies are like it."""
        return sketch_of(text, self._plan)

    def alike(self, one: Sketch, other: Sketch) -> float | None:
        """Return how similar two texts are, None where that is not near enough."""
        found = similarity(one.shingles, other.shingles)
        return found if found >= self.threshold else None

    def written(self, sketch: Sketch | None) -> Kept:
        """Return a sketch as it is written down."""
        if sketch is None:
            return Kept(bytes(4 * self._plan.bands), b"")
        return Kept(sketch.keys.astype("<u4").tobytes(), sketch.shingles.astype("<u4").tobytes())

    def rows(self, *, expected: int, read: Read, readable: Callable[[], int] = lambda: 0) -> "NearRows":
        """Return an empty index for the kept texts of one job; see `NearRows`."""
        return NearRows(self.threshold, self._plan, expected=expected, read=read, readable=readable)


class NearMatch(msgspec.Struct, frozen=True):
    """The item that holds a text, and how similar that is."""

    index: int
    similarity: float


class NearRows:
    """The kept texts of one job, a row each in the order of decisions; in memory until they are written down.

    Args:
        threshold: the similarity from which on a text is a near duplicate.
        plan: for that threshold.
        expected: how many texts may be kept; a guess.
        read: gives rows that were written down.
        readable: how many rows are written down, as far as texts are added.
    """

    def __init__(self, threshold: float, plan: Plan, *, expected: int, read: Read, readable: Callable[[], int]) -> None:
        self._threshold, self._plan, self._read, self._readable = threshold, plan, read, readable
        self._index = NearIndex(plan, expected)
        self._recent: deque[tuple[int, Shingles]] = deque()
        self._recent_from: int | None = None

    def load(self, kept: Sequence[Covered]) -> None:
        """Take in what was written down, in order; once, before anything else."""
        waiting, rows = list[Covered](), 0
        for covered in kept:
            waiting.append(covered)
            rows += len(covered.sizes)
            if rows >= LOADED_ROWS:
                self._load(waiting)
                waiting, rows = [], 0
        self._load(waiting)

    def find(self, sketch: Sketch) -> NearMatch | None:
        """Return who holds a text that is nearly the same; None if nobody does."""
        match = nearest(self._index, sketch, lambda row: self._row(row)[1], self._threshold)
        return NearMatch(self._row(match.row)[0], match.similarity) if match is not None else None

    def add(self, index: int, sketch: Sketch | None) -> None:
        """Take in one more text, which item `index` holds."""
        if self._recent_from is None:
            self._recent_from = len(self._index)
        self._index.add(sketch.keys if sketch is not None else _NOTHING)
        self._recent.append((index, sketch.shingles if sketch is not None else _NOTHING))
        while self._recent_from < self._readable() and self._recent:
            self._recent.popleft()
            self._recent_from += 1

    def _row(self, row: int) -> tuple[int, Shingles]:
        """Return a row's holder and shingles: from memory while they are not written down."""
        if self._recent_from is not None and row >= self._recent_from:
            return self._recent[row - self._recent_from]
        holder, written = self._read(row)
        return holder, np.frombuffer(written, "<u4")

    def _load(self, kept: Sequence[Covered]) -> None:
        rows = sum(len(covered.sizes) for covered in kept)
        keys = np.frombuffer(b"".join(bytes(covered.keys) for covered in kept), "<u4")
        if len(keys) == rows * self._plan.bands:
            self._index.load(keys.reshape(rows, self._plan.bands))
            return
        for row in range(len(self._index), len(self._index) + rows):  # of a job with another threshold
            shingles = self._row(row)[1]
            self._index.add(band_keys(shingles, self._plan) if len(shingles) else _NOTHING)
