"""The index of an axis of documents: where each lies, as a file of fixed-size entries that is mapped, not read.

    header | entries, 48 bytes each | names | footer, JSON | base, JSON

The header tells how many there are and a digest of entries, names and footer. The base, the folders in which the
documents lay, comes behind and is not part of it: a job may be moved with its documents.

Rule of this file: an index is whole and durable before it has its name, and a name is never given to another index.
"""

import mmap
import os
import struct
import tempfile
from bisect import bisect_right
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import msgspec

MAGIC = b"CMDOCS1\n"
_HEADER = struct.Struct("<8sQQQ16s16x")
_ENTRY = struct.Struct("<QQQQIIII")
_BUFFER_BYTES = 1 << 20


class DamagedIndexError(Exception):
    """An index cannot be used: which, and why."""


class Entry(NamedTuple):
    """Where a document lies.

    Attributes:
        first_piece: the number of its first chunk among all chunks of the axis.
        offset, length: of its bytes in its file.
        digest: of these bytes.
        label: where its name begins among the names; its row's number where it has none of its own.
        file, group: their numbers in the footer.
        label_length: bytes of its name; 0 where it has none of its own.
    """

    first_piece: int
    offset: int
    digest: int
    label: int
    length: int
    file: int
    group: int
    label_length: int


class Footer(msgspec.Struct, frozen=True):
    """What is known of the documents of an axis as a whole.

    Attributes:
        files: names of the files that rows lie in.
        columns: of each of these, where it has a header.
        groups: their names.
        group_pieces: how many chunks each has.
        documents, pieces, bytes: of those that are used; pieces are chunks, or the documents themselves.
        found: documents that were looked at.
        skipped: reason -> how many were not used.
    """

    files: list[str]
    columns: list[list[str]]
    groups: list[str]
    group_pieces: list[int]
    documents: int
    pieces: int
    bytes: int
    found: int
    skipped: dict[str, int]


def digest_of(raw: bytes) -> int:
    """Return 64 bits by which the bytes of a document are known again."""
    return int.from_bytes(blake2b(raw, digest_size=8).digest(), "little")


class IndexWriter:
    """Writes an index, entry by entry, in bounded memory.

    Args:
        path: the name it will have; its folder exists.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._part = path, path.with_name(path.name + ".part")
        self._file = self._part.open("wb", buffering=_BUFFER_BYTES)
        self._names = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115  closed by `close`
        self._hash, self._names_hash = blake2b(digest_size=16), blake2b(digest_size=16)
        self._count = self._names_bytes = 0
        self._file.write(bytes(_HEADER.size))

    def add(self, entry: Entry, name: str | None) -> None:
        """Add a document; `label` and `label_length` of its entry are set here if it has a name of its own."""
        if name is not None:
            label = name.encode()
            entry = entry._replace(label=self._names_bytes, label_length=len(label))
            self._names.write(label)
            self._names_hash.update(label)
            self._names_bytes += len(label)
        packed = _ENTRY.pack(*entry)
        self._hash.update(packed)
        self._file.write(packed)
        self._count += 1

    def finish(self, footer: Footer, base: dict[str, str]) -> str:
        """Give the index its name, durably, in place of one that had it; return its digest.

        Raises:
            OSError: it cannot be written.
        """
        told = msgspec.json.encode(footer)
        self._hash.update(self._names_hash.digest() + told)
        self._names.seek(0)
        while piece := self._names.read(_BUFFER_BYTES):
            self._file.write(piece)
        self._file.write(told + msgspec.json.encode(base))
        self._file.seek(0)
        self._file.write(_HEADER.pack(MAGIC, self._count, self._names_bytes, len(told), self._hash.digest()))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._part.rename(self._path)
        _sync_folder(self._path.parent)
        return self._hash.hexdigest()

    def close(self) -> None:
        """Release the files; an index that was not finished is removed."""
        self._file.close()
        self._names.close()
        self._part.unlink(missing_ok=True)


class Index:
    """An index, mapped into memory: what is not looked at costs nothing.

    Attributes:
        digest: of what it says.
        footer: the whole in figures.
        base: name of a root -> folder, where the documents lay.

    Raises:
        FileNotFoundError: there is none.
        DamagedIndexError: it is damaged.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < _HEADER.size:
                raise DamagedIndexError(f"{path}: too short to be an index of documents")
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        magic, self._count, names_bytes, footer_bytes, digest = _HEADER.unpack_from(self._map)
        self._names = _HEADER.size + self._count * _ENTRY.size
        footer = self._names + names_bytes
        end = footer + footer_bytes
        if magic != MAGIC or end > len(self._map) or self._digest(footer, end) != digest:
            raise DamagedIndexError(f"{path}: it is not what was written; put it back from a backup")
        self.digest: str = digest.hex()
        self.footer = msgspec.json.decode(self._map[footer:end], type=Footer)
        self.base = msgspec.json.decode(self._map[end:], type=dict[str, str])

    def entry(self, document: int) -> Entry:
        """Return where a document lies."""
        return Entry(*_ENTRY.unpack_from(self._map, _HEADER.size + document * _ENTRY.size))

    def document_of(self, piece: int) -> int:
        """Return which document a chunk is of."""
        if self.footer.pieces == self._count:
            return piece
        return bisect_right(range(self._count), piece, key=self._first_piece) - 1

    def name(self, entry: Entry) -> str:
        """Return what a document is called."""
        if not entry.label_length:
            return f"{self.footer.files[entry.file]}:{entry.label}"
        start = self._names + entry.label
        return self._map[start : start + entry.label_length].decode()

    def _first_piece(self, document: int) -> int:
        return self.entry(document).first_piece

    def _digest(self, footer: int, end: int) -> bytes:
        view = memoryview(self._map)
        try:
            names = blake2b(view[self._names : footer], digest_size=16).digest()
            whole = blake2b(view[_HEADER.size : self._names], digest_size=16)
            whole.update(names + bytes(view[footer:end]))
            return whole.digest()
        finally:
            view.release()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
