"""Answers as servers cut and end them, and what becomes of the connection behind each."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest
import uvloop

from corpusmill.endpoint import connections
from corpusmill.endpoint.client import Answer
from corpusmill.endpoint.failures import Failure, FailureKind
from tests.endpoint.asking import answered, endpoint, request
from tests.endpoint.scripted import (
    Request,
    Script,
    ScriptedServer,
    chat_body,
    http,
    in_pieces,
    passes,
    raw,
    reply,
    serving,
    then_close,
)

Run = Callable[[Coroutine[Any, Any, Any]], Any]
BODY = msgspec.json.encode(chat_body("A plot."))
WHOLE = http(200, BODY)


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    chosen: Run = request.param
    return chosen


def chunked(*parts: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x;ext=1\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


async def outcomes(server: ScriptedServer, calls: int) -> list[Answer | Failure]:
    """Make calls one after the other, each when all that the server had to say to the last one has arrived."""
    found = []
    async with endpoint(server.url, concurrency=1) as opened:
        for _ in range(calls):
            found.append(await opened.call(request(), 5.0))
            await server.quiet.wait()
            await passes()
    return found


@pytest.mark.parametrize(
    "answer",
    [
        WHOLE,
        b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE,
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3 + WHOLE,
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + chunked(BODY),
        chunked(BODY[:1], BODY[1:40], BODY[40:]),
        chunked(*[bytes([octet]) for octet in BODY]),
        http(200, BODY, {"Keep-Alive": "timeout=60"}),
    ],
    ids=["plain", "100", "103", "102-100-chunked", "chunked", "single octets", "keep-alive"],
)
@pytest.mark.parametrize("cut", [None, 10, 60])
def test_an_answer_is_read_however_it_comes_and_its_connection_goes_on(
    run: Run, answer: bytes, cut: int | None
) -> None:
    async def main() -> None:
        script = raw(answer) if cut is None else in_pieces(answer[:cut], answer[cut:-cut], answer[-cut:])
        async with serving(script) as server:
            for outcome in await outcomes(server, 3):
                assert isinstance(outcome, Answer), outcome
                assert outcome.completion.body == BODY
            assert server.connections == 1
            assert len(server.requests) == 3

    run(main())


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (then_close(WHOLE), "A plot."),
        (raw(http(200, BODY, {"Connection": "close"})), "A plot."),
        (raw(WHOLE + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), "A plot."),
        (raw(WHOLE + http(200, msgspec.json.encode(chat_body("Not asked for.")))), "A plot."),
        (in_pieces(WHOLE, http(200, msgspec.json.encode(chat_body("Late.")))), "A plot."),
        (in_pieces(WHOLE, b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"), "A plot."),
        (then_close(b"HTTP/1.0 200 OK\r\n\r\n" + BODY), "A plot."),
    ],
    ids=["closes", "close", "second", "second, whole", "late second", "408 when idle", "HTTP/1.0"],
)
def test_a_connection_that_ends_or_brings_more_than_was_asked_for_is_not_used_again(
    run: Run, script: Script, text: str
) -> None:
    async def main() -> None:
        async with serving(script) as server:
            for outcome in await outcomes(server, 3):
                assert isinstance(outcome, Answer), outcome
                assert outcome.completion.choices[0].text == text
            assert server.connections == len(server.requests) == 3

    run(main())


@pytest.mark.parametrize("behind", [b"garbage\r\n\r\n", b"HTTP/1.1 200", b"\r\n", b"\0"])
@pytest.mark.parametrize("is_late", [False, True])
def test_what_comes_behind_an_answer_harms_no_other(run: Run, behind: bytes, is_late: bool) -> None:
    async def main() -> None:
        async with serving(in_pieces(WHOLE, behind) if is_late else raw(WHOLE + behind)) as server:
            for outcome in await outcomes(server, 3):
                assert isinstance(outcome, Answer), outcome
                assert outcome.completion.body == BODY
            assert server.connections == 3

    run(main())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + BODY, FailureKind.MALFORMED),
        (chunked(BODY)[:-5], FailureKind.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nContent-Le", FailureKind.RESET),
        (b"HTTP/1.1 100 Continue\r\n\r\n", FailureKind.RESET),
        (b"", FailureKind.RESET),
        (b"SSH-2.0-OpenSSH_9.6\r\n", FailureKind.MALFORMED),
    ],
    ids=["half body", "last chunk missing", "half head", "only interim", "nothing", "not HTTP"],
)
def test_half_an_answer_may_have_been_charged_and_is_asked_for_once(run: Run, answer: bytes, kind: FailureKind) -> None:
    async def main() -> None:
        async with serving(then_close(answer)) as server:
            first, second = await outcomes(server, 2)
            assert len(server.requests) == server.connections == 2
        for outcome in (first, second):
            assert isinstance(outcome, Failure)
            assert outcome.kind is kind
            assert outcome.maybe_charged

    run(main())


def test_a_connection_that_the_server_closed_while_it_was_unused_costs_no_call(run: Run) -> None:
    async def main() -> None:
        async def script(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(WHOLE)
            await passes()
            writer.close()

        async with serving(script) as server:
            assert all(isinstance(outcome, Answer) for outcome in await outcomes(server, 4))
            assert server.connections == 4

    run(main())


def test_a_connection_is_not_used_again_after_a_while(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", -1.0)

    async def main() -> None:
        async with serving(raw(WHOLE)) as server:
            assert all(isinstance(outcome, Answer) for outcome in await outcomes(server, 3))
            assert server.connections == 3

    run(main())


def test_large_and_small_answers_take_turns_on_one_connection(run: Run) -> None:
    async def main() -> None:
        large = msgspec.json.encode(chat_body("x" * 3_000_000))

        async def script(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(chunked(large) if len(server.requests) % 2 else WHOLE)

        async with serving(script) as server:
            bodies = [outcome.completion.body for outcome in await outcomes(server, 5) if isinstance(outcome, Answer)]
            assert bodies == [large, BODY, large, BODY, large]
            assert server.connections == 1

    run(main())


def test_a_proxy_is_told_the_whole_url_again_and_again_on_one_connection(run: Run) -> None:
    async def main() -> None:
        async with serving(raw(WHOLE)) as proxy:
            environ = {"HTTP_PROXY": f"http://alice:secret@127.0.0.1:{proxy.port}"}
            async with endpoint("http://api.test:8080/v1", environ=environ) as opened:
                assert all([isinstance(await opened.call(request(), 5.0), Answer) for _ in range(3)])
                await opened.model_exists("a/b")
            assert proxy.connections == 1
        lines = [seen.line for seen in proxy.requests]
        assert lines[:3] == ["POST http://api.test:8080/v1/chat/completions HTTP/1.1"] * 3
        assert lines[3] == "GET http://api.test:8080/v1/models/a/b HTTP/1.1"
        assert {seen.headers["host"] for seen in proxy.requests} == {"api.test:8080"}
        assert all(seen.headers["proxy-authorization"].startswith("Basic ") for seen in proxy.requests)

    run(main())


def test_nobody_loses_his_turn_when_those_before_him_give_up(run: Run) -> None:
    async def main() -> None:
        async def script(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if len(server.requests) > 1:
                writer.write(WHOLE)
            else:
                await reader.read()

        async with serving(script) as server, endpoint(server.url, concurrency=1) as opened:
            async with asyncio.TaskGroup() as group:
                stuck = group.create_task(opened.call(request(), 60.0))
                await server.received.wait()
                waiting = [group.create_task(opened.call(request(), 60.0)) for _ in range(4)]
                await asyncio.sleep(0)
                waiting[0].cancel()
                stuck.cancel()
            assert stuck.cancelled()
            assert waiting[0].cancelled()
            assert all(isinstance(task.result(), Answer) for task in waiting[1:])

    run(main())


def test_the_wait_for_a_place_counts_towards_the_deadline_and_nothing_is_sent(run: Run) -> None:
    async def main() -> None:
        async def script(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with serving(script) as server, endpoint(server.url, concurrency=1) as opened:
            async with asyncio.TaskGroup() as group:
                stuck = group.create_task(opened.call(request(), 60.0))
                await server.received.wait()
                began = time.monotonic()
                late = await opened.call(request(), 0.05)
                assert 0.04 < time.monotonic() - began < 2
                stuck.cancel()
            assert isinstance(late, Failure)
            assert late.kind is FailureKind.CONNECT
            assert not late.maybe_charged
            assert len(server.requests) == 1

    run(main())


def test_an_endpoint_on_a_host_of_another_alphabet_is_named_as_dns_names_it() -> None:
    async def main() -> None:
        async with serving(reply(200, chat_body())) as proxy:
            environ = {"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}"}
            await answered("http://bücher.test/v1", environ=environ)
        assert proxy.requests[0].headers["host"] == "xn--bcher-kva.test"

    asyncio.run(main())


def test_a_call_that_is_cancelled_before_its_request_leaves_is_never_sent(run: Run) -> None:
    async def main() -> None:
        async with serving(raw(WHOLE)) as server, endpoint(server.url, concurrency=1) as opened:
            assert isinstance(await opened.call(request(), 5.0), Answer)
            async with asyncio.TaskGroup() as group:
                task = group.create_task(opened.call(request(), 5.0))
                await asyncio.sleep(0)
                task.cancel()
            assert task.cancelled()
            assert isinstance(await opened.call(request(), 5.0), Answer)
            assert len(server.requests) == 2

    run(main())


def test_a_connection_that_is_lost_before_the_request_leaves_costs_nothing(run: Run) -> None:
    async def main() -> None:
        async with serving(raw(WHOLE)) as server, endpoint(server.url, concurrency=1) as opened:
            assert isinstance(await opened.call(request(), 5.0), Answer)
            async with asyncio.TaskGroup() as group:
                task = group.create_task(opened.call(request(), 5.0))
                await asyncio.sleep(0)
                await opened._connections.close()
            failure = task.result()
            assert isinstance(failure, Failure)
            assert failure.kind is FailureKind.RESET
            assert not failure.maybe_charged
            assert len(server.requests) == 1

    run(main())
