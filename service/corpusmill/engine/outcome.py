"""From what an item's steps gave to its one outcome, and from an outcome to its lines.

Rules of this file: pure. Live and replayed items go through the same functions, so a shard that is made again from the
journal has the same bytes as the first time.
"""

from collections.abc import Mapping, Sequence

from corpusmill.chain.chain import Chain
from corpusmill.chain.filters import Subject
from corpusmill.chain.records import RecordWriter
from corpusmill.chain.verdict import Verdict
from corpusmill.chain.walk import Walk
from corpusmill.dedup.exact import ExactIndex
from corpusmill.dedup.fingerprint import fingerprint
from corpusmill.journal.entry import Lines
from corpusmill.journal.records import Attempts, Decided

Answers = Mapping[str, Sequence[Subject]]
"""By step name, what the step gave in the end."""


class Novelty:
    """Remembers what was kept, for `dedup`; with no dedup in the spec everything is new."""

    def __init__(self, step: str | None) -> None:
        self._step = step
        self.index = ExactIndex()

    def fingerprint(self, answers: Answers, choice: int) -> int | None:
        """Return the fingerprint of what `dedup` compares, None where nothing is compared."""
        if self._step is None:
            return None
        choices = answers[self._step]
        return fingerprint(choices[choice if choice < len(choices) else 0].text)

    def remember(self, decided: Decided) -> None:
        """Take note of what a decision keeps."""
        for mark in decided.fingerprints:
            self.index.add(mark, decided.index)


def decide(
    index: int, verdict: Verdict, answers: Answers, attempts: Attempts, *, novelty: Novelty, examples: int
) -> Decided:
    """Turn a verdict into the decision that is journaled.

    Args:
        index: the item.
        verdict: how its chain ended.
        answers: what its steps gave.
        attempts: requests that no record accounts for.
        novelty: what was kept before.
        examples: records that one kept choice contributes.
    """
    if verdict.outcome != "kept":
        return Decided(index, verdict.outcome, verdict.reason, verdict.detail, attempts=attempts)
    kept: list[int] = []
    marks: list[int] = []
    holder: int | None = None
    for choice in verdict.choices:
        mark = novelty.fingerprint(answers, choice)
        if mark is None:
            kept.append(choice)
            continue
        held = index if mark in marks else novelty.index.holder(mark)
        if held is None:
            kept.append(choice)
            marks.append(mark)
        else:
            holder = held
    if not kept:
        return Decided(index, "duplicate", "exact", of=holder, attempts=attempts)
    return Decided(
        index,
        "kept",
        attempts=attempts,
        records=examples * len(kept),
        fingerprints=tuple(marks),
        choices=() if kept == [0] else tuple(kept),
    )


class Liner:
    """Makes the lines of decisions."""

    def __init__(self, chain: Chain, records: RecordWriter) -> None:
        self._records, self._last = records, chain.steps[-1]

    def lines(self, walk: Walk, decided: Decided) -> Lines:
        """Return what a decision contributes to the corpus or to the rejects.

        Raises:
            RenderError: an example cannot be rendered.
        """
        if decided.outcome == "kept":
            return Lines(corpus=self._corpus(walk, decided))
        outputs = {step: subjects[0].text for step, subjects in walk.answers.items()}
        reason, detail = decided.reason, decided.detail
        if decided.outcome == "duplicate":
            reason, detail = "duplicate", self._records.item_id(decided.of or 0)
        return Lines(reject=self._records.reject_line(walk.item, reason, detail, outputs))

    def _corpus(self, walk: Walk, decided: Decided) -> tuple[bytes, ...]:
        last = self._last.name
        several = self._last.choices > 1
        lines: list[bytes] = []
        for choice in decided.choices or (0,):
            values = {**walk.values, last: walk.answers[last][choice].output}
            lines += self._records.corpus_lines(walk.item, values, choice if several else None)
        return tuple(lines)
