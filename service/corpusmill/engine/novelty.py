"""What was kept before: exact copies and near duplicates, in this job and in others.

Rules of this file: a mark is a pure function of a text, so it can be made again from the journal; whether a mark is new
is asked once, and the answer is journaled. The index holds what was decided, in the order of decisions; it is the same
after a recovery.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from corpusmill.chain.chain import Chain
from corpusmill.chain.records import RecordWriter
from corpusmill.chain.step import Values
from corpusmill.chain.walk import Walk
from corpusmill.dedup.fingerprint import fingerprint
from corpusmill.engine.holdings import Found, Holdings, Mark
from corpusmill.journal.entry import Kept
from corpusmill.spec.schema import RECORD, Dedup

if TYPE_CHECKING:  # loaded where a spec asks for it: see there
    from corpusmill.engine.near import Near


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


def values_of(walk: Walk, choice: int) -> Values:
    """Return what examples see of an item, given one of the last step's choices."""
    last = walk.chain.steps[-1].name
    return {**walk.values, last: walk.answers[last][choice].output}


class Marker:
    """Makes the marks of what is kept, as `dedup` asks; without a dedup in the spec there are none.

    Attributes:
        near: tells what is nearly the same, None where near duplicates are not looked for.
    """

    def __init__(self, dedup: Dedup | None, chain: Chain, records: RecordWriter) -> None:
        self._step = dedup.of if dedup is not None else None
        self._of_record = self._step == RECORD and all(step.name != RECORD for step in chain.steps)
        self._records = records
        self.near = _near(dedup.near if dedup is not None else None)

    def mark(self, walk: Walk, choice: int) -> Mark | None:
        """Return the mark of one choice of the last step; None where nothing is compared: what no model wrote.

        Raises:
            RenderError: records are compared, and one cannot be rendered.
        """
        if self._step is None:
            return None
        if self._of_record:
            text = self._records.text(values_of(walk, choice))
        else:
            subjects = walk.answers[self._step]
            subject = subjects[choice if choice < len(subjects) else 0]
            if subject.prompt is None:
                return None
            text = subject.text
        return Mark(fingerprint(text), self.near.sketch(text) if self.near is not None else None)

    def marks(self, walk: Walk, choices: Iterable[int]) -> tuple[Mark, ...]:
        """Return the marks of several choices, as far as there are any."""
        found = (self.mark(walk, choice) for choice in choices)
        return tuple(mark for mark in found if mark is not None)

    def kept(self, marks: Sequence[Mark]) -> tuple[Kept, ...]:
        """Return what is written down of marks, so that the index can be built again."""
        return tuple(self.near.written(mark.sketch) for mark in marks) if self.near is not None else ()


class Novelty:
    """What was kept: by earlier runs, by this one, and by other jobs.

    Args:
        marker: makes the marks of texts.
        own: what earlier runs of this job kept; added to.
        others: what other jobs kept, by the job's name.
    """

    def __init__(self, marker: Marker, own: Holdings, others: Mapping[str, Holdings]) -> None:
        self.marker, self._own, self._others = marker, own, others

    def held(self, mark: Mark) -> Held | None:
        """Return who holds the text, or one that is nearly the same; None if it is new."""
        if (found := self._own.find(mark)) is not None:
            return Held(_reason(found), found.index, _told(found))
        for job, holdings in self._others.items():
            if (found := holdings.find(mark)) is not None:
                return Held(_reason(found), None, ", ".join(filter(None, (f"{job}:{found.index}", _told(found)))))
        return None

    def twins(self, one: Mark, others: Iterable[Mark]) -> Held | None:
        """Say whether a text is a duplicate of one of these, which are not in the index yet; `of` says nothing."""
        for other in others:
            if one.fingerprint == other.fingerprint:
                return Held("exact", None)
            near = self.marker.near
            if near is not None and one.sketch is not None and other.sketch is not None:
                alike = near.alike(one.sketch, other.sketch)
                if alike is not None:
                    return Held("near", None, told(alike))
        return None

    def remember(self, index: int, marks: Iterable[Mark]) -> None:
        """Take note of what a decision keeps."""
        for mark in marks:
            self._own.add(index, mark)


def _reason(found: Found) -> Literal["exact", "near"]:
    return "exact" if found.similarity is None else "near"


def _told(found: Found) -> str:
    return "" if found.similarity is None else told(found.similarity)


def told(alike: float) -> str:
    """Return a similarity as it is told."""
    return f"similarity {alike:.2f}"


def _near(threshold: float | None) -> "Near | None":
    if threshold is None:
        return None
    from corpusmill.engine.near import Near  # noqa: PLC0415 - loads numpy: only a spec that asks for it waits for that

    return Near(threshold)
