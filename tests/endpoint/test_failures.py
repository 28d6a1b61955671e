import asyncio
import gzip
import socket
from collections.abc import Callable, Coroutine, Mapping
from email.utils import formatdate
from typing import Any

import aiohttp
import pytest
import uvloop
from aiohttp.client_reqrep import ConnectionKey
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.chain.completion import Prompt, Usage
from corpusmill.endpoint.client import Answer
from corpusmill.endpoint.failures import Failure, FailureKind, Fate, broken
from tests.endpoint.asking import NOW_WALL, ask, endpoint, failed, request
from tests.endpoint.scripted import Script, chat_body, http, raw, reply, serving, then_close, then_hang

Run = Callable[[Coroutine[Any, Any, None]], None]

HTML = b"<!DOCTYPE html><html><body>Sign in</body></html>"
OK_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def fail(script: Script, *, deadline_seconds: float = 5.0) -> Failure:
    async def main() -> Failure:
        async with serving(script) as server:
            return await failed(server.url, deadline_seconds=deadline_seconds)

    return asyncio.run(main())


MALFORMED: list[tuple[str, Script]] = [
    ("truncated", then_close(OK_HEAD + b'{"choices":')),
    ("truncated by a reset", then_close(OK_HEAD + b'{"choices":', reset=True)),
    ("reset after the headers", then_close(OK_HEAD, reset=True)),
    ("truncated chunks", then_close(CHUNKED_HEAD + b'a\r\n{"choices')),
    ("garbage chunks", then_close(CHUNKED_HEAD + b"zz\r\n{}")),
    ("garbage for HTTP", then_close(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")),
    ("garbage for JSON", reply(200, b"{'choices': []}")),
    ("half of the JSON", reply(200, b'{"choices": [{"message": {"content": "A pl')),
    ("two documents", reply(200, b'{"choices": []}{"choices": []}')),
    ("a web page", reply(200, HTML, {"Content-Type": "text/html"})),
    (
        "an event stream",
        reply(200, b'data: {"choices": []}\n\ndata: [DONE]\n\n', {"Content-Type": "text/event-stream"}),
    ),
    ("empty", reply(200, b"")),
    ("no content", raw(b"HTTP/1.1 204 No Content\r\n\r\n")),
    ("missing fields", reply(200, {"id": "x"})),
    ("no message", reply(200, {"choices": [{"finish_reason": "stop"}]})),
    ("wrong types", reply(200, {"choices": [{"message": {"content": 3}}]})),
    ("not UTF-8", reply(200, b'{"choices": [{"message": {"content": "x"}}], "id": "\xff"}')),
    ("nested beyond reason", reply(200, b'{"choices": ' + b"[" * 100_000)),
    ("packed badly", reply(200, b"not gzip", {"Content-Encoding": "gzip"})),
    ("packed unknown", reply(200, b"\x00\x01", {"Content-Encoding": "br"})),
    ("too long", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 35000000\r\n\r\n" + b" " * 35_000_000)),
    ("too long unpacked", reply(200, gzip.compress(b" " * 40_000_000, 1), {"Content-Encoding": "gzip"})),
]


@pytest.mark.parametrize("script", [row[1] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
def test_answers_nobody_can_use_are_malformed_and_counted(script: Script) -> None:
    failure = fail(script)
    assert failure.kind is FailureKind.MALFORMED, failure
    assert failure.fate is Fate.RETRY_COUNTED
    assert failure.maybe_charged


@pytest.mark.parametrize(
    "choices", [[], [{"message": {"content": ""}, "finish_reason": "stop"}], [{"message": {"content": None}}]]
)
def test_an_empty_choice_tells_what_it_cost(choices: object) -> None:
    failure = fail(reply(200, chat_body() | {"choices": choices}))
    assert failure.kind is FailureKind.EMPTY_CHOICE
    assert failure.maybe_charged
    assert failure.usage == Usage(12, 0, 5, 0)
    assert fail(reply(200, {"choices": choices})).usage is None


def test_an_empty_legacy_completion_is_an_empty_choice() -> None:
    async def main() -> Failure:
        async with serving(reply(200, {"choices": [{"text": "", "finish_reason": "stop"}]})) as server:
            return await failed(server.url, request(Prompt("completions", "x")))

    assert asyncio.run(main()).kind is FailureKind.EMPTY_CHOICE


@pytest.mark.parametrize("reset", [True, False])
def test_a_connection_closed_before_the_answer_may_have_cost_something(reset: bool) -> None:
    failure = fail(then_close(b"", reset=reset))
    assert failure.kind is FailureKind.RESET
    assert failure.fate is Fate.RETRY
    assert failure.maybe_charged


@pytest.mark.parametrize("answer", [b"", OK_HEAD, OK_HEAD + b"{", CHUNKED_HEAD, b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_silence_ends_at_the_deadline(answer: bytes) -> None:
    failure = fail(then_hang(answer), deadline_seconds=0.1)
    assert failure.kind is FailureKind.TIMEOUT
    assert failure.maybe_charged


def test_a_refused_port_costs_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        failure = asyncio.run(failed(f"http://127.0.0.1:{taken.getsockname()[1]}/v1"))
    assert failure.kind is FailureKind.CONNECT
    assert failure.fate is Fate.RETRY
    assert not failure.maybe_charged
    assert "refused" in failure.message.lower() or "connect" in failure.message.lower()


@pytest.mark.parametrize(("deadline_seconds", "connect_timeout_seconds"), [(0.1, 10.0), (5.0, 0.1)])
def test_a_connection_that_is_never_made_costs_nothing(deadline_seconds: float, connect_timeout_seconds: float) -> None:
    """A listener whose queue is full leaves further connections unanswered."""
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"
        failure = asyncio.run(
            failed(url, deadline_seconds=deadline_seconds, connect_timeout_seconds=connect_timeout_seconds)
        )
    assert failure.kind is FailureKind.CONNECT
    assert not failure.maybe_charged


def test_waiting_for_a_connection_costs_nothing() -> None:
    async def main() -> None:
        async with (
            serving(then_hang(b"")) as server,
            endpoint(server.url, concurrency=1) as opened,
            asyncio.TaskGroup() as group,
        ):
            first = group.create_task(opened.call(request(), 30.0))
            await server.received.wait()
            waiting = await opened.call(request(), 0.05)
            first.cancel()
        assert isinstance(waiting, Failure)
        assert (waiting.kind, waiting.maybe_charged) == (FailureKind.CONNECT, False)

    asyncio.run(main())


def test_a_name_that_does_not_resolve_is_told() -> None:
    key = ConnectionKey("nowhere.invalid", 443, True, True, None, None, None)
    failure = broken(aiohttp.ClientConnectorDNSError(key, OSError(-2, "Name or service not known")), sent=False)
    assert failure.kind is FailureKind.CONNECT
    assert "resolve" in failure.message


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize(
    ("answer", "kind", "deadline_seconds"),
    [(http(413, b""), FailureKind.REQUEST_TOO_LARGE, 10.0), (b"", FailureKind.TIMEOUT, 3.0)],
)
def test_a_server_that_stops_reading_holds_nobody_up(
    run: Run, answer: bytes, kind: FailureKind, deadline_seconds: float
) -> None:
    """It may refuse early or say nothing: the call ends in time, and so does the endpoint, with megabytes unsent."""

    async def main() -> None:
        gone = asyncio.Event()

        async def stop_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await gone.wait()
            writer.transport.abort()

        async with await asyncio.start_server(stop_reading, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            call = request(Prompt("chat", "x" * 20_000_000))
            async with asyncio.timeout(30):
                failure = await failed(url, call, deadline_seconds=deadline_seconds)
            assert failure.kind is kind
            gone.set()

    run(main())


@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        ({"retry-after": "3"}, "", 3.0),
        ({"retry-after": "0.5"}, "", 0.5),
        ({"retry-after-ms": "120", "retry-after": "9"}, "", 0.12),
        ({"Retry-After": formatdate(NOW_WALL + 90, usegmt=True)}, "", 90.0),
        ({}, "Rate limit reached. Please try again in 6m0s.", 360.0),
        ({}, "nothing", None),
    ],
)
def test_the_wait_a_server_asks_for_is_passed_on(
    headers: Mapping[str, str], message: str, seconds: float | None
) -> None:
    failure = fail(reply(429, {"error": {"message": message}}, {"X-Any": "1"} | dict(headers)))
    assert failure.retry_after_seconds == (pytest.approx(seconds) if seconds is not None else None)


REACHED_BY: dict[FailureKind, Script] = {
    FailureKind.RESET: then_close(b""),
    FailureKind.TIMEOUT: then_hang(b""),
    FailureKind.SERVER_ERROR: reply(500, b""),
    FailureKind.OVERLOADED: reply(503, b""),
    FailureKind.SLOW_DOWN: reply(503, {"error": {"code": "slow_down"}}),
    FailureKind.RATE_LIMITED: reply(429, b""),
    FailureKind.QUOTA_EXHAUSTED: reply(429, {"error": {"code": "insufficient_quota"}}),
    FailureKind.REQUEST_TOO_LARGE: reply(413, b""),
    FailureKind.BAD_REQUEST: reply(400, b""),
    FailureKind.UNAUTHORIZED: reply(401, b""),
    FailureKind.MODEL_NOT_FOUND: reply(404, {"error": {"code": "model_not_found"}}),
    FailureKind.MALFORMED: reply(200, b"{"),
    FailureKind.EMPTY_CHOICE: reply(200, {"choices": []}),
}
FATES: dict[FailureKind, Fate] = {
    FailureKind.CONNECT: Fate.RETRY,
    FailureKind.RESET: Fate.RETRY,
    FailureKind.TIMEOUT: Fate.RETRY,
    FailureKind.SERVER_ERROR: Fate.RETRY,
    FailureKind.OVERLOADED: Fate.RETRY,
    FailureKind.SLOW_DOWN: Fate.RETRY,
    FailureKind.RATE_LIMITED: Fate.RETRY,
    FailureKind.QUOTA_EXHAUSTED: Fate.STOP_JOB,
    FailureKind.REQUEST_TOO_LARGE: Fate.FAIL_ITEM,
    FailureKind.BAD_REQUEST: Fate.FAIL_ITEM,
    FailureKind.UNAUTHORIZED: Fate.STOP_JOB,
    FailureKind.MODEL_NOT_FOUND: Fate.STOP_JOB,
    FailureKind.MALFORMED: Fate.RETRY_COUNTED,
    FailureKind.EMPTY_CHOICE: Fate.RETRY_COUNTED,
}


def test_every_kind_of_failure_is_reached_and_has_its_fate() -> None:
    failures = {kind: fail(script, deadline_seconds=0.2) for kind, script in REACHED_BY.items()}
    failures[FailureKind.CONNECT] = asyncio.run(failed("http://127.0.0.1:1/v1"))
    assert {kind: failure.kind for kind, failure in failures.items()} == {kind: kind for kind in FailureKind}
    assert {kind: failure.fate for kind, failure in failures.items()} == FATES


PIECES = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 429 X\r\n",
    b"HTTP/1.0 500\r\n",
    b"HTTP/1.1 101 Switching\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Content-Encoding: zstd\r\n",
    b"Set-Cookie: a=b\r\n",
    b"Retry-After: \xff\r\n",
    b"\r\n",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b'{"choices"',
    b': [{"message": {}}]}',
    b"\x1f\x8b\x08\x00",
    b"\x00" * 9,
    b"x" * 9000,
]


@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=8), reset=st.booleans())
def test_no_bytes_make_a_call_raise(pieces: list[bytes], reset: bool) -> None:
    async def main() -> Answer | Failure:
        async with serving(then_close(b"".join(pieces), reset=reset)) as server:
            return await ask(server.url, deadline_seconds=0.5)

    assert isinstance(asyncio.run(main()), Answer | Failure)
