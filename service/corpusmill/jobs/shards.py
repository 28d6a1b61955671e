"""Reading sealed shards back, line by line.

Rule of this file: memory does not grow with the shard, and what is read is checked: who has read a shard to its end
has read what the manifest names.
"""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.shard import Sealed

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHUNK_BYTES = 1 << 20


def sealed_lines(folder: Path, sealed: Sealed) -> Iterator[bytes]:
    """Yield the lines of a shard, without line ends.

    Args:
        folder: `corpus` or `rejects` of a job.
        sealed: what the manifest says of the shard.

    Raises:
        CorruptionError: the file is missing, or (at the end) its bytes or its lines are not those of the manifest.
    """
    path = folder / sealed.name
    place = f"{folder.name}/{sealed.name}"
    digest = hashlib.sha256()
    count = 0
    for line in _lines(_decompressed(_chunks(path, place, digest), sealed.name, place)):
        count += 1
        yield line
    if digest.hexdigest() != sealed.sha256:
        raise CorruptionError(f"{place} is damaged: its sha256 is not the manifest's; run `corpusmill fsck`")
    if count != sealed.records:
        raise CorruptionError(f"{place} has {count:,} lines where the manifest says {sealed.records:,}")


def _chunks(path: Path, place: str, digest: "hashlib._Hash") -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                yield chunk
    except FileNotFoundError:
        raise CorruptionError(f"{place} is named by the manifest but missing") from None


def _decompressed(chunks: Iterator[bytes], name: str, place: str) -> Iterator[bytes]:
    """Yield the chunks as they are or, of a `.zst` file, what its one frame holds."""
    if not name.endswith(".zst"):
        yield from chunks
        return
    frame = zstd.ZstdDecompressor()
    try:
        for chunk in chunks:
            yield frame.decompress(chunk, CHUNK_BYTES)
            while not frame.needs_input and not frame.eof:
                yield frame.decompress(b"", CHUNK_BYTES)
    except (zstd.ZstdError, EOFError) as error:
        raise CorruptionError(f"{place} is damaged: {error}; run `corpusmill fsck`") from None


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Cut a stream of chunks at its line ends."""
    rest: list[bytes] = []
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        rest.append(first)
        if others:
            yield b"".join(rest)
            yield from others[:-1]
            rest = [others[-1]]
    if last := b"".join(rest):
        yield last
