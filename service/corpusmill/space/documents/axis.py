"""An axis of documents: a number gives a reference, and a reference reads its text when a template asks for it.

Rules of this file: choosing and naming a document reads the index only. Its bytes are known again by their digest, so
that an item never means another text than it did when the job was begun. A few texts are kept, by a bound.
"""

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from corpusmill.space.documents.faults import FaultError
from corpusmill.space.documents.index import Entry, Index, digest_of
from corpusmill.space.documents.places import Base, Place, opened
from corpusmill.space.documents.preparation import Preparation
from corpusmill.space.documents.scan import rows_path
from corpusmill.spec.errors import DocumentError
from corpusmill.spec.schema import Documents
from corpusmill.spec.template import Reference
from corpusmill.text.cut import Span, truncated

KEPT_BYTES = 16 * 2**20
"""Documents that are kept at once, by their size in their files: chunks of one book find it there."""

MOST_NAMED = 1_000
"""Documents that a report tells apart by name; more are told by group, or together."""

TOGETHER = "(all documents)"


class _Loaded(NamedTuple):
    text: str
    fields: dict[str, Any]
    spans: Sequence[Span]
    size: int


class Document(Reference):
    """A document, or one chunk of it."""

    __slots__ = ("_axis", "_document", "_entry", "_piece")

    def __init__(self, axis: "DocumentAxis", document: int, piece: int) -> None:
        self._axis, self._document, self._piece = axis, document, piece
        self._entry = axis.index.entry(document)

    @property
    def source(self) -> str:
        """The document's name, whatever chunk of it this is."""
        return self._axis.index.name(self._entry)

    @property
    def name(self) -> str:
        """The document's name, with the chunk's number where it is cut."""
        return f"{self.source}#{self._chunk + 1}" if self._axis.cut else self.source

    @property
    def label(self) -> str:
        """What a report counts it under."""
        footer = self._axis.index.footer
        if self._axis.grouped:
            return self.group
        return self.source if footer.documents <= MOST_NAMED else TOGETHER

    def text(self) -> str:
        """Return the text of the chunk, or the document's, truncated as the spec says."""
        loaded = self._load()
        if self._axis.cut:
            return _chunk(loaded, self._chunk)
        truncate = self._axis.spec.truncate
        return loaded.text if truncate is None else truncated(loaded.text, truncate.chars, truncate.marker)

    def attribute(self, name: str, missing: object) -> object:
        """Return what a template reads with a dot."""
        read = _ATTRIBUTES.get(name)
        return missing if read is None else read(self)

    @property
    def group(self) -> str:
        """The document's group, "" where there are none."""
        return self._axis.index.footer.groups[self._entry.group]

    @property
    def full(self) -> str:
        """The whole cleaned text."""
        return self._load().text

    @property
    def fields(self) -> dict[str, Any]:
        """The other columns of the document's row."""
        return self._load().fields

    @property
    def chunk(self) -> int:
        """The number of the chunk within the document, from 1."""
        return self._chunk + 1

    @property
    def chunks(self) -> list[str]:
        """The texts of all chunks of the document."""
        loaded = self._load()
        return [loaded.text[start:end] for start, end in loaded.spans]

    @property
    def previous(self) -> str:
        """The text of the chunk before, "" for the first."""
        return _chunk(self._load(), self._chunk - 1)

    @property
    def next(self) -> str:
        """The text of the chunk behind, "" for the last."""
        return _chunk(self._load(), self._chunk + 1)

    @property
    def _chunk(self) -> int:
        """The number of the chunk within the document, from 0."""
        return self._piece - self._entry.first_piece

    def _load(self) -> _Loaded:
        return self._axis.load(self._document, self._entry)


_ATTRIBUTES: Mapping[str, Callable[[Document], object]] = {
    "name": lambda document: document.source,
    "group": lambda document: document.group,
    "full": lambda document: document.full,
    "fields": lambda document: document.fields,
    "chunk": lambda document: document.chunk,
    "chunks": lambda document: document.chunks,
    "previous": lambda document: document.previous,
    "next": lambda document: document.next,
}


