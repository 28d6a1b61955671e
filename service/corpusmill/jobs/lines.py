"""The lines of a job's corpus or rejects, in their order, while more are being written.

Rules of this file: only whole lines are given, each once, sealed or not. A place is told by shard and byte, not by an
open file: an open shard may be sealed, or made again, at any time, and has the same bytes then. Blocking.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from corpusmill.journal.shard import PART

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FIRST_BYTES = 32 << 10
"""What is read at first: mostly a page is not longer."""

CHUNK_BYTES = 256 << 10
"""About what is read at once after that; a longer line is read whole."""


class Spot(msgspec.Struct, frozen=True):
    """A place between two lines: the number of the shard, and bytes of its lines, not compressed."""

    shard: int = 1
    offset: int = 0


BEGINNING = Spot()


class LineReader:
    """Reads on from where it is.

    Args:
        folder: `corpus` or `rejects` of a job; it may not be there yet.
        spot: where to begin.
    """

    def __init__(self, folder: Path, spot: Spot = BEGINNING) -> None:
        self._folder = folder
        self._shard, self._offset = spot.shard, spot.offset
        self._chunks = self._read()
        self._rest = b""

    @property
    def spot(self) -> Spot:
        """Where it is: behind the last line that it gave or passed over."""
        return Spot(self._shard, self._offset - len(self._rest))

    def skip(self, lines: int) -> bool:
        """Pass over so many lines; return whether there were as many."""
        while lines:
            taken = self.read(lines)
            if not taken:
                return False
            lines -= taken.count(b"\n")
        return True

    def skip_to(self, record: str) -> bool:
        """Pass over the lines up to the one with this id, and that too; return whether there is one."""
        start = b'{"id":' + msgspec.json.encode(record) + b","
        while chunk := self.read():
            at = 0 if chunk.startswith(start) else chunk.find(b"\n" + start) + 1
            if at or chunk.startswith(start):
                self._rest = chunk[chunk.index(b"\n", at) + 1 :] + self._rest
                return True
        return False

    def read(self, most: int | None = None) -> bytes:
        """Return some whole lines, at most `most` of them; nothing where there are none for now."""
        chunk = self._rest or next(self._chunks)
        self._rest = b""
        if most is not None and chunk.count(b"\n") > most:
            end = _end_of_line(chunk, most)
            chunk, self._rest = chunk[:end], chunk[end:]
        return chunk

    def _read(self) -> Iterator[bytes]:
        """Yield whole lines, chunk by chunk; an empty chunk where there is nothing new."""
        while True:
            name, offset = f"{self._shard:05d}.jsonl", self._offset
            sealed = self._sealed(name)
            chunks = _sealed_chunks(sealed, offset) if sealed else _open_chunks(self._folder / (name + PART), offset)
            for chunk in chunks:
                self._offset += len(chunk)
                yield chunk
            if sealed:
                self._shard, self._offset = self._shard + 1, 0
            elif self._sealed(name) is None:
                yield b""

    def _sealed(self, name: str) -> Path | None:
        return next((path for path in (self._folder / name, self._folder / f"{name}.zst") if path.exists()), None)


def _end_of_line(chunk: bytes, lines: int) -> int:
    end = 0
    for _ in range(lines):
        end = chunk.index(b"\n", end) + 1
    return end


def _open_chunks(path: Path, offset: int) -> Iterator[bytes]:
    """Yield what stands in a file behind an offset, up to its last line end."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            yield from _whole_lines(_pieces(file.read))
    except FileNotFoundError:
        return


def _sealed_chunks(path: Path, offset: int) -> Iterator[bytes]:
    if path.suffix != ".zst":
        yield from _open_chunks(path, offset)
        return
    with zstd.open(path, "rb") as file:
        file.seek(offset)
        yield from _whole_lines(_pieces(file.read))


def _pieces(read: Callable[[int], bytes]) -> Iterator[bytes]:
    size = FIRST_BYTES
    while piece := read(size):
        yield piece
        size = CHUNK_BYTES


def _whole_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Cut chunks at line ends; what stands behind the last one is left."""
    rest: list[bytes] = []
    for chunk in chunks:
        whole, line_end, begun = chunk.rpartition(b"\n")
        if line_end:
            yield b"".join((*rest, whole, line_end))
            rest = []
        rest.append(begun)
