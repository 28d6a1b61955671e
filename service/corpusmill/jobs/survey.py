"""What the lines of a corpus and of its rejects tell, read once, one by one.

Rule of this file: memory grows with the axes' values and the reasons, not with the lines.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from corpusmill.jobs.pairs import PairTally
from corpusmill.jobs.tallies import Frequent, Lengths
from corpusmill.jobs.variety import TextSample
from corpusmill.space.values import name_of

SAMPLES = 3
"""Reject lines of each reason that are shown."""

OPENING_WORDS = 5
"""How many words of a text are its opening."""

DUPLICATE = "duplicate"
"""The reason of a reject line that repeats a kept item; its detail begins with that item's id."""


Label = Callable[[int], str]
"""Index of an item -> what it counts for."""


class Turn(msgspec.Struct, frozen=True):
    """One message of a record."""

    role: str
    content: str


class KeptLine(msgspec.Struct, frozen=True):
    """What is read of a line of the corpus."""

    id: str
    index: int
    example: str
    values: dict[str, Any]
    completion: str | None = None
    chosen: str | None = None
    messages: list[Turn] = []

    @property
    def text(self) -> str:
        """What a model would learn to say: the completion, what is preferred, or the assistant's messages."""
        if (text := self.completion or self.chosen) is not None:
            return text
        return "\n".join(turn.content for turn in self.messages if turn.role == "assistant")


class RejectedLine(msgspec.Struct, frozen=True):
    """What is read of a line of the rejects."""

    id: str
    index: int
    values: dict[str, Any]
    reason: str
    detail: str
    outputs: dict[str, str] = {}


class Texts:
    """Lengths, openings and variety of the texts of one example."""

    def __init__(self) -> None:
        self.chars, self.words, self.openings = Lengths(), Lengths(), Frequent()
        self.sample = TextSample()
        self.count = 0

    def add(self, name: str, text: str) -> None:
        """Take the text of a record; white space around it does not count."""
        self.sample.add(name, text)
        words = text.split()
        self.count += 1
        self.chars.add(len(text.strip()))
        self.words.add(len(words))
        self.openings.add(" ".join(words[:OPENING_WORDS]))


class Survey:
    """Everything that is counted.

    Args:
        labels: of axes of documents: under which label an item counts.
        pairs: counts by pairs of axes.

    Attributes:
        kept, decided: (axis, name of the value) -> items.
        texts: by example.
        examples_of: reason -> the first reject lines with it.
        repeated: ids of kept items, by how many items repeat them.
    """

    def __init__(self, labels: Mapping[str, Label], pairs: PairTally) -> None:
        self._labels, self.pairs = labels, pairs
        self.kept: Counter[tuple[str, str]] = Counter()
        self.decided: Counter[tuple[str, str]] = Counter()
        self.texts: dict[str, Texts] = {}
        self.examples_of: dict[str, list[RejectedLine]] = {}
        self.repeated = Frequent()
        self._last_index = -1

    def add_kept(self, line: bytes) -> None:
        """Take a line of the corpus; the lines of one item stand together."""
        record = _decode_kept(line)
        self.texts.setdefault(record.example, Texts()).add(record.id, record.text)
        if record.index != self._last_index:
            self._last_index = record.index
            values = self._named(record.index, record.values)
            self.kept.update(values.items())
            self.decided.update(values.items())
            self.pairs.add(values, kept=True)

    def add_rejected(self, line: bytes) -> None:
        """Take a line of the rejects."""
        record = _decode_rejected(line)
        if len(examples := self.examples_of.setdefault(record.reason, [])) < SAMPLES:
            examples.append(record)
        values = self._named(record.index, record.values)
        self.decided.update(values.items())
        self.pairs.add(values, kept=False)
        if record.reason == DUPLICATE:
            self.repeated.add(record.detail.partition(",")[0])

    def _named(self, index: int, values: dict[str, Any]) -> dict[str, str]:
        """Return what an item counts for on each axis."""
        labels = self._labels
        return {axis: labels[axis](index) if axis in labels else name_of(value) for axis, value in values.items()}


_decode_kept = msgspec.json.Decoder(KeptLine).decode
_decode_rejected = msgspec.json.Decoder(RejectedLine).decode
