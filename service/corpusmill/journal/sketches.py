"""What is kept of texts to compare later ones with, row by row: one file a commit, read by position while it grows.

Rules of this file: derived, like shards, so it needs no sync before the seal. A row is the index of the item that holds
the text, and bytes that mean nothing to the journal. One thread writes; any may read rows below `readable`.
"""

import hashlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path

from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.files import File, Files, write_all
from corpusmill.journal.manifest import StateFile
from corpusmill.journal.shard import sync_once

UNIT_BYTES = 4
"""Rows are measured in these, so that 4 bytes of memory say where a row of a file of 16 GiB ends."""

HOLDER_UNITS = 2
"""Units of the index that a row begins with."""

FILE_BYTES = 1 << 30
"""About the most that one file holds: then a commit is due."""


class Sketches:
    """The rows of a job.

    Args:
        files: the disk.
        folder: the folder of sidecars.
        number: of the commit that will hold the rows that are appended.

    Attributes:
        readable: how many rows can be read.
    """

    def __init__(self, files: Files, folder: Path, number: int) -> None:
        self._files, self._folder, self._number = files, folder, number
        self._names: list[str] = []
        self._firsts: list[int] = []
        self._ends: list[array[int]] = []
        self.readable = 0
        self._file: File | None = None
        self._offset = 0
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._digest = hashlib.sha256()
        self._sealed: StateFile | None = None

    @property
    def size_bytes(self) -> int:
        """Bytes of the rows since the last commit."""
        return self._offset + self._pending_bytes

    def restore(self, name: str, sizes: Iterable[int]) -> None:
        """Take note of a committed file, given how many units each of its rows has behind the index."""
        self._begin(name)
        self._extend(size + HOLDER_UNITS for size in sizes)

    def append(self, index: int, row: bytes) -> None:
        """Take the row of a text that item `index` holds; nothing is written yet."""
        line = index.to_bytes(HOLDER_UNITS * UNIT_BYTES, "little") + row
        self._pending.append(line)
        self._pending_bytes += len(line)

    def flush(self, *, at_least: int = 1) -> None:
        """Write what collected, if that is `at_least` bytes; OSError leaves everything to be written again."""
        if self._pending_bytes < at_least:
            return
        if self._file is None:
            name = f"{self._number:08d}.near"
            self._file = self._files.create(self._folder / name)
            self._begin(name)
        chunk = b"".join(self._pending)
        self._offset = write_all(self._file, self._offset, chunk)
        self._digest.update(chunk)
        self._extend(len(line) // UNIT_BYTES for line in self._pending)
        self._pending, self._pending_bytes = [], 0

    def seal(self) -> StateFile | None:
        """Make the file durable, but for the sync of the folder, and return it; None if it has no rows.

        Sealing again after an error goes on where it stopped; BrokenDiskError if the disk refused the sync.
        """
        if self._sealed is None:
            self.flush()
            if self._file is not None:
                sync_once(self._file, self._names[-1])
                self.close()
                self._sealed = StateFile(self._names[-1], self._offset, self._digest.hexdigest())
        return self._sealed

    def committed(self) -> None:
        """Begin the file of the next commit."""
        self._number += 1
        self._offset, self._digest, self._sealed = 0, hashlib.sha256(), None

    def read(self, row: int) -> tuple[int, bytes]:
        """Return the index of the item that holds a row, and the row.

        Raises:
            CorruptionError: the file is shorter than it was.
        """
        number = bisect_right(self._firsts, row) - 1
        ends, place = self._ends[number], row - self._firsts[number]
        begin = ends[place - 1] * UNIT_BYTES if place else 0
        size = ends[place] * UNIT_BYTES - begin
        line = self._files.read_at(self._folder / self._names[number], begin, size)
        if len(line) < size:
            raise CorruptionError(f"state file {self._names[number]} is cut off; run `corpusmill fsck`")
        held = HOLDER_UNITS * UNIT_BYTES
        return int.from_bytes(line[:held], "little"), line[held:]

    def close(self) -> None:
        """Release the file, which stays as it is."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _begin(self, name: str) -> None:
        self._names.append(name)
        self._ends.append(array("I"))
        self._firsts.append(self.readable)

    def _extend(self, sizes: Iterable[int]) -> None:
        """Make rows readable that are in the last file by now."""
        ends = self._ends[-1]
        end = ends[-1] if ends else 0
        for size in sizes:
            end += size
            ends.append(end)
        self.readable = self._firsts[-1] + len(ends)
