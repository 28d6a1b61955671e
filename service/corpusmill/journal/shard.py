"""An open shard: lines that collect in a `.part` file until it is sealed.

Rule of this file: shards are derived from the journal, so lines need no sync before the seal; what is written is
written by position, so that a write that failed on a full disk is simply done again. A sync is never tried twice.
"""

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from corpusmill.journal.errors import BrokenDiskError
from corpusmill.journal.files import File, Files, write_all

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BUFFER_BYTES = 256 << 10
"""How many bytes of lines collect in memory before they go to the `.part` file."""

PART = ".part"

MOST_DIGITS = 20
"""Of a shard's number; nobody has so many."""

SEALED_LEVEL = 6
"""zstd level of a compressed shard: off the hot path, about a third smaller than the fastest level."""


def shard_name(number: int) -> str:
    """Return the name of a shard that is not compressed; a compressed one ends in `.zst` as well."""
    return f"{number:05d}.jsonl"


def shard_number(name: str) -> int:
    """Return the number of a shard, 0 for a name that no shard has."""
    stem = name.partition(".")[0]
    return int(stem) if stem.isascii() and stem.isdigit() and len(stem) < MOST_DIGITS else 0


class Sealed(msgspec.Struct, frozen=True):
    """A complete shard, as the manifest names it: records are lines; bytes and sha256 are the file's."""

    name: str
    records: int
    bytes: int
    sha256: str


class Shard:
    """One shard of a folder, open for lines.

    Args:
        files: the disk.
        folder: `corpus` or `rejects`.
        number: the shard's number, from 1.
        compress: how the sealed file is stored; a sealed `.zst` is one frame, which every reader reads.
    """

    def __init__(self, files: Files, folder: Path, number: int, compress: Literal["none", "zstd"]) -> None:
        self._files, self._folder, self._compress = files, folder, compress
        self.number = number
        self.records = 0
        self._name = shard_name(number)
        self._file: File | None = None
        self._offset = 0
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._digest = hashlib.sha256()
        self._sealed: Sealed | None = None

    def append(self, lines: Sequence[bytes]) -> None:
        """Take lines, each without its line end; nothing is written yet."""
        for line in lines:
            self._pending += (line, b"\n")
            self._pending_bytes += len(line) + 1
        self.records += len(lines)

    @property
    def size_bytes(self) -> int:
        """Bytes of all lines so far, written or not."""
        return self._offset + self._pending_bytes

    def flush(self, *, at_least: int = 1) -> None:
        """Write what collected, if that is `at_least` bytes; OSError leaves everything to be written again."""
        if self._pending_bytes < at_least:
            return
        if self._file is None:
            self._file = self._files.create(self._folder / (self._name + PART))
        chunk = b"".join(self._pending)
        self._offset = write_all(self._file, self._offset, chunk)
        self._digest.update(chunk)
        self._pending, self._pending_bytes = [], 0

    def seal(self) -> Sealed:
        """Make the shard durable under its final name, but for the sync of the folder, which is the caller's.

        Sealing again after an error goes on where it stopped.

        Raises:
            OSError: the disk is full; the shard can be sealed later.
            BrokenDiskError: the disk refused to sync it; it must be made again from the journal.
        """
        if self._sealed is None:
            self.flush(at_least=0)
            self._sealed = self._seal_compressed() if self._compress == "zstd" else self._seal_plain()
        return self._sealed

    def close(self) -> None:
        """Release the file, which stays as it is."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _seal_plain(self) -> Sealed:
        if self._file is not None:
            sync_once(self._file, self._name)
            self.close()
        self._files.rename(self._folder / (self._name + PART), self._folder / self._name)
        return Sealed(self._name, self.records, self._offset, self._digest.hexdigest())

    def _seal_compressed(self) -> Sealed:
        """Write the compressed copy beside the part file, then drop the part."""
        self.close()
        part = self._folder / (self._name + PART)
        frame = zstd.compress(self._files.read(part), level=SEALED_LEVEL)
        name = self._name + ".zst"
        write_durably(self._files, self._folder / name, frame)
        self._files.remove(part)
        return Sealed(name, self.records, len(frame), hashlib.sha256(frame).hexdigest())


def sync_once(file: File, name: str) -> None:
    """Sync a file whose content can be made again; a file that refused a sync is not to be trusted nor synced again."""
    try:
        file.sync()
    except OSError as error:
        raise BrokenDiskError(f"the disk refused to sync {name}: {error.strerror}") from error


def write_durably(files: Files, path: Path, content: bytes) -> None:
    """Put a file in place whole or not at all; the sync of the folder is the caller's."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        file = files.create(temporary)
    except FileExistsError:
        files.remove(temporary)
        file = files.create(temporary)
    try:
        write_all(file, 0, content)
        sync_once(file, path.name)
    finally:
        file.close()
    files.rename(temporary, path)
