"""Records and rejects as NDJSON, once or for as long as there may be more."""

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from corpusmill.jobs.latest import latest_lines
from corpusmill.jobs.lines import LineReader
from corpusmill.web.desk import Desk
from corpusmill.web.jobs import find_job
from corpusmill.web.operation import Call, Content, Handler, Operation
from corpusmill.web.problems import ProblemError

HEARTBEAT_SECONDS = 15.0
"""How long a stream is silent at most: an empty line then shows that it is alive."""

WRITE_SECONDS = 60.0
"""How long a reader may take for one chunk before he is given up."""


class LinesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which lines.

    Attributes:
        limit: how many at most; default: all.
        after: where to go on: how many lines you have, or the id of your last one.
        follow: stay until the job is over, and send what comes.
        latest: only the last so many there are now, at most a mebibyte of them; goes with nothing else.
    """

    limit: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    after: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    follow: bool = False
    latest: Annotated[int, Meta(ge=1, le=1000)] | None = None


class LineOperations:
    """The operations that send lines."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operations(self) -> list[Operation]:
        """Declare them."""
        return [
            Operation(
                "GET",
                f"/jobs/{{id}}/{name}",
                f"{name}OfJob",
                summary,
                self._sender(place),
                "read",
                LinesQuery,
                answers={
                    200: Content(
                        "One JSON object a line; empty lines show that a stream is alive.",
                        media_type="application/x-ndjson",
                    )
                },
                problems=(404, 503),
            )
            for name, place, summary in (
                ("records", "corpus", "The records of a job, in their order, sealed or not."),
                ("rejects", "rejects", "What was not kept, with its reason."),
            )
        ]

    def _sender(self, place: str) -> Handler:
        async def send(call: Call) -> web.StreamResponse:
            job = await find_job(self._desk, call.request)
            query: LinesQuery = call.query
            folder = await self._desk.generation(job.id) / place
            if query.latest is not None:
                return await self._latest(folder, query)
            reader = LineReader(folder)
            with self._desk.stream():
                await self._skip(reader, query.after)
                response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
                response.content_type = "application/x-ndjson"
                await response.prepare(call.request)
                with contextlib.suppress(ConnectionResetError, TimeoutError):
                    await self._send(job.id, reader, response, query)
            return response

        return send

    async def _latest(self, folder: Path, query: LinesQuery) -> web.StreamResponse:
        most = query.latest or 0
        if query != LinesQuery(latest=query.latest):
            raise ProblemError(422, "invalid-parameter", "query.latest: goes with no other parameter")
        lines = await self._desk.read(lambda: latest_lines(folder, most))
        headers = {"Cache-Control": "no-store"}
        return web.Response(body=lines, content_type="application/x-ndjson", headers=headers)

    async def _skip(self, reader: LineReader, after: str | None) -> None:
        if after is None:
            return
        if after.isascii() and after.isdigit():
            count = min(int(after[:18]), 2**53)
            await self._desk.read(lambda: reader.skip(count))
        elif not await self._desk.read(lambda: reader.skip_to(after)):
            raise ProblemError(404, "unknown-record", f"there is no line with the id {after[:100]!r}")

    async def _send(self, job: str, reader: LineReader, response: web.StreamResponse, query: LinesQuery) -> None:
        left = query.limit
        while left is None or left > 0:
            over = self._desk.mill.is_over(await self._desk.table.get(job))
            most, mark = left, self._desk.mill.news.latest
            chunk = await self._desk.read(lambda most=most: reader.read(most))  # type: ignore[misc] # a default binds it
            if chunk:
                async with asyncio.timeout(WRITE_SECONDS):
                    await response.write(chunk)
                left = None if left is None else left - chunk.count(b"\n")
            elif not query.follow or over or self._desk.draining:
                return
            elif self._desk.mill.news.latest == mark:
                await self._wait(job, response)

    async def _wait(self, job: str, response: web.StreamResponse) -> None:
        """Return when there may be more; show now and then that the stream is alive."""
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await self._desk.mill.news.wait(job)
        except TimeoutError:
            async with asyncio.timeout(WRITE_SECONDS):
                await response.write(b"\n")
