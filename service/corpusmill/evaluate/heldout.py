"""Whether the items of an evaluation are really held out.

Rule of this file: what was seen is known by what it says, not by its name. A document by its text, so that a copy under
another name has been seen too; a question by its words; and an item without documents by its combination of values,
whatever else the training job had axes for.
"""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from corpusmill.bootstrap.documents import open_documents
from corpusmill.chain.filters.grounding import folded
from corpusmill.evaluate.errors import EvaluationError
from corpusmill.evaluate.items import HeldOut, Items
from corpusmill.exports.record import Record, read_record
from corpusmill.jobs.snapshot import Snapshot, take_snapshot
from corpusmill.space.documents.axis import DocumentAxis

NAMED = 5
"""How many of what was seen are named."""


class Unseen:
    """What no model may have been trained on, by digests.

    Args:
        items: of the evaluation.
        documents: of the evaluation.

    Raises:
        SpecError, EvaluationError: an item cannot be read, or what is true of it is not told.
    """

    def __init__(self, items: Items, documents: dict[str, DocumentAxis]) -> None:
        self._documents = {digest: name for axis in documents.values() for digest, name in _texts(axis, None)}
        self._questions: dict[bytes, str] = {}
        self._cells: dict[bytes, str] = {}
        self._axes: list[str] = []
        for item in map(items.item, items.indexes()):
            self._questions[_digest(item.question)] = item.name
            if not documents:
                self._add_cell(item)

    def require_unseen(self, data: Path, job: str) -> None:
        """Refuse what stands on the training side of a job's corpus.

        Raises:
            EvaluationError: some of it does, by name.
            UnknownJobError, JobFolderError, CorruptionError: the job cannot be read.
        """
        snapshot = take_snapshot(data, job)
        names: dict[str, set[str]] = {axis: set() for axis in snapshot.spec.space.documents}
        items: dict[str, str] = {}
        for record in _trained(snapshot):
            values = msgspec.json.decode(record.values)
            for axis, of_axis in names.items():
                of_axis.add(values[axis])
            for found in self._found(record, values):
                items.setdefault(found, record.id)
        self._refuse(job, "documents", len(self._documents), self._known(snapshot, names))
        self._refuse(job, "items", len(self._cells) or len(self._questions), items)

    def _add_cell(self, item: HeldOut) -> None:
        values = msgspec.json.decode(item.cell)
        self._axes = sorted(values)
        self._cells[_cell(values, self._axes)] = item.name

    def _found(self, record: Record, values: dict[str, Any]) -> Iterator[str]:
        """Yield the names of the items that a record has seen."""
        if self._cells and values.keys() >= set(self._axes) and (cell := _cell(values, self._axes)) in self._cells:
            yield self._cells[cell]
        for question in _questions(record):
            if (digest := _digest(question)) in self._questions:
                yield self._questions[digest]

    def _known(self, snapshot: Snapshot, names: dict[str, set[str]]) -> dict[str, str]:
        """Return the held-out documents among those of these names; each with the name that it has there."""
        there = open_documents(snapshot.home, snapshot.spec) if self._documents else {}
        found = (each for axis, documents in there.items() for each in _texts(documents, names[axis]))
        return {self._documents[digest]: name for digest, name in found if digest in self._documents}

    @staticmethod
    def _refuse(job: str, what: str, of: int, seen: dict[str, str]) -> None:
        if seen:
            shown = ", ".join(f"{name} (there: {other})" for name, other in list(seen.items())[:NAMED])
            more = f", and {len(seen) - NAMED} more" if len(seen) > NAMED else ""
            raise EvaluationError(
                f"{len(seen)} of {of} held-out {what} were on the training side of job {job}: "
                f"{shown}{more}; a model that has seen them proves nothing"
            )


def _trained(snapshot: Snapshot) -> Iterator[Record]:
    records = (read_record(line) for line in snapshot.lines("corpus"))
    return (record for record in records if record.split != "validation")


def _questions(record: Record) -> list[str]:
    """Return what a record teaches to answer."""
    if record.messages is None:
        return [record.prompt]
    return [message.content for message in record.messages if message.role == "user"]


def _texts(axis: DocumentAxis, names: set[str] | None) -> Iterator[tuple[bytes, str]]:
    """Yield the digest and the name of each document, or of those of these names."""
    for number in range(len(axis)):
        document = axis[number]
        if names is None or document.name in names:
            yield _digest(document.full), document.source


def _cell(values: dict[str, Any], axes: list[str]) -> bytes:
    return blake2b(msgspec.json.encode([values[axis] for axis in axes]), digest_size=16).digest()


def _digest(text: str) -> bytes:
    return blake2b(folded(text).encode("utf-8", "surrogatepass"), digest_size=16).digest()
