"""The held-out items: what is asked about each, and what is true of it.

Rule of this file: an item says the same to every model, so it is read from the space, and from nobody's answers. What
is true can be told anew without asking anybody again.
"""

from collections.abc import Iterator
from itertools import islice

import msgspec

from corpusmill.bootstrap.assembly import space_of
from corpusmill.chain.chain import Chain
from corpusmill.evaluate.errors import EvaluationError
from corpusmill.evaluate.lists import different
from corpusmill.evaluate.spec import EvaluationSpec, job_of
from corpusmill.space.item import Item
from corpusmill.space.space import NO_DOCUMENTS
from corpusmill.space.tree import DocumentValues
from corpusmill.space.values import encode_value, name_of
from corpusmill.spec.errors import DocumentError, RenderError, SpecError
from corpusmill.spec.template import Reference, compile_expression, compile_template
from corpusmill.spec.wording import kind_of

MOST_ITEMS = 100_000
"""An evaluation's answers are held in memory."""

_encode = msgspec.json.Encoder(enc_hook=encode_value).encode


class HeldOut(msgspec.Struct, frozen=True):
    """One item, asked once or several times.

    Attributes:
        index: its place in the jobs that ask.
        draw: how often its combination came before, from 0.
        name: tells its combination from others, for people too; draws of one have it in common.
        cell: the JSON of its values, by axis.
        cluster: what it is about.
        named: what is true of it, each once.
        source: the text in which it stands, "" where there is none.
        question: what each model is asked.
        criteria: what the judge is told, "" where there is none.
    """

    index: int
    draw: int
    name: str
    cell: bytes
    cluster: str
    named: list[str]
    source: str
    question: str
    criteria: str


class Items:
    """The items of an evaluation.

    Args:
        spec: checked.
        documents: those of each axis of documents.
    """

    def __init__(self, spec: EvaluationSpec, documents: dict[str, DocumentValues] | None = None) -> None:
        self._spec, job = spec, job_of(spec, "any", "any")
        self._space, self._chain = space_of(job, documents or NO_DOCUMENTS), Chain(job)
        self._reference = compile_expression(spec.reference)
        self._criteria = compile_template(spec.judge.criteria) if spec.judge is not None else None

    def indexes(self) -> Iterator[int]:
        """Yield the indexes of the items that the jobs have.

        Raises:
            EvaluationError: there are too many.
        """
        every = (index for index in range(self._space.size) if self._space.keeps(self._space.item(index)))
        for count, index in enumerate(islice(every, self._spec.space.limit)):
            if count == MOST_ITEMS:
                raise EvaluationError(
                    f"space: more than {MOST_ITEMS:,} items; take a sample of them with `space.limit`"
                )
            yield index

    def item(self, index: int) -> HeldOut:
        """Return an item.

        Raises:
            SpecError: what is true of it is not told.
            EvaluationError: its document is not what it was.
        """
        found = self._space.item(index)
        values = self._chain.values(found)
        try:
            return HeldOut(
                index=index,
                draw=found.draw,
                name=", ".join(f"{axis}={name_of(value)}" for axis, value in found.values.items()),
                cell=_encode(found.values),
                cluster=name_of(found.values[self._spec.cluster]),
                named=self._named(found),
                source=self._source(found),
                question=self._chain.prompt(self._chain.steps[0], values, 0).text,
                criteria=self._criteria.render(values) if self._criteria is not None else "",
            )
        except DocumentError as error:
            raise EvaluationError(str(error)) from None
        except RenderError as error:
            raise SpecError("", f"item {index}: {error}") from None

    def _named(self, item: Item) -> list[str]:
        try:
            true = self._reference.evaluate(self._chain.values(item))
        except DocumentError:
            raise
        except RenderError as error:
            raise SpecError("reference", f"item {item.index}: {error}") from None
        if not isinstance(true, list | tuple):
            raise SpecError("reference", f"item {item.index}: expected a list of texts, got {kind_of(true)}")
        for each in true:
            if not isinstance(each, str):
                raise SpecError("reference", f"item {item.index}: expected a list of texts, one is {kind_of(each)}")
        return different(list(true))

    def _source(self, item: Item) -> str:
        if self._spec.source is None:
            return ""
        value = item.values[self._spec.source]
        return value.text() if isinstance(value, Reference) else name_of(value)
