"""The answers of one model, read from the job that asked for them.

Rule of this file: an item that no answer came to is an answer that says nothing. Left out, it would flatter a model
that fails where it is hard.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

from corpusmill.evaluate.items import HeldOut, Items
from corpusmill.evaluate.lists import agreement, grounded_of, is_formed, items_of, right_of, shape
from corpusmill.evaluate.spec import EvaluationSpec
from corpusmill.exports.record import read_record


class Answer(msgspec.Struct, frozen=True):
    """One answer, counted.

    Attributes:
        index, choice: the item's place in the job, and which completion of its call it is.
        item: what was asked; draws of one item have it in common.
        cluster: what it is about.
        text: "" where there was none.
        items: what it lists.
        told, right, named, grounded: items listed, true among these, true in all, and standing in the source.
        formed: whether it has the form asked for.
    """

    index: int
    choice: int
    item: str
    cluster: str
    text: str
    items: list[str]
    right: int
    named: int
    grounded: int
    formed: bool

    @property
    def told(self) -> int:
        """How many items it lists."""
        return len(self.items)

    @property
    def given(self) -> bool:
        """Whether the model said anything."""
        return bool(self.text.strip())


class Draws(msgspec.Struct, frozen=True):
    """How alike the draws of one item are: sums over its pairs of draws.

    Attributes:
        length_spread: differences of lengths, each relative to the longer one.
    """

    cluster: str
    pairs: int
    agreement: float
    same_shape: int
    length_spread: float


def read_answers(lines: Iterable[bytes], items: Items, spec: EvaluationSpec, calls_choices: int) -> list[Answer]:
    """Return the answers of a model to all items, counted; where there are none, as many that say nothing.

    Args:
        lines: of the corpus of the job that asked it.
        items: of the evaluation.
        spec: the evaluation's.
        calls_choices: how many completions a call asks for.
    """
    texts: dict[int, list[str]] = {}
    for line in lines:
        record = read_record(line)
        texts.setdefault(record.index, []).append(record.completion)
    # A server that knows no `n` gives one completion a call: its silence weighs as much as its answers.
    each = max(map(len, texts.values()), default=calls_choices)
    return [
        counted(item, choice, text, spec)
        for item in map(items.item, items.indexes())
        for choice, text in enumerate(texts.get(item.index) or [""] * each)
    ]


def counted(item: HeldOut, choice: int, text: str, spec: EvaluationSpec) -> Answer:
    """Return an answer to an item, counted."""
    told = items_of(text, spec.none)
    return Answer(
        index=item.index,
        choice=choice,
        item=item.name,
        cluster=item.cluster,
        text=text,
        items=told,
        right=right_of(told, item.named, float(spec.match)),
        named=len(item.named),
        grounded=grounded_of(told, item.source) if spec.source else 0,
        formed=is_formed(text, spec.form, spec.none),
    )


def unanswered(answers: Iterable[Answer]) -> set[int]:
    """Return the indexes of the items that no draw has an answer to."""
    given = Counter[int]()
    for answer in answers:
        given[answer.index] += answer.given
    return {index for index, count in given.items() if not count}


def draws_of(answers: Iterable[Answer]) -> list[Draws]:
    """Return how alike the draws of each item are; items with one draw, and draws without an answer, say nothing."""
    by_item: dict[str, list[Answer]] = {}
    for answer in filter(lambda each: each.given, answers):
        by_item.setdefault(answer.item, []).append(answer)
    return [_compared(group) for group in by_item.values() if len(group) > 1]


def _compared(group: list[Answer]) -> Draws:
    pairs = [(one, other) for place, one in enumerate(group) for other in group[place + 1 :]]
    return Draws(
        cluster=group[0].cluster,
        pairs=len(pairs),
        agreement=sum(agreement(one.items, other.items) for one, other in pairs),
        same_shape=sum(shape(one.text) == shape(other.text) for one, other in pairs),
        length_spread=sum(_apart(len(one.text), len(other.text)) for one, other in pairs),
    )


def _apart(one: int, other: int) -> float:
    return abs(one - other) / max(one, other, 1)
