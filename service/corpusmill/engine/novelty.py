"""What was kept before: exact copies and near duplicates, in this job and in others.

Rules of this file: a mark is a pure function of a text, so it can be made again from the journal; whether a mark is new
is asked once, and the answer is journaled. The index holds what was decided, in the order of decisions; it is the same
after a recovery.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import msgspec
import numpy as np

from corpusmill.chain.chain import Chain
from corpusmill.chain.records import RecordWriter
from corpusmill.chain.walk import Walk
from corpusmill.dedup.bands import Plan, plan_for
from corpusmill.dedup.exact import ExactIndex
from corpusmill.dedup.fingerprint import fingerprint
from corpusmill.dedup.near import NearIndex
from corpusmill.dedup.shingles import Shingles, similarity
from corpusmill.dedup.sketch import Sketch, nearest, sketch_of
from corpusmill.journal.entry import Kept
from corpusmill.journal.state import Covered
from corpusmill.spec.schema import RECORD, Dedup

LOADED_ROWS = 100_000
"""How many rows are loaded at once at least, where there are so many: a load looks at every part of the index."""

Read = Callable[[int], tuple[int, bytes]]
"""Gives the holder and the shingles of a row that was written down."""


class Mark(msgspec.Struct, frozen=True):
    """What tells a text from others; without a sketch where near duplicates are not looked for, or it is too short."""

    fingerprint: int
    sketch: Sketch | None = None


class Held(msgspec.Struct, frozen=True):
    """Why a text is not new.

    Attributes:
        reason: which search found it.
        of: the index of the item that holds it, None for another job's.
        detail: what is to be told of it beside that.
    """

    reason: Literal["exact", "near"]
    of: int | None
    detail: str = ""


class Marker:
    """Makes the marks of what is kept, as `dedup` asks; without a dedup in the spec there are none."""

    def __init__(self, dedup: Dedup | None, chain: Chain, records: RecordWriter) -> None:
        self._step = dedup.of if dedup is not None else None
        self._of_record = self._step == RECORD and all(step.name != RECORD for step in chain.steps)
        self._last, self._records = chain.steps[-1].name, records
        self.threshold = dedup.near if dedup is not None else None
        self.plan = plan_for(self.threshold) if self.threshold is not None else None

    def mark(self, walk: Walk, choice: int) -> Mark | None:
        """Return the mark of one choice of the last step; None where nothing is compared.

        Raises:
            RenderError: records are compared, and one cannot be rendered.
        """
        if self._step is None:
            return None
        if self._of_record:
            text = self._records.text({**walk.values, self._last: walk.answers[self._last][choice].output})
        else:
            choices = walk.answers[self._step]
            text = choices[choice if choice < len(choices) else 0].text
        return Mark(fingerprint(text), sketch_of(text, self.plan) if self.plan is not None else None)

    def marks(self, walk: Walk, choices: Iterable[int]) -> tuple[Mark, ...]:
        """Return the marks of several choices, as far as there are any."""
        found = (self.mark(walk, choice) for choice in choices)
        return tuple(mark for mark in found if mark is not None)

    def kept(self, marks: Sequence[Mark]) -> tuple[Kept, ...]:
        """Return what is written down of marks, so that the index can be built again."""
        if self.plan is None:
            return ()
        return tuple(_kept(mark.sketch, self.plan) for mark in marks)


class Novelty:
    """The index of what was kept.

    Args:
        marker: makes the marks of texts.
        read: gives rows that were written down.
        readable: how many rows are.
        expected: how many texts may be kept; a guess.
    """

    def __init__(self, marker: Marker, *, read: Read, readable: Callable[[], int], expected: int) -> None:
        self.marker, self._read, self._readable = marker, read, readable
        self._threshold, self._plan = marker.threshold, marker.plan
        self._near = NearIndex(self._plan, expected) if self._plan is not None else None
        self._exact = ExactIndex()
        self._recent: deque[tuple[int, Shingles]] = deque()
        self._recent_from = 0

    def load(self, kept: Sequence[Covered]) -> None:
        """Take in what was kept by earlier runs; once, before anything else."""
        self._exact.reserve(sum(len(covered.fingerprints) for covered in kept))
        waiting: list[Covered] = []
        for covered in kept:
            self._exact.load(covered.fingerprints, covered.holders)
            waiting.append(covered)
            if sum(len(each.sizes) for each in waiting) >= LOADED_ROWS:
                self._load_near(waiting)
                waiting = []
        self._load_near(waiting)
        self._recent_from = self._readable()

    def held(self, mark: Mark) -> Held | None:
        """Return who holds the text, or one that is nearly the same; None if it is new."""
        holder = self._exact.holder(mark.fingerprint)
        if holder is not None:
            return Held("exact", holder)
        if self._near is None or self._threshold is None or mark.sketch is None:
            return None
        match = nearest(self._near, mark.sketch, lambda row: self._row(row)[1], self._threshold)
        return Held("near", self._row(match.row)[0], told(match.similarity)) if match is not None else None

    def twins(self, one: Mark, others: Iterable[Mark]) -> Held | None:
        """Say whether a text is a duplicate of one of these, which are not in the index yet; `of` says nothing."""
        for other in others:
            if one.fingerprint == other.fingerprint:
                return Held("exact", None)
            if self._threshold is not None and one.sketch is not None and other.sketch is not None:
                alike = similarity(one.sketch.shingles, other.sketch.shingles)
                if alike >= self._threshold:
                    return Held("near", None, told(alike))
        return None

    def remember(self, index: int, marks: Iterable[Mark]) -> None:
        """Take note of what a decision keeps."""
        for mark in marks:
            self._exact.add(mark.fingerprint, index)
            if self._near is not None:
                sketch = mark.sketch
                self._near.add(sketch.keys if sketch is not None else _NO_KEYS)
                self._recent.append((index, sketch.shingles if sketch is not None else _NO_KEYS))
        self._forget(self._readable())

    def _row(self, row: int) -> tuple[int, Shingles]:
        """Return a row's holder and shingles: from memory while they are not written down."""
        if row >= self._recent_from:
            return self._recent[row - self._recent_from]
        holder, written = self._read(row)
        return holder, np.frombuffer(written, "<u4")

    def _forget(self, readable: int) -> None:
        while self._recent_from < readable and self._recent:
            self._recent.popleft()
            self._recent_from += 1

    def _load_near(self, kept: Sequence[Covered]) -> None:
        if self._near is not None and self._plan is not None:
            keys = np.frombuffer(b"".join(bytes(covered.keys) for covered in kept), "<u4")
            self._near.load(keys.reshape(-1, self._plan.bands))


_NO_KEYS = np.empty(0, np.uint32)


def told(alike: float) -> str:
    """Return a similarity as it is told."""
    return f"similarity {alike:.2f}"


def _kept(sketch: Sketch | None, plan: Plan) -> Kept:
    if sketch is None:
        return Kept(bytes(4 * plan.bands), b"")
    return Kept(sketch.keys.astype("<u4").tobytes(), sketch.shingles.astype("<u4").tobytes())
