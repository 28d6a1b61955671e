"""The answers of one model, read from the job that asked for them."""

from collections.abc import Iterable

import msgspec

from corpusmill.evaluate.lists import agreement, different, grounded_of, is_formed, items_of, right_of, shape
from corpusmill.evaluate.spec import EvaluationSpec
from corpusmill.exports.record import Record


class Answer(msgspec.Struct, frozen=True):
    """One answer, counted.

    Attributes:
        item: what was asked; draws of one item have it in common.
        cluster: what it is about.
        told, right, named, grounded: items listed, true among these, true in all, and standing in the source.
        formed: whether it has the form asked for.
    """

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


def read_answer(record: Record, spec: EvaluationSpec) -> Answer:
    """Return one answer, counted; msgspec.ValidationError where the reference is no list."""
    true, source, cluster = msgspec.json.decode(record.prompt, type=tuple[list[str], str, str])
    named = different(true)
    items = items_of(record.completion, spec.none)
    return Answer(
        item=bytes(record.values).decode(),
        cluster=cluster,
        text=record.completion,
        items=items,
        right=right_of(items, named, float(spec.match)),
        named=len(named),
        grounded=grounded_of(items, source) if spec.source else 0,
        formed=is_formed(record.completion, spec.form, spec.none),
    )


def draws_of(answers: Iterable[Answer]) -> list[Draws]:
    """Return how alike the draws of each item are; items with one draw say nothing."""
    by_item: dict[str, list[Answer]] = {}
    for answer in answers:
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
