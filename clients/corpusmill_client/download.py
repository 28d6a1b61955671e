"""Shards, from the daemon to a folder.

Rules of this file: a file has its name once its bytes are verified and durable, and not before; what was interrupted is
gone on with, by whichever process comes next.
"""

import asyncio
import hashlib
import os
import re
from pathlib import Path

import aiohttp

from corpusmill_client.connection import LOST, Connection
from corpusmill_client.errors import ApiError, DamagedDownloadError, UnreachableError, unexpected
from corpusmill_client.objects import Shard

PART = ".part"
CHUNK_BYTES = 256 << 10
ROUNDS = 2
"""Bytes that are not what their checksum says are fetched once more."""

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,100}")


async def fetch(connection: Connection, path: str, query: dict[str, str], shard: Shard, folder: Path) -> Path:
    """Bring a shard into a folder, unless it is there; return its place.

    Raises:
        DamagedDownloadError: its bytes are not what its checksum says.
        CorpusmillError: it could not be fetched.
        OSError: the disk does not take it.
    """
    if _NAME.fullmatch(shard.name) is None:
        raise unexpected(200, f"{shard.name[:100]!r} is no name of a shard")
    target = folder / shard.name
    if await asyncio.to_thread(is_whole, target, shard):
        return target
    for _ in range(ROUNDS):
        part = await asyncio.to_thread(Part, target, shard)
        try:
            await _fill(connection, path, query, part)
            if await asyncio.to_thread(part.keep):
                return target
        finally:
            part.close()
    raise DamagedDownloadError(f"{shard.name} came {ROUNDS} times with other bytes than its checksum tells")


class Part:
    """A file that is not whole yet. All its methods block.

    Args:
        target: its place when it is whole.
        shard: what it should be.

    Attributes:
        shard: likewise.
        size: bytes that are there.
    """

    def __init__(self, target: Path, shard: Shard) -> None:
        self._target, self.shard = target, shard
        self._path = target.with_name(target.name + PART)
        self._file = self._path.open("a+b")
        self._file.seek(0)
        self._digest = hashlib.file_digest(self._file, "sha256")
        self.size = self._file.tell()

    def write(self, chunk: bytes) -> None:
        """Add bytes."""
        self._file.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)

    def restart(self) -> None:
        """Forget all bytes."""
        self._file.truncate(0)
        self._digest, self.size = hashlib.sha256(), 0

    def keep(self) -> bool:
        """Give it its name if it is what it should be; else remove it. Return which."""
        if self.size != self.shard.bytes or self._digest.hexdigest() != self.shard.sha256:
            self._path.unlink()
            return False
        self._file.flush()
        os.fsync(self._file.fileno())
        self._path.replace(self._target)
        _sync_folder(self._target.parent)
        return True

    def close(self) -> None:
        """Close the file; what is there stays."""
        self._file.close()


def is_whole(path: Path, shard: Shard) -> bool:
    """Whether a file is there and has a shard's bytes. Blocking."""
    try:
        with path.open("rb") as file:
            return (
                os.fstat(file.fileno()).st_size == shard.bytes
                and hashlib.file_digest(file, "sha256").hexdigest() == shard.sha256
            )
    except FileNotFoundError:
        return False


async def _fill(connection: Connection, path: str, query: dict[str, str], part: Part) -> None:
    """Fetch what is missing, over as many connections as it takes."""
    tries = connection.tries()
    while part.size < part.shard.bytes:
        error: Exception = UnreachableError("the daemon ended the file before its end")
        headers = {"Accept-Encoding": "identity"}
        if part.size:
            headers |= {"Range": f"bytes={part.size}-", "If-Range": f'"{part.shard.sha256}"'}
        try:
            async with connection.opened("GET", path, query=query, headers=headers) as response:
                if not _goes_on(response, part):
                    await asyncio.to_thread(part.restart)
                async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                    await asyncio.to_thread(part.write, chunk)
                    tries.reset()
                    if part.size > part.shard.bytes:
                        return
        except (ApiError, *LOST) as lost:
            error = lost
        if part.size < part.shard.bytes:
            await connection.pause(tries, error)


def _goes_on(response: aiohttp.ClientResponse, part: Part) -> bool:
    """Whether an answer begins where the part ends; a whole file begins anew."""
    if response.status != 206:
        return part.size == 0
    if not response.headers.get("Content-Range", "").startswith(f"bytes {part.size}-"):
        raise unexpected(206, "another range than was asked for")
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
