"""A server that costs its client nothing to wait for: an OpenAI-compatible API of prepared answers on loopback.

Rule of this file: whatever can be made beforehand is, so that the client is what a benchmark measures. Each answer
holds a serial number, so no two are equal.

Run as `python -m benchmarks.server --latency SECONDS --spread SHARE`, it prints its base URL and serves until its stdin
is closed.
"""

import argparse
import asyncio
import random
import re
import resource
import sys
import time
from typing import cast

import msgspec
import uvloop

from benchmarks.answers import MODEL, SERIAL, completion_body, prepared_texts

LATENCIES = 4096
"""So many latencies are drawn, and then taken in turn."""

MARK_REQUESTS = 1000
"""The time of arrival is noted of every so many-th request."""

MAX_REQUEST_BYTES = 1 << 20
CONTENT_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class Statistics(msgspec.Struct):
    """What the server saw since it was last asked.

    Attributes:
        first_at: monotonic time of the first call's arrival, None before there was one.
        marks: monotonic times of arrival of every `MARK_REQUESTS`-th call.
        most_in_flight: calls that waited for their answers at once.
    """

    first_at: float | None = None
    marks: list[float] = []
    most_in_flight: int = 0


class Desk:
    """What all connections share: the prepared answers, the latencies and the counts."""

    def __init__(self, latency_seconds: float, spread: float) -> None:
        draw = random.Random(0).uniform
        self._latencies = [latency_seconds * draw(1 - spread, 1 + spread) for _ in range(LATENCIES)]
        self._loop = asyncio.get_running_loop()
        self._answers = [_prepared(number, text) for number, text in enumerate(prepared_texts())]
        self._calls = 0
        self._in_flight = 0
        self._statistics = Statistics()

    def complete(self, transport: asyncio.Transport) -> None:
        """Answer a call, now or after the latency."""
        self._note_arrival()
        latency_seconds = self._latencies[self._calls % LATENCIES]
        if latency_seconds:
            self._loop.call_later(latency_seconds, self._answer, transport, self._calls)
        else:
            self._answer(transport, self._calls)

    def get(self, path: bytes) -> bytes:
        """Return the response to a GET."""
        if path == b"/v1/models":
            return _response(msgspec.json.encode({"object": "list", "data": [{"id": MODEL, "object": "model"}]}))
        statistics, self._statistics = self._statistics, Statistics()
        return _response(msgspec.json.encode(statistics))

    def _note_arrival(self) -> None:
        statistics = self._statistics
        self._calls += 1
        self._in_flight += 1
        statistics.most_in_flight = max(statistics.most_in_flight, self._in_flight)
        if statistics.first_at is None:
            statistics.first_at = time.monotonic()
        if self._calls % MARK_REQUESTS == 0:
            statistics.marks.append(time.monotonic())

    def _answer(self, transport: asyncio.Transport, number: int) -> None:
        self._in_flight -= 1
        before, behind = self._answers[number % len(self._answers)]
        if not transport.is_closing():
            transport.write(b"%b%010d%b" % (before, number, behind))


class Connection(asyncio.Protocol):
    """One kept-alive connection; a client sends its next request when it has the answer to the last."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer once a whole request is there."""
        request = self._unread + data if self._unread else data
        body_at = request.find(b"\r\n\r\n") + 4
        length = CONTENT_LENGTH.search(request)
        if body_at < 4 or (length and len(request) < body_at + int(length[1])):
            self._unread = request
            if len(request) > MAX_REQUEST_BYTES:
                self._transport.abort()
            return
        self._unread = b""
        if request.startswith(b"POST"):
            self._desk.complete(self._transport)
        else:
            self._transport.write(self._desk.get(request.split(b" ", 2)[1]))


def _prepared(number: int, text: str) -> tuple[bytes, bytes]:
    """Return what stands before and behind the serial number in a response."""
    before, _, behind = _response(completion_body(number, text)).partition(f'"{SERIAL}'.encode())
    return before + b'"', behind


def _response(body: bytes) -> bytes:
    """Return a response with the headers that uvicorn, under vLLM for one, sends."""
    head = (
        "HTTP/1.1 200 OK\r\n"
        "date: Wed, 01 Jan 2025 00:00:00 GMT\r\n"
        "server: uvicorn\r\n"
        f"content-length: {len(body)}\r\n"
        "content-type: application/json\r\n\r\n"
    )
    return head.encode() + body


async def _serve(latency_seconds: float, spread: float) -> None:
    loop = asyncio.get_running_loop()
    desk = Desk(latency_seconds, spread)
    server = await loop.create_server(lambda: Connection(desk), "127.0.0.1", 0, backlog=65_535)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    """Serve until stdin is closed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server", description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="mean seconds to an answer")
    parser.add_argument("--spread", type=float, default=0.0, help="share of the mean by which latencies differ")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(options.latency, options.spread))


if __name__ == "__main__":
    main()