class DocumentAxis:
    """The documents of one axis, or their chunks, by number.

    Args:
        name: of the axis.
        spec: its source.
        path: of its index.
        base: where its files are looked for; by default where they lay when the index was made.
        length: how many there are taken to be, where only a part of them was looked at.

    Raises:
        FileNotFoundError: there is no index.
        DamagedIndexError: the index is damaged.
    """

    def __init__(
        self, name: str, spec: Documents, path: Path, base: Base | None = None, length: int | None = None
    ) -> None:
        self.name, self.spec, self.index = name, spec, Index(path)
        self.cut, self.grouped = spec.chunk is not None, spec.group is not None
        self._base = base or Base({root: Path(folder) for root, folder in self.index.base.items()})
        self._rows = rows_path(path)
        self._preparation = Preparation(spec)
        self._length = length or self.index.footer.pieces
        self._kept: OrderedDict[int, _Loaded] = OrderedDict()
        self._kept_bytes = 0

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, number: int) -> Document:
        if not 0 <= number < self._length:
            raise IndexError(number)
        piece = number % self.index.footer.pieces
        return Document(self, self.index.document_of(piece), piece)

    def weights(self) -> dict[str, int]:
        """Return how many chunks, or documents, a report counts under each label."""
        footer = self.index.footer
        if self.grouped:
            return {name: pieces for name, pieces in zip(footer.groups, footer.group_pieces, strict=True) if pieces}
        if footer.documents > MOST_NAMED:
            return {TOGETHER: self._length}
        counts: dict[str, int] = {}
        for number in range(footer.pieces):
            source = self[number].source
            counts[source] = counts.get(source, 0) + 1
        return counts

    def load(self, document: int, entry: Entry) -> _Loaded:
        """Return what a document says.

        Raises:
            DocumentError: it is gone, or has changed.
        """
        kept = self._kept.get(document)
        if kept is not None:
            self._kept.move_to_end(document)
            return kept
        loaded = self._read(entry)
        self._kept[document] = loaded
        self._kept_bytes += loaded.size
        while self._kept_bytes > KEPT_BYTES:
            _, dropped = self._kept.popitem(last=False)
            self._kept_bytes -= dropped.size
        return loaded

    def _read(self, entry: Entry) -> _Loaded:
        name = self.index.name(entry)
        try:
            raw = self._bytes(entry, name)
            if digest_of(raw) != entry.digest:
                raise FaultError("changed", "it is not what it was when the job was begun")
            columns = self.index.footer.columns[entry.file] if self.spec.kind != "files" else ()
            content = self._preparation.content(raw, columns)
        except FaultError as fault:
            raise DocumentError(f"{self.name} {name}: {fault.reason}: {fault.detail}") from None
        spans = self._preparation.spans(content.text) if self.cut else ()
        return _Loaded(content.text, content.fields, spans, len(raw))

    def _bytes(self, entry: Entry, name: str) -> bytes:
        descriptor = opened(self._place(entry, name))
        try:
            # One byte more than it had shows that a file has grown; what stands behind a row is another row.
            return os.pread(descriptor, entry.length + (self.spec.kind == "files"), entry.offset)
        except OSError as error:
            raise FaultError("unreadable", str(error.strerror)) from None
        finally:
            os.close(descriptor)

    def _place(self, entry: Entry, name: str) -> Place:
        if self.spec.kind == "parquet":
            return Place(self._rows.name, self._rows, self._rows.parent)
        return self._base.place(name if self.spec.kind == "files" else self.index.footer.files[entry.file])


def _chunk(loaded: _Loaded, number: int) -> str:
    if not 0 <= number < len(loaded.spans):
        return ""
    start, end = loaded.spans[number]
    return loaded.text[start:end]
