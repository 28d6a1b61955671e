"""Records and rejects as NDJSON, once or for as long as there may be more."""

import asyncio
import contextlib
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from corpusmill.jobs.latest import latest_lines
from corpusmill.jobs.lines import BEGINNING, LineReader
from corpusmill.web.bookmarks import Bookmarks
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


PAGE_BYTES = 1 << 20
"""Lines that are sent as one answer; more are sent as a stream."""

MEDIA_TYPE = "application/x-ndjson"


class LineOperations:
    """The operations that send lines."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._bookmarks = Bookmarks()

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
                        media_type=MEDIA_TYPE,
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
            if query.latest is not None:
                return await self._latest(job.id, place, query)
            with self._desk.stream():
                reader, chunk = await self._desk.read(lambda: self._begun(job.id, place, query))
                if query.limit is not None and chunk.count(b"\n") == query.limit:
                    return _page(chunk)
                response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
                response.content_type = MEDIA_TYPE
                await response.prepare(call.request)
                with contextlib.suppress(ConnectionResetError, TimeoutError):
                    await self._send(job.id, reader, chunk, response, query)
            return response

        return send

    async def _latest(self, job: str, place: str, query: LinesQuery) -> web.StreamResponse:
        most = query.latest or 0
        if query != LinesQuery(latest=query.latest):
            raise ProblemError(422, "invalid-parameter", "query.latest: goes with no other parameter")
        return _page(await self._desk.read(lambda: latest_lines(self._desk.generation(job) / place, most)))

    def _begun(self, job: str, place: str, query: LinesQuery) -> tuple[LineReader, bytes]:
        """Return a reader that is where it should begin, and the first lines that it read there. Blocking."""
        folder, after = self._desk.generation(job) / place, query.after
        spot = self._bookmarks.find(folder, after) if after is not None else None
        reader = LineReader(folder, spot or BEGINNING)
        reached = spot is not None or after is None or _skip(reader, after)
        if query.limit is None:
            return reader, reader.read()
        page = _read_page(reader, query.limit)
        if page and reached:
            self._bookmarks.put(folder, after, page, reader.spot)
        return reader, page

    async def _send(
        self, job: str, reader: LineReader, chunk: bytes, response: web.StreamResponse, query: LinesQuery
    ) -> None:
        """Send the lines that were read, and all that come behind them."""
        left = query.limit
        while True:
            if chunk:
                async with asyncio.timeout(WRITE_SECONDS):
                    await response.write(chunk)
                left = None if left is None else left - chunk.count(b"\n")
            if left == 0:
                return
            over = self._desk.mill.is_over(await self._desk.table.get(job))
            most, mark = left, self._desk.mill.news.latest
            chunk = await self._desk.read(lambda most=most: reader.read(most))  # type: ignore[misc] # a default binds it
            if chunk:
                continue
            if not query.follow or over or self._desk.draining:
                return
            if self._desk.mill.news.latest == mark:
                await self._wait(job, response)

    async def _wait(self, job: str, response: web.StreamResponse) -> None:
        """Return when there may be more; show now and then that the stream is alive."""
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await self._desk.mill.news.wait(job)
        except TimeoutError:
            async with asyncio.timeout(WRITE_SECONDS):
                await response.write(b"\n")


def _skip(reader: LineReader, after: str) -> bool:
    """Read past the line that somebody had last, or past as many lines as he has; return whether there are so many."""
    if after.isascii() and after.isdigit():
        return reader.skip(int(after))
    if reader.skip_to(after):
        return True
    raise ProblemError(404, "unknown-record", f"there is no line with the id {after[:100]!r}")


def _read_page(reader: LineReader, most: int) -> bytes:
    """Return the next lines, at most so many, as far as there are any and they are no more than a page holds."""
    chunks: list[bytes] = []
    left, room = most, PAGE_BYTES
    while left > 0 and room > 0 and (chunk := reader.read(left)):
        chunks.append(chunk)
        left -= chunk.count(b"\n")
        room -= len(chunk)
    return b"".join(chunks)


def _page(lines: bytes) -> web.Response:
    return web.Response(body=lines, content_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})
