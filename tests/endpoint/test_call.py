import asyncio
import gzip
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest
import uvloop

from corpusmill import __version__
from corpusmill.chain.completion import Choice, Prompt, Usage
from corpusmill.endpoint.client import Answer
from corpusmill.endpoint.failures import Failure, FailureKind
from tests.endpoint.asking import answered, endpoint, failed, request
from tests.endpoint.scripted import Request, ScriptedServer, chat_body, http, raw, reply, serving, then_hang

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    chosen: Run = request.param
    return chosen


def test_a_chat_call_asks_what_it_is_told_and_yields_what_it_gets(run: Run) -> None:
    async def main() -> None:
        async with serving(reply(200, chat_body("A plot."), {"X-RateLimit-Remaining-Requests": "99"})) as server:
            prompt = Prompt("chat", "Imagine a plot.", system="You write.")
            answer = await answered(server.url + "/", request(prompt, temperature=1.0, max_tokens=7))
        assert answer.completion.choices == (Choice("A plot.", "stop"),)
        assert answer.completion.usage == Usage(12, 0, 5, 0)
        assert answer.completion.usage_known
        assert answer.completion.body == msgspec.json.encode(chat_body("A plot."))
        assert answer.headers["x-ratelimit-remaining-requests"] == "99"
        assert 0 <= answer.seconds < 5
        (sent,) = server.requests
        assert sent.line == "POST /v1/chat/completions HTTP/1.1"
        assert sent.json == {
            "model": "gpt-test",
            "messages": [{"role": "system", "content": "You write."}, {"role": "user", "content": "Imagine a plot."}],
            "temperature": 1.0,
            "max_tokens": 7,
        }
        assert sent.headers["authorization"] == "Bearer sk-test-0123456789"
        assert sent.headers["user-agent"] == f"corpusmill/{__version__}"
        assert sent.headers["content-type"] == "application/json"
        assert sent.headers["accept-encoding"] == "identity"
        assert "cookie" not in sent.headers

    run(main())


def test_a_legacy_completion_sends_a_prompt_and_reads_a_text() -> None:
    async def main() -> None:
        body = {
            "choices": [{"text": " once", "finish_reason": "length"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 1},
        }
        async with serving(reply(200, body)) as server:
            answer = await answered(server.url, request(Prompt("completions", "Tell:"), stream=True), key=None)
        assert answer.completion.choices == (Choice(" once", "length"),)
        assert answer.completion.usage == Usage(3, 0, 1, 0)
        (sent,) = server.requests
        assert sent.line == "POST /v1/completions HTTP/1.1"
        assert sent.json == {"model": "gpt-test", "prompt": "Tell:", "stream": False}
        assert "authorization" not in sent.headers

    asyncio.run(main())


def completion(body: object) -> Answer:
    async def main() -> Answer:
        async with serving(reply(200, body)) as server:
            return await answered(server.url)

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("message", "finish_reason", "choice"),
    [
        (
            {
                "content": [
                    {"type": "text", "text": "a"},
                    {"type": "thinking", "thinking": []},
                    {"type": "text", "text": "b"},
                ]
            },
            "stop",
            Choice("ab", "stop"),
        ),
        ({"content": None, "refusal": "I cannot."}, "stop", Choice("I cannot.", "refusal")),
        ({"content": None, "reasoning_content": "hm"}, "length", Choice("", "length")),
        ({"content": ""}, "content_filter", Choice("", "content_filter")),
        ({"content": "x"}, None, Choice("x", "")),
        ({"content": "größer ≠ 😀"}, "stop", Choice("größer ≠ 😀", "stop")),
    ],
)
def test_messages_in_all_their_forms(message: object, finish_reason: str | None, choice: Choice) -> None:
    body = {"choices": [{"message": message, "finish_reason": finish_reason}]}
    assert completion(body).completion.choices == (choice,)


def test_several_choices_come_in_order_even_if_one_is_empty() -> None:
    choices = [{"message": {"content": text}, "finish_reason": "stop"} for text in ("a", "", "c")]
    assert [choice.text for choice in completion({"choices": choices}).completion.choices] == ["a", "", "c"]


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({}, Usage(9, 0, 4, 0)),
        ({"prompt_tokens_details": {"cached_tokens": 8}}, Usage(9, 8, 4, 0)),
        ({"prompt_tokens_details": {"cached_tokens": 10}}, Usage(9, 9, 4, 0)),
        ({"prompt_tokens_details": None, "completion_tokens_details": None}, Usage(9, 0, 4, 0)),
        ({"prompt_cache_hit_tokens": 6}, Usage(9, 6, 4, 0)),
        ({"completion_tokens_details": {"reasoning_tokens": 3}}, Usage(9, 0, 4, 3)),
        ({"total_tokens": 107, "completion_tokens_details": {"reasoning_tokens": 94}}, Usage(9, 0, 98, 94)),
        ({"prompt_tokens": 9.0, "completion_tokens": 4.0}, Usage(9, 0, 4, 0)),
    ],
)
def test_usage_as_servers_report_it(details: dict[str, object], expected: Usage) -> None:
    answer = completion(chat_body(usage={"prompt_tokens": 9, "completion_tokens": 4} | details))
    assert answer.completion.usage_known
    assert answer.completion.usage == expected


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": -1, "completion_tokens": 2},
        "many",
        {"prompt_tokens": 5},
    ],
)
def test_an_answer_is_kept_although_its_usage_is_useless(usage: object) -> None:
    answer = completion(chat_body("kept", usage=usage))
    assert answer.completion.choices[0].text == "kept"
    assert not answer.completion.usage_known
    assert answer.completion.usage == Usage()


