"""Peers who send what is no HTTP, too much of it, or too slowly: each is told once, and nobody else notices."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yarl

from corpusmill.telemetry.events import HttpAnswered, RequestCrashed
from tests.e2e.serving import BOUND_SECONDS, served
from tests.web.harness import Client, daemon

TRICKLE_SECONDS = 0.1
HEAD = b"Host: localhost\r\nContent-Type: application/json\r\n"
SECRET = b"Bearer a-key-that-is-nobodys-business"


class Peer:
    """One bare connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, chunk: bytes) -> None:
        self._writer.write(chunk)
        await self._writer.drain()

    async def trickle(self, chunk: bytes) -> bytes:
        """Send a chunk again and again until something comes back, or the connection is closed; return what came."""
        while True:
            await self.send(chunk)
            try:
                async with asyncio.timeout(TRICKLE_SECONDS):
                    return await self._reader.read(1 << 16)
            except TimeoutError:
                continue
            except ConnectionError:
                return b""

    async def rest(self) -> bytes:
        """All that comes until the connection is closed."""
        async with asyncio.timeout(BOUND_SECONDS):
            return await self._reader.read()


@asynccontextmanager
async def connected(client: Client) -> AsyncIterator[Peer]:
    """A bare connection to a daemon."""
    reader, writer = await asyncio.open_connection("127.0.0.1", yarl.URL(client.url).port)
    try:
        yield Peer(reader, writer)
    finally:
        writer.close()


def told(answer: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    """An answer on the wire: its status, headers and problem."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return int(status.split()[1]), dict(line.split(": ", 1) for line in lines), json.loads(body)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + SECRET + b"\x01\r\n\r\n", 400),
        (b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST /api/v1/plan HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /livez HTTP/1.1\r\n" + b"".join(b"X-%d: x\r\n" % n for n in range(300)) + b"\r\n", 400),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 431),
    ],
)
def test_what_is_no_http_is_told_as_a_problem_and_the_connection_closed(
    tmp_path: Path, sent: bytes, status: int
) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            async with connected(client) as peer:
                await peer.send(sent)
                found, headers, problem = told(await peer.rest())
            assert (found, problem["status"]) == (status, status)
            assert headers["Content-Type"] == "application/problem+json"
            assert headers["X-Request-ID"] == problem["request_id"]
            assert "aiohttp" not in headers["Server"]
            assert (await client.get("/jobs")).status == 200
            answered = [event for event in client.events if isinstance(event, HttpAnswered)]
            assert [(event.route, event.code, event.request) for event in answered][:1] == [
                ("unknown", status, problem["request_id"])
            ]
            assert [event for event in client.events if isinstance(event, RequestCrashed)] == []

    asyncio.run(main())


def test_nothing_that_strangers_send_comes_into_the_log(tmp_path: Path) -> None:
    async def flood(url: str) -> None:
        port = yarl.URL(url).port
        for sent in (b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\nAuthorization: " + SECRET + b"\x01\r\n\r\n") * 20:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            assert b" 400 " in await reader.read()
            writer.close()

    with served(tmp_path, None) as running:
        asyncio.run(flood(running.url))
        running.process.terminate()
        assert running.process.wait(timeout=BOUND_SECONDS) == 0
        log = running.log()
    assert SECRET.decode() not in log
    assert [json.loads(line)["event"] for line in log.splitlines()] == ["daemon_stopping"]


def test_a_body_that_comes_too_slowly_is_refused_in_time_while_others_are_answered(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            daemon(tmp_path, body_seconds=1, requests_per_second=1_000_000) as client,
            asyncio.timeout(BOUND_SECONDS),
        ):
            async with asyncio.TaskGroup() as group:
                slow = [group.create_task(trickled(client)) for _ in range(20)]
                while not all(task.done() for task in slow):
                    assert (await client.get("/jobs")).status == 200
            for task in slow:
                status, _, problem = told(task.result())
                assert (status, problem["type"]) == (408, "urn:corpusmill:problem:body-too-slow")
            assert (await client.get("/jobs")).json["items"] == []

    async def trickled(client: Client) -> bytes:
        async with connected(client) as peer:
            await peer.send(b"POST /api/v1/jobs HTTP/1.1\r\n" + HEAD + b"Content-Length: 100000\r\n\r\n")
            return await peer.trickle(b" ")

    asyncio.run(main())


def test_a_head_that_never_ends_does_not_keep_its_connection(tmp_path: Path) -> None:
    """Bytes that trickle in do not put the end off."""

    async def main() -> None:
        async with (
            daemon(tmp_path, idle_seconds=1, requests_per_second=1_000_000) as client,
            asyncio.timeout(BOUND_SECONDS),
        ):
            async with asyncio.TaskGroup() as group:
                slow = [group.create_task(trickled(client)) for _ in range(50)]
                while not all(task.done() for task in slow):
                    assert (await client.get("/jobs")).status == 200
            assert {task.result() for task in slow} == {b""}

    async def trickled(client: Client) -> bytes:
        async with connected(client) as peer:
            await peer.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            return await peer.trickle(b"x")

    asyncio.run(main())


def test_a_client_that_leaves_in_the_middle_of_an_answer_or_a_request_leaves_nothing_behind(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path, max_streams=2, requests_per_second=1_000_000) as client:
            job = (await client.submit())["id"]
            await client.until(job, "finished")
            for path in (f"/jobs/{job}/records", f"/jobs/{job}/events", "/events"):
                for _ in range(5):
                    async with connected(client) as peer:
                        await peer.send(b"GET /api/v1%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode())
            for _ in range(5):
                async with connected(client) as peer:
                    await peer.send(b"POST /api/v1/jobs HTTP/1.1\r\n" + HEAD + b"Content-Length: 10\r\n\r\n{")
            async with asyncio.timeout(BOUND_SECONDS):
                while (await client.get(f"/jobs/{job}/records")).status != 200:
                    pass
            assert len((await client.get("/jobs")).json["items"]) == 1
            assert [event for event in client.events if isinstance(event, RequestCrashed)] == []

    asyncio.run(main())
