"""/files and /fine_tuning/jobs over HTTP.

Rule of this file: reads requests and writes answers; what they mean is decided in `files` and `tuning`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import BodyPartReader, web

from corpusmill.simulate.errors import ApiError, ErrorBody, body_too_large, invalid_request
from corpusmill.simulate.files import Files
from corpusmill.simulate.tuning import Tuning

MAX_UPLOAD_BYTES = 64 * 2**20
PAGE = 20
"""What a list has where no limit is given (OpenAI API reference)."""

Clock = Callable[[], float]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Gate = Callable[[Callable[[web.Request], Awaitable[object]]], Handler]
"""Makes a handler of what gives a value: it authorises, and answers refusals."""


class TuningRoutes:
    """The handlers."""

    def __init__(self, files: Files, tuning: Tuning, clock: Clock, wall_clock: Clock) -> None:
        self._files, self._tuning, self._clock, self._wall_clock = files, tuning, clock, wall_clock

    def routes(self, prefix: str, gate: Gate) -> list[web.RouteDef]:
        """Every address, behind a prefix."""
        files, jobs = f"{prefix}/files", f"{prefix}/fine_tuning/jobs"
        return [
            web.post(files, gate(self.upload)),
            web.get(files, gate(self.list_files)),
            web.get(f"{files}/{{id}}", gate(self.file)),
            web.get(f"{files}/{{id}}/content", gate(self.content)),
            web.delete(f"{files}/{{id}}", gate(self.delete)),
            web.post(jobs, gate(self.create)),
            web.get(jobs, gate(self.list_jobs)),
            web.get(f"{jobs}/{{id}}", gate(self.job)),
            web.post(f"{jobs}/{{id}}/cancel", gate(self.cancel)),
            web.get(f"{jobs}/{{id}}/events", gate(self.events)),
            web.get(f"{jobs}/{{id}}/checkpoints", gate(self.checkpoints)),
        ]

    async def upload(self, request: web.Request) -> object:
        """POST /files: multipart with `purpose` and `file`."""
        if not request.content_type.startswith("multipart/"):
            raise invalid_request("The body must be multipart/form-data with 'file' and 'purpose'.", "file")
        purpose, filename, content = "", None, b""
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            if part.name == "purpose":
                purpose = (await _read(part)).decode(errors="replace")
            elif part.name == "file":
                filename, content = part.filename or "upload", await _read(part)
        if filename is None:
            raise invalid_request("'file' is a required property", "file")
        return self._files.add(filename, purpose, content, int(self._wall_clock()))

    async def list_files(self, request: web.Request) -> object:
        """GET /files."""
        listed = self._files.listed(request.query.get("purpose"))
        return _page(request, [msgspec.to_builtins(entry) for entry in listed])

    async def file(self, request: web.Request) -> object:
        """GET /files/{id}."""
        return self._files.get(request.match_info["id"])

    async def content(self, request: web.Request) -> object:
        """GET /files/{id}/content."""
        return self._files.content(request.match_info["id"])

    async def delete(self, request: web.Request) -> object:
        """DELETE /files/{id}."""
        return self._files.delete(request.match_info["id"])

    async def create(self, request: web.Request) -> object:
        """POST /fine_tuning/jobs."""
        return self._tuning.create(await request.read(), self._clock(), int(self._wall_clock()))

    async def list_jobs(self, request: web.Request) -> object:
        """GET /fine_tuning/jobs."""
        return _page(request, self._tuning.listed(self._clock()))

    async def job(self, request: web.Request) -> object:
        """GET /fine_tuning/jobs/{id}."""
        return self._tuning.get(request.match_info["id"], self._clock())

    async def cancel(self, request: web.Request) -> object:
        """POST /fine_tuning/jobs/{id}/cancel."""
        return self._tuning.cancel(request.match_info["id"], self._clock())

    async def events(self, request: web.Request) -> object:
        """GET /fine_tuning/jobs/{id}/events."""
        return _page(request, self._tuning.events(request.match_info["id"], self._clock()))

    async def checkpoints(self, request: web.Request) -> object:
        """GET /fine_tuning/jobs/{id}/checkpoints: none are kept."""
        self._tuning.get(request.match_info["id"], self._clock())
        return _page(request, [])


async def _read(part: BodyPartReader) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(2**16):
        content += chunk
        if len(content) > MAX_UPLOAD_BYTES:
            raise body_too_large(MAX_UPLOAD_BYTES)
    return bytes(content)


def _page(request: web.Request, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """The part of a list behind `after`, of `limit` entries at most."""
    text = request.query.get("limit", str(PAGE))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise invalid_request("'limit' must be a number from 1 to 10000", "limit")
    after = request.query.get("after")
    start = 0
    if after is not None:
        found = (place for place, entry in enumerate(entries) if entry["id"] == after)
        if (place := next(found, None)) is None:
            raise ApiError(
                404, "not_found", ErrorBody(f"No such object: {after[:100]}", "invalid_request_error", "after")
            )
        start = place + 1
    shown = entries[start : start + int(text)]
    ends = {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {"first_id": None, "last_id": None}
    return {"object": "list", "data": shown, **ends, "has_more": start + len(shown) < len(entries)}
