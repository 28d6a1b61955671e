"""From what an item's steps gave to its one outcome, and from an outcome to its lines.

Rules of this file: pure. Live and replayed items go through the same functions, so a shard that is made again from the
journal has the same bytes as the first time.
"""

from collections.abc import Mapping, Sequence

import msgspec

from corpusmill.chain.chain import Chain, CompiledStep
from corpusmill.chain.completion import Choice
from corpusmill.chain.records import RecordWriter
from corpusmill.dedup.exact import ExactIndex
from corpusmill.dedup.fingerprint import fingerprint
from corpusmill.journal.entry import Lines
from corpusmill.journal.records import Attempts, Decided, Outcome
from corpusmill.space.item import Item

Answers = Mapping[str, Sequence[Choice]]
"""By step name, the choices of the last completion of that step, trimmed."""


class Verdict(msgspec.Struct, frozen=True):
    """How an item's chain ended.

    Attributes:
        outcome: `kept` while nothing is known against it, else `rejected` or `failed`.
        reason, detail: why, unless kept.
        choices: which choices of the last step pass its filters.
    """

    outcome: Outcome
    reason: str = ""
    detail: str = ""
    choices: tuple[int, ...] = (0,)


def judged(chain: Chain, step: CompiledStep, choices: Sequence[Choice]) -> Verdict:
    """Judge the choices of one completion: those that pass are kept; if none does, the first one's fault counts."""
    rejections = [chain.judge(step, choice) for choice in choices]
    passing = tuple(place for place, rejection in enumerate(rejections) if rejection is None)
    if passing:
        return Verdict("kept", choices=passing)
    first = rejections[0]
    return Verdict("rejected", first.reason, first.detail) if first else Verdict("failed", "empty_choice")


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
        self._chain, self._records = chain, records
        self._last = chain.steps[-1]

    def lines(self, item: Item, decided: Decided, answers: Answers) -> Lines:
        """Return what a decision contributes to the corpus or to the rejects.

        Raises:
            RenderError: an example cannot be rendered.
        """
        if decided.outcome == "kept":
            return Lines(corpus=self._corpus(item, decided, answers))
        outputs = {step: choices[0].text for step, choices in answers.items()}
        reason, detail = decided.reason, decided.detail
        if decided.outcome == "duplicate":
            reason, detail = "duplicate", self._records.item_id(decided.of or 0)
        return Lines(reject=self._records.reject_line(item, reason, detail, outputs))

    def _corpus(self, item: Item, decided: Decided, answers: Answers) -> tuple[bytes, ...]:
        values = self._chain.values(item)
        for step in self._chain.steps[:-1]:
            values[step.name] = answers[step.name][0].text
        several = self._last.choices > 1
        lines: list[bytes] = []
        for choice in decided.choices or (0,):
            values[self._last.name] = answers[self._last.name][choice].text
            lines += self._records.corpus_lines(item, values, choice if several else None)
        return tuple(lines)
