"""The last lines of a job's corpus or rejects, for people who look in.

Rule of this file: read from the end, and never more than a bound, however large the corpus is. Blocking.
"""

import os
import sys
from collections import deque
from pathlib import Path
from typing import BinaryIO

from corpusmill.journal.shard import PART

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LATEST_BYTES = 1 << 20
"""What the lines may have together; those that would have more are left out."""

FIRST_BYTES = 32 << 10
"""How much of a shard is read at first; mostly that holds the lines that are asked for."""


def latest_lines(folder: Path, most: int) -> bytes:
    """Return the last whole lines, at most `most` of them, in their order.

    Args:
        folder: `corpus` or `rejects` of a job; it may not be there yet.
        most: lines; at least 1.
    """
    lines: deque[bytes] = deque()
    left = LATEST_BYTES
    for path in reversed(_shards(folder)):
        found, whole = _tail(path, most - len(lines), left)
        lines.extendleft(reversed(found))
        left -= sum(map(len, found))
        if len(lines) == most or not whole:
            break
    return b"".join(lines)


def _shards(folder: Path) -> list[Path]:
    """Return the shards in their order; of one that is being sealed at this moment only the sealed file."""
    if not folder.is_dir():
        return []
    shards = {path.name.split(".")[0]: path for path in sorted(folder.iterdir(), reverse=True) if _is_shard(path)}
    return [shards[name] for name in sorted(shards)]


def _is_shard(path: Path) -> bool:
    return path.name.endswith((".jsonl", ".jsonl.zst", f".jsonl{PART}"))


def _tail(path: Path, most: int, most_bytes: int) -> tuple[list[bytes], bool]:
    """Return the last whole lines of a shard, and whether that leaves out none for its size."""
    try:
        if path.suffix == ".zst":
            with zstd.open(path, "rb") as stream:  # all of it is read, and its end is kept
                return _within(deque(stream, most), most_bytes)
        with path.open("rb") as file:
            start, end = _ending(file, most, most_bytes)
    except FileNotFoundError:
        return [], True  # it was sealed, or deleted, since it was listed
    if start:
        end = end[end.find(b"\n") + 1 :]
    return end[: end.rfind(b"\n") + 1].splitlines(keepends=True)[-most:], not start


def _ending(file: BinaryIO, most: int, most_bytes: int) -> tuple[int, bytes]:
    """Read the end of a file, at most so many bytes; return where it begins, which is before the last `most` lines."""
    size, span = file.seek(0, os.SEEK_END), FIRST_BYTES
    while True:
        start = max(0, size - min(span, most_bytes))
        file.seek(start)
        end = file.read(size - start)
        if start == 0 or span >= most_bytes or end.count(b"\n") > most:
            return start, end
        span *= 4


def _within(lines: deque[bytes], most_bytes: int) -> tuple[list[bytes], bool]:
    """Return the last of the lines that stay within so many bytes, and whether these are all."""
    kept: deque[bytes] = deque()
    while lines and len(lines[-1]) <= most_bytes:
        most_bytes -= len(lines[-1])
        kept.appendleft(lines.pop())
    return [*kept], not lines