def test_an_answer_without_a_usage_field() -> None:
    body = chat_body("kept")
    del body["usage"]
    assert not completion(body).completion.usage_known


def test_the_body_becomes_one_line_that_means_the_same(run: Run) -> None:
    async def main() -> None:
        body = chat_body("one\ntwo\r\nthree ")
        pretty = b"\n\n" + msgspec.json.format(msgspec.json.encode(body), indent=2).replace(b"\n", b"\r\n") + b"\n"
        async with serving(reply(200, pretty)) as server:
            answer = await answered(server.url)
        assert not set(b"\r\n") & set(answer.completion.body)
        assert msgspec.json.decode(answer.completion.body) == body
        assert answer.completion.choices[0].text == "one\ntwo\r\nthree "

    run(main())


def test_a_packed_and_chunked_answer_is_unpacked(run: Run) -> None:
    async def main() -> None:
        packed = gzip.compress(msgspec.json.encode(chat_body("x" * 100_000)))
        half = len(packed) // 2
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (packed[:half], packed[half:], b""))
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
        async with serving(raw(head + chunks)) as server:
            answer = await answered(server.url)
        assert answer.completion.choices[0].text == "x" * 100_000

    run(main())


def test_an_answer_that_ends_with_its_connection() -> None:
    async def script(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + msgspec.json.encode(chat_body("old")))
        writer.close()

    async def main() -> None:
        async with serving(script) as server:
            assert (await answered(server.url)).completion.choices[0].text == "old"

    asyncio.run(main())


def test_connections_are_kept_and_never_more_than_the_concurrency(run: Run) -> None:
    async def main() -> None:
        async with serving(reply(200, chat_body())) as server:
            async with endpoint(server.url, concurrency=3) as opened, asyncio.TaskGroup() as group:
                for _ in range(30):
                    group.create_task(opened.call(request(), 5.0))
            assert len(server.requests) == 30
            assert server.connections <= 3

    run(main())


def test_cancelling_a_call_closes_its_connection_and_frees_its_place(run: Run) -> None:
    async def main() -> None:
        async with serving(then_hang(b"")) as server, endpoint(server.url, concurrency=1) as opened:
            async with asyncio.TaskGroup() as group:
                task = group.create_task(opened.call(request(), 60.0))
                await server.received.wait()
                task.cancel()
            await asyncio.wait_for(server.hung_up.wait(), 5.0)
            assert task.cancelled()
            late = await opened.call(request(), 0.05)
            assert isinstance(late, Failure)
            assert late.kind is FailureKind.TIMEOUT
            assert len(server.requests) == 2

    run(main())


@pytest.mark.parametrize("call", [request(bad=object()), request(Prompt("chat", "half an emoji: \ud83d"))])
def test_what_json_cannot_say_fails_the_item_and_sends_nothing(call: Any) -> None:
    async def main(server: ScriptedServer) -> None:
        failure = await failed(server.url, call)
        assert failure.kind is FailureKind.BAD_REQUEST
        assert not failure.maybe_charged
        assert server.connections == 0

    async def serve() -> None:
        async with serving(reply(200, chat_body())) as server:
            await main(server)

    asyncio.run(serve())


def test_a_prompt_of_megabytes_goes_through() -> None:
    async def main() -> None:
        async with serving(reply(200, chat_body())) as server:
            await answered(server.url, request(Prompt("chat", "x" * 3_000_000)))
        assert len(server.requests[0].body) > 3_000_000

    asyncio.run(main())


@pytest.mark.parametrize(
    ("told", "kept"),
    [(b"req_1", "req_1"), (b"r" * 300, "r" * 200), (b"\xff\xfe", ""), (b"a\tb", "")],
)
def test_the_providers_request_id_is_kept_where_it_can_be_written(told: bytes, kept: str) -> None:
    async def main() -> None:
        answer = http(200, msgspec.json.encode(chat_body())).replace(b"\r\n", b"\r\nX-Request-ID: " + told + b"\r\n", 1)
        async with serving(raw(answer)) as server:
            assert (await answered(server.url)).completion.request_id == kept

    asyncio.run(main())
