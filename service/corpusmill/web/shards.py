"""Sealed shards: a listing with checksums, and each as a file.

Rules of this file: a sealed shard never changes, so its ETag is its sha256. One range is served; a range with an
If-Range that does not hold, and several ranges at once, get the whole file, as RFC 9110 says.
"""

import asyncio
import re
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
from aiohttp import web

from corpusmill.journal.files import Disk
from corpusmill.journal.manifest import Commit, commit_of, read_commits
from corpusmill.web.desk import Desk
from corpusmill.web.jobs import find_job
from corpusmill.web.lines import WRITE_SECONDS
from corpusmill.web.operation import Call, Content, Operation
from corpusmill.web.problems import ProblemError
from corpusmill.web.replies import encoded, tagged_response

CHUNK_BYTES = 256 << 10
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class ShardsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which shards: of the corpus, or of what was not kept."""

    place: Literal["corpus", "rejects"] = "corpus"


class ShardObject(msgspec.Struct, frozen=True):
    """A sealed shard; `bytes` and `sha256` are the file's."""

    name: str
    records: int
    bytes: int
    sha256: str
    sealed_at: str


class ShardList(msgspec.Struct, frozen=True):
    """The sealed shards of a job, in their order."""

    items: list[ShardObject]


class ShardOperations:
    """The operations on shards."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operations(self) -> list[Operation]:
        """Declare them."""
        file = Content("The file.", media_type="application/octet-stream", headers={"ETag": "Its sha256."})
        return [
            Operation(
                "GET",
                "/jobs/{id}/shards",
                "shardsOfJob",
                "The sealed shards of a job.",
                self.list,
                "read",
                ShardsQuery,
                answers={200: Content("The shards.", ShardList), 304: Content("They have not changed.")},
                problems=(404, 500),
                request_headers={"If-None-Match": "An ETag."},
            ),
            Operation(
                "GET",
                "/jobs/{id}/shards/{name}",
                "downloadShard",
                "A sealed shard, whole or in part.",
                self.file,
                "read",
                ShardsQuery,
                answers={200: file, 206: file, 304: Content("You have it.")},
                problems=(404, 416, 500),
                request_headers={"Range": "One range of bytes.", "If-Range": "An ETag.", "If-None-Match": "An ETag."},
            ),
        ]

    async def list(self, call: Call) -> web.StreamResponse:
        """GET /jobs/{id}/shards."""
        job = await find_job(self._desk, call.request)
        shards = await self._desk.read(lambda: sealed_shards(self._desk.generation(job.id), call.query.place))
        return tagged_response(call.request, encoded(ShardList(shards)))

    async def file(self, call: Call) -> web.StreamResponse:
        """GET /jobs/{id}/shards/{name}."""
        job, request = await find_job(self._desk, call.request), call.request
        name, place = request.match_info["name"], call.query.place

        def look() -> tuple[Path, ShardObject | None]:
            folder = self._desk.generation(job.id)
            return folder, sealed_shard(folder, place, name)

        folder, shard = await self._desk.read(look)
        if shard is None:
            raise ProblemError(404, "unknown-shard", f"the job has no sealed shard {name[:100]!r}")
        headers = {"ETag": f'"{shard.sha256}"', "Accept-Ranges": "bytes"}
        known = request.if_none_match
        if known and any(each.value in (shard.sha256, "*") for each in known):
            return web.Response(status=304, headers=headers)
        part = wanted_range(request.headers.get("Range"), request.headers.get("If-Range"), shard)
        with self._desk.stream():
            return await self._send(request, folder / place / shard.name, shard, part, headers)

    async def _send(
        self, request: web.Request, path: Path, shard: ShardObject, part: range, headers: dict[str, str]
    ) -> web.StreamResponse:
        whole = len(part) == shard.bytes
        response = web.StreamResponse(status=200 if whole else 206, headers=headers)
        response.content_type = "application/octet-stream"
        response.content_length = len(part)
        response.headers["Content-Disposition"] = f'attachment; filename="{shard.name}"'
        if not whole:
            response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{shard.bytes}"
        file = await self._desk.read(lambda: _opened(path, part.start))
        with file:
            await response.prepare(request)
            left = 0 if request.method == "HEAD" else len(part)
            while left:
                size = min(left, CHUNK_BYTES)
                chunk = await self._desk.read(lambda size=size: file.read(size))  # type: ignore[misc] # a default binds it
                if not chunk:
                    raise OSError("the file is shorter than its manifest says")
                async with asyncio.timeout(WRITE_SECONDS):
                    await response.write(chunk)
                left -= len(chunk)
        return response


def sealed_shards(folder: Path, place: str) -> list[ShardObject]:
    """Return the sealed shards of `corpus` or `rejects`.

    Raises:
        CorruptionError: the manifest is damaged.
    """
    manifest = folder / "manifest"
    commits = read_commits(Disk(), manifest) if manifest.exists() else []
    return [shard for commit in commits if (shard := _shard_of(commit, place)) is not None]


def sealed_shard(folder: Path, place: Literal["corpus", "rejects"], name: str) -> ShardObject | None:
    """Return one sealed shard of `corpus` or `rejects`, None if there is none of that name.

    Raises:
        CorruptionError: the manifest is damaged.
    """
    commit = commit_of(Disk(), folder / "manifest", place, name)
    return None if commit is None else _shard_of(commit, place)


def _shard_of(commit: Commit, place: str) -> ShardObject | None:
    shard = commit.corpus if place == "corpus" else commit.rejects
    if shard is None:
        return None
    return ShardObject(shard.name, shard.records, shard.bytes, shard.sha256, commit.sealed_at)


def wanted_range(header: str | None, if_range: str | None, shard: ShardObject) -> range:
    """Return which bytes of a shard to send.

    Raises:
        ProblemError: 416, the range has none of the file's bytes.
    """
    everything = range(shard.bytes)
    if header is None or (if_range is not None and if_range.strip() != f'"{shard.sha256}"'):
        return everything
    match = _RANGE.fullmatch(header.strip())
    if match is None or match[1] == match[2] == "":
        return everything
    first, last = match.groups()
    if first == "":
        part = everything[max(shard.bytes - int(last), 0) :] if int(last) else range(0)
    elif last != "" and int(last) < int(first):
        return everything
    else:
        part = everything[int(first) : int(last) + 1] if last else everything[int(first) :]
    if not part:
        raise ProblemError(
            416,
            "range-not-satisfiable",
            f"the shard has {shard.bytes} bytes",
            headers={"Content-Range": f"bytes */{shard.bytes}"},
        )
    return part


def _opened(path: Path, offset: int) -> BinaryIO:
    file = path.open("rb")
    file.seek(offset)
    return file
