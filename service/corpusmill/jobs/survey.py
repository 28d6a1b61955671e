"""What the lines of a corpus and of its rejects tell, read once, one by one.

Rule of this file: memory grows with the axes' values and the reasons, not with the lines.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from corpusmill.jobs.tallies import Frequent, Lengths
from corpusmill.space.values import name_of

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


class Texts:
    """Lengths and openings of the texts of one example."""

    def __init__(self) -> None:
        self.chars, self.words, self.openings = Lengths(), Lengths(), Frequent()
        self.count = 0

    def add(self, text: str) -> None:
        """Take one text; white space around it does not count."""
        words = text.split()
        self.count += 1
        self.chars.add(len(text.strip()))
        self.words.add(len(words))
        self.openings.add(" ".join(words[:OPENING_WORDS]))


class Survey:
    """Everything that is counted.

    Args:
        labels: of axes of documents: under which label an item counts.

    Attributes:
        kept, decided: (axis, name of the value) -> items.
        texts: by example.
        example_of: reason -> the first reject line with it.
        repeated: ids of kept items, by how many items repeat them.
    """

    def __init__(self, labels: Mapping[str, Label]) -> None:
        self._labels = labels
        self.kept: Counter[tuple[str, str]] = Counter()
        self.decided: Counter[tuple[str, str]] = Counter()
        self.texts: dict[str, Texts] = {}
        self.example_of: dict[str, RejectedLine] = {}
        self.repeated = Frequent()
        self._last_index = -1

    def add_kept(self, line: bytes) -> None:
        """Take a line of the corpus; the lines of one item stand together."""
        record = _decode_kept(line)
        self.texts.setdefault(record.example, Texts()).add(record.text)
        if record.index != self._last_index:
            self._last_index = record.index
            values = self._named(record.index, record.values)
            self.kept.update(values)
            self.decided.update(values)

    def add_rejected(self, line: bytes) -> None:
        """Take a line of the rejects."""
        record = _decode_rejected(line)
        self.example_of.setdefault(record.reason, record)
        self.decided.update(self._named(record.index, record.values))
        if record.reason == DUPLICATE:
            self.repeated.add(record.detail.partition(",")[0])

    def _named(self, index: int, values: dict[str, Any]) -> list[tuple[str, str]]:
        """Return what an item counts for on each axis."""
        labels = self._labels
        return [(axis, labels[axis](index) if axis in labels else name_of(value)) for axis, value in values.items()]


_decode_kept = msgspec.json.Decoder(KeptLine).decode
_decode_rejected = msgspec.json.Decoder(RejectedLine).decode
