"""Records: what an item contributes to the corpus, or its line among the rejects.

Rules of this file: the same item and outputs always give the same bytes, because shards are made again from the
journal. An id is unique in its job by construction and can be read: job:index:example, and :choice where a call gave
several.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from corpusmill.chain.step import Values
from corpusmill.space.item import Item
from corpusmill.space.values import encode_value, source_of
from corpusmill.spec.schema import Example, JobSpec, Split
from corpusmill.spec.template import Template, compile_template


class _CompiledExample(msgspec.Struct, frozen=True):
    name: str
    prompt: Template | None
    completion: Template | None
    messages: tuple[tuple[str, Template], ...]


class RecordWriter:
    """Makes the corpus and reject lines of a job's items."""

    def __init__(self, spec: JobSpec) -> None:
        self._job, self._seed, self._split = spec.name, spec.seed, spec.split
        self._examples = tuple(_compile_example(example) for example in spec.examples)
        self.records_per_choice = len(self._examples)

    def item_id(self, index: int) -> str:
        """Return the id of an item."""
        return f"{self._job}:{index}"

    def corpus_lines(self, item: Item, values: Values, choice: int | None = None) -> tuple[bytes, ...]:
        """Return one line per example, without line ends.

        Args:
            item: the item.
            values: what the chain's templates saw in the end: axis values and the outputs of all steps.
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
                    "id": f"{self._job}:{item.index}:{example.name}{suffix}",
                    "index": item.index,
                    "example": example.name,
                    "values": msgspec.Raw(shared),
                    **_content(example, values),
                    **side,
                }
            )
            for example in self._examples
        )

    def text(self, values: Values) -> str:
        """Return the texts of an item's records as one.

        Raises:
            RenderError: an example cannot be rendered with these values.
        """
        texts: list[str] = []
        for example in self._examples:
            content = _content(example, values)
            texts += [each["content"] for each in content.get("messages", ())]
            texts += [content[part] for part in ("prompt", "completion") if part in content]
        return "\n\n".join(texts)

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


def split_side(split: Split, seed: int, item: Item) -> str:
    """Return `validation` or `train`: the same side for all items of a group, whenever and wherever it is asked."""
    group = str(item.index) if split.by == "item" else source_of(item.values[split.by])
    digest = hashlib.blake2b(group.encode(), digest_size=8, key=str(seed).encode(), person=b"split").digest()
    return "validation" if int.from_bytes(digest) < split.validation * 2**64 else "train"


def _content(example: _CompiledExample, values: Values) -> dict[str, Any]:
    if example.messages:
        return {"messages": [{"role": role, "content": text.render(values)} for role, text in example.messages]}
    prompt = example.prompt.render(values) if example.prompt is not None else ""
    completion = example.completion.render(values) if example.completion is not None else ""
    return {"prompt": prompt, "completion": completion}


def _compile_example(example: Example) -> _CompiledExample:
    return _CompiledExample(
        name=example.name,
        prompt=compile_template(example.prompt) if example.prompt is not None else None,
        completion=compile_template(example.completion) if example.completion is not None else None,
        messages=tuple((message.role, compile_template(message.content)) for message in example.messages or ()),
    )


_encode = msgspec.json.Encoder(enc_hook=encode_value).encode
