"""From what an item's steps gave to its one outcome, and from an outcome to its lines.

Rules of this file: pure. Live and replayed items go through the same functions, so a shard that is made again from the
journal has the same bytes as the first time.
"""

from corpusmill.chain.chain import Chain
from corpusmill.chain.filters import Rejection
from corpusmill.chain.filters.sample import is_sampled
from corpusmill.chain.records import RecordWriter
from corpusmill.chain.verdict import Verdict, rejected
from corpusmill.chain.walk import Walk
from corpusmill.engine.holdings import Mark
from corpusmill.engine.novelty import Held, Novelty, values_of
from corpusmill.journal.entry import Kept, Lines
from corpusmill.journal.records import Attempts, Decided

SURPLUS = "surplus"
"""The reason of an item that passed, when no more were wanted."""


def decide(
    walk: Walk, verdict: Verdict, attempts: Attempts, *, novelty: Novelty, records: RecordWriter
) -> tuple[Decided, tuple[Mark, ...]]:
    """Turn a verdict into the decision that is journaled, and return the marks of what it keeps.

    Args:
        walk: the item's way.
        verdict: how its chain ended.
        attempts: requests that no record accounts for.
        novelty: what was kept before.
        records: counts what a choice contributes.

    Raises:
        RenderError: a record cannot be rendered.
    """
    index = walk.item.index
    if verdict.outcome != "kept":
        return _not_kept(index, verdict, attempts), ()
    kept: list[int] = []
    marks: list[Mark] = []
    lines = 0
    held: Held | None = None
    unfit: Rejection | None = None
    for choice in verdict.choices:
        count = records.count(values_of(walk, choice))
        if isinstance(count, Rejection):
            unfit = unfit or count
            continue
        mark = novelty.marker.mark(walk, choice)
        found = (novelty.held(mark) or novelty.twins(mark, marks)) if mark is not None else None
        if found is None:
            kept.append(choice)
            lines += count
            marks += [mark] if mark is not None else []
        held = found or held
    if not kept and held is not None:
        faults = faults_of(index, verdict)
        return Decided(index, "duplicate", held.reason, held.detail, of=held.of, attempts=attempts, faults=faults), ()
    if not kept:
        return _not_kept(index, rejected(unfit), attempts), ()
    decided = Decided(
        index,
        "kept",
        attempts=attempts,
        records=lines,
        fingerprints=tuple(mark.fingerprint for mark in marks),
        choices=() if kept == [0] else tuple(kept),
        faults=faults_of(index, verdict),
    )
    return decided, tuple(marks)


def _not_kept(index: int, verdict: Verdict, attempts: Attempts) -> Decided:
    faults = faults_of(index, verdict)
    return Decided(index, verdict.outcome, verdict.reason, verdict.detail, attempts=attempts, faults=faults)


def faults_of(index: int, verdict: Verdict) -> tuple[str, ...] | None:
    """Return all that filters say of an item, if it is one of the sample that all of them judge."""
    if not is_sampled(index) or verdict.outcome == "failed" or verdict.reason == SURPLUS:
        return None
    return (verdict.reason, *verdict.also) if verdict.outcome == "rejected" else ()


class Liner:
    """Makes the lines of decisions."""

    def __init__(self, chain: Chain, records: RecordWriter) -> None:
        self.records, self._several = records, chain.steps[-1].choices > 1

    def lines(self, walk: Walk, decided: Decided, kept: tuple[Kept, ...] = ()) -> Lines:
        """Return what a decision contributes to the corpus or to the rejects.

        Args:
            walk: the item's way.
            decided: the decision.
            kept: what is written down of the texts it keeps.

        Raises:
            RenderError: an example cannot be rendered.
        """
        if decided.outcome == "kept":
            return Lines(corpus=self._corpus(walk, decided), kept=kept)
        outputs = {step: subjects[0].text for step, subjects in walk.answers.items()}
        reason, detail = decided.reason, decided.detail
        if decided.outcome == "duplicate":
            holder = (self.records.item_id(decided.of),) if decided.of is not None else ()
            reason, detail = "duplicate", ", ".join(filter(None, (*holder, detail)))
        return Lines(reject=self.records.reject_line(walk.item, reason, detail, outputs))

    def _corpus(self, walk: Walk, decided: Decided) -> tuple[bytes, ...]:
        lines: list[bytes] = []
        for choice in decided.choices or (0,):
            values = values_of(walk, choice)
            lines += self.records.corpus_lines(walk.item, values, choice if self._several else None)
        return tuple(lines)
