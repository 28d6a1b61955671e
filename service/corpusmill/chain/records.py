"""Records: what an item contributes to the corpus, or its line among the rejects.

Rules of this file: the same item and outputs always give the same bytes, because shards are made again from the
journal. An id is unique in its job by construction and can be read: job:index:example, .place where an example has
several records, and :choice where a call gave several completions.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from corpusmill.chain.examples import MOST_CHARS, CompiledExample, Content, FormatError
from corpusmill.chain.filters import Rejection
from corpusmill.chain.step import Values
from corpusmill.space.item import Item
from corpusmill.space.values import encode_value, source_of
from corpusmill.spec.errors import RenderError
from corpusmill.spec.schema import JobSpec, Split

FORMAT = "format"
"""The reason of an item whose text does not fit the form of its examples."""

NO_EXAMPLE = "no_example"
"""The reason of an item that none of the examples takes."""


class RecordWriter:
    """Makes the corpus and reject lines of a job's items."""

    def __init__(self, spec: JobSpec) -> None:
        self._job, self._seed, self._split = spec.name, spec.seed, spec.split
        self._examples = tuple(CompiledExample(example, spec.seed) for example in spec.examples)
        self._fixed = len(self._examples) if all(example.gives_one for example in self._examples) else None

    def item_id(self, index: int) -> str:
        """Return the id of an item."""
        return f"{self._job}:{index}"

    def count(self, values: Values) -> int | Rejection:
        """Return how many records an item contributes, or why it contributes none.

        Args:
            values: what the chain's templates saw in the end: axis values and the outputs of all steps.

        Raises:
            RenderError: an example cannot be rendered with these values.
        """
        if self._fixed is not None:
            return self._fixed
        try:
            contents = self._contents(values)
        except FormatError as error:
            return Rejection(FORMAT, str(error))
        return len(contents) or Rejection(NO_EXAMPLE, "none of the examples takes it")

    def corpus_lines(self, item: Item, values: Values, choice: int | None = None) -> tuple[bytes, ...]:
        """Return the lines of an item's records, without line ends.

        Args:
            item: the item, which contributes some.
            values: as for `count`.
            choice: which of several choices of one completion this is, None where there is only one.

        Raises:
            RenderError: an example cannot be rendered with these values.
        """
        shared = _encode(item.values)
        side = {"split": split_side(self._split, self._seed, item)} if self._split is not None else {}
        suffix = "" if choice is None else f":{choice}"
        return tuple(
            _encode(
                {
                    "id": f"{self._job}:{item.index}:{content.place}{suffix}",
                    "index": item.index,
                    "example": content.example,
                    "values": msgspec.Raw(shared),
                    **content.fields,
                    **side,
                }
            )
            for content in self._contents(values)
        )

    def text(self, values: Values) -> str:
        """Return the texts of an item's records as one.

        Raises:
            RenderError: an example cannot be rendered with these values.
        """
        return "\n\n".join(text for content in self._contents(values) for text in content.texts())

    def reject_line(self, item: Item, reason: str, detail: str, outputs: Mapping[str, str]) -> bytes:
        """Return the line of an item that was not kept."""
        return _encode(
            {
                "id": self.item_id(item.index),
                "index": item.index,
                "values": item.values,
                "reason": reason,
                "detail": detail,
                "outputs": outputs,
            }
        )

    def _contents(self, values: Values) -> list[Content]:
        contents: list[Content] = []
        chars = 0
        for example in self._examples:
            found = example.contents(values)
            chars += sum(len(text) for content in found for text in content.texts())
            if chars > MOST_CHARS:
                raise RenderError(f"the records of one item are longer than {MOST_CHARS:,} characters")
            contents += found
        return contents


def split_side(split: Split, seed: int, item: Item) -> str:
    """Return `validation` or `train`: the same side for all items of a group, whenever and wherever it is asked."""
    group = str(item.index) if split.by == "item" else source_of(item.values[split.by])
    digest = hashlib.blake2b(group.encode(), digest_size=8, key=str(seed).encode(), person=b"split").digest()
    return "validation" if int.from_bytes(digest) < split.validation * 2**64 else "train"


_encode = msgspec.json.Encoder(enc_hook=encode_value).encode
