"""Progress and state of jobs as server-sent events: of one, whole; or of all, as they are now."""

import asyncio
import contextlib

import msgspec
from aiohttp import web

from corpusmill.daemon.news import Piece
from corpusmill.jobs.queue.job import Job
from corpusmill.web.desk import Desk
from corpusmill.web.jobs import find_job
from corpusmill.web.lines import HEARTBEAT_SECONDS, WRITE_SECONDS
from corpusmill.web.operation import Call, Content, Operation

RECONNECT_MS = 2000


class EventOperations:
    """The operation that sends events."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operations(self) -> list[Operation]:
        """Declare it."""
        return [
            Operation(
                "GET",
                "/jobs/{id}/events",
                "eventsOfJob",
                "The job each time its `state` changes, and its `progress` once a second; ends when the job is over.",
                self.send,
                "read",
                answers={
                    200: Content("Server-sent events; the data of each is a job.", media_type="text/event-stream"),
                    204: Content("The job is over, and you have its last event."),
                },
                problems=(404, 503),
                request_headers={"Last-Event-ID": "Go on behind this event."},
            ),
            Operation(
                "GET",
                "/events",
                "eventsOfAll",
                "What happens from now on: each job when it changes (`state`, `progress`), and the `gates` of the "
                "endpoints beside. Who opens this and lists the jobs then has seen everything.",
                self.send_all,
                "read",
                answers={
                    200: Content(
                        "Server-sent events; the data of `gates` is that of `endpoints` in /service, of others a job.",
                        media_type="text/event-stream",
                    ),
                },
                problems=(503,),
            ),
        ]

    async def send(self, call: Call) -> web.StreamResponse:
        """GET /jobs/{id}/events."""
        job = await find_job(self._desk, call.request)
        header = call.request.headers.get("Last-Event-ID", "")
        last = int(header[:18]) if header.isascii() and header.isdigit() else None
        pieces = self._news(job, last)
        if not pieces and self._desk.mill.is_over(job):
            return web.Response(status=204)
        with self._desk.stream():
            response = await _opened(call.request)
            with contextlib.suppress(ConnectionResetError, TimeoutError):
                await self._follow(job, pieces, last, response)
        return response

    async def send_all(self, call: Call) -> web.StreamResponse:
        """GET /events."""
        last = self._desk.mill.news.latest
        with self._desk.stream():
            response = await _opened(call.request)
            with contextlib.suppress(ConnectionResetError, TimeoutError):
                await self._follow_all(last, response)
        return response

    async def _follow_all(self, last: int, response: web.StreamResponse) -> None:
        """Send the newest of each job; a reader who is slow misses what is not the newest any more."""
        news = self._desk.mill.news
        while not self._desk.draining:
            pieces = news.newest(last)
            gates = b"event: gates\ndata: %s\n\n" % msgspec.json.encode(self._desk.mill.gates())
            last = news.latest
            await _write(response, b"".join((*map(_framed, pieces), gates)))
            if news.latest == last:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await news.wait_for_any()

    async def _follow(self, job: Job, pieces: list[Piece], last: int | None, response: web.StreamResponse) -> None:
        news = self._desk.mill.news
        while True:
            for piece in pieces:
                await _write(response, _framed(piece))
                last = piece.number
            job = await self._desk.table.get(job.id)
            pieces = self._news(job, last)
            if pieces:
                continue
            if self._desk.mill.is_over(job) or self._desk.draining:
                return
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await news.wait(job.id)
            except TimeoutError:
                await _write(response, b": alive\n\n")
            job = await self._desk.table.get(job.id)
            pieces = self._news(job, last)

    def _news(self, job: Job, last: int | None) -> list[Piece]:
        """Return what a watcher has not seen; the job itself, where that cannot be told."""
        pieces = self._desk.mill.news.since(job.id, last) if last is not None else None
        if pieces is not None:
            return pieces
        number = self._desk.mill.news.latest
        return [Piece(number, "state", bytes(self._desk.mill.encoded(job)))]


def _framed(piece: Piece) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (piece.number, piece.event.encode(), piece.job)


async def _opened(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.content_type = "text/event-stream"
    await response.prepare(request)
    with contextlib.suppress(ConnectionResetError, TimeoutError):
        await _write(response, b"retry: %d\n\n" % RECONNECT_MS)
    return response


async def _write(response: web.StreamResponse, chunk: bytes) -> None:
    async with asyncio.timeout(WRITE_SECONDS):
        await response.write(chunk)
