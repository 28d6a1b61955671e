import asyncio
import re
import statistics
from collections.abc import AsyncIterator

import openai
import pytest
from aiohttp.test_utils import TestClient, TestServer
from openai.types.chat import ChatCompletionContentPartParam, ChatCompletionMessageParam

from corpusmill.simulate import SimulateOptions, create_app
from corpusmill.simulate.chance import prompt_key
from corpusmill.simulate.simulation import Simulation
from corpusmill.simulate.wire import read_chat
from tests.simulate.harness import PLOT_PROMPT, chat_body, http, sdk


def messages(prompt: str = PLOT_PROMPT) -> list[ChatCompletionMessageParam]:
    return [{"role": "system", "content": "You are a screenwriter."}, {"role": "user", "content": prompt}]


def test_a_chat_is_answered_in_the_form_the_official_client_reads() -> None:
    async def scenario() -> None:
        async with sdk() as client:
            raw = await client.chat.completions.with_raw_response.create(model="simulated", messages=messages())
            answer = raw.parse()
            again = await client.chat.completions.create(model="simulated", messages=messages())
        assert raw.headers["x-corpusmill-simulated"] == "true"
        assert answer.system_fingerprint == "simulated"
        assert answer.id.startswith("chatcmpl-sim-")
        assert answer.id != again.id
        assert answer.choices[0].finish_reason == "stop"
        assert "Peru" in (answer.choices[0].message.content or "")
        assert answer.choices == again.choices
        usage = answer.usage
        assert usage is not None
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
        assert usage.completion_tokens == -(-len(answer.choices[0].message.content or "") // 4)
        assert usage.prompt_tokens_details is not None
        assert usage.prompt_tokens_details.cached_tokens == 0
        assert usage.completion_tokens_details is not None
        assert usage.completion_tokens_details.reasoning_tokens == 0

    asyncio.run(scenario())


def test_max_tokens_and_stop_cut_the_text() -> None:
    async def scenario() -> None:
        async with sdk() as client:
            whole = await client.chat.completions.create(model="simulated", messages=messages())
            short = await client.chat.completions.create(model="simulated", messages=messages(), max_tokens=20)
            newer = await client.chat.completions.create(
                model="simulated", messages=messages(), max_completion_tokens=20
            )
            stopped = await client.chat.completions.create(
                model="simulated", messages=messages(), stop=[". ", "zebra"], max_tokens=900
            )
        text = whole.choices[0].message.content or ""
        assert short.choices[0].message.content == text[:80]
        assert short.choices[0].finish_reason == "length"
        assert short.usage is not None
        assert short.usage.completion_tokens == 20
        assert newer.choices == short.choices
        assert stopped.choices[0].message.content == text.split(". ")[0]
        assert stopped.choices[0].finish_reason == "stop"

    asyncio.run(scenario())


def test_several_choices_are_different_and_all_paid_for() -> None:
    async def scenario() -> None:
        async with sdk() as client:
            answer = await client.chat.completions.create(model="simulated", messages=messages(), n=4)
        texts = [choice.message.content or "" for choice in answer.choices]
        assert len(set(texts)) == 4
        assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
        assert answer.usage is not None
        assert answer.usage.completion_tokens == sum(-(-len(text) // 4) for text in texts)

    asyncio.run(scenario())


def test_the_legacy_interface_answers_each_prompt_and_stops_at_sixteen_tokens_unless_told() -> None:
    async def scenario() -> None:
        async with sdk() as client:
            one = await client.completions.create(model="simulated", prompt=PLOT_PROMPT, max_tokens=1000)
            two = await client.completions.create(model="simulated", prompt=["Go on.", "Stop."], n=2)
        assert one.object == "text_completion"
        assert one.choices[0].finish_reason == "stop"
        assert "Peru" in one.choices[0].text
        assert [choice.index for choice in two.choices] == [0, 1, 2, 3]
        assert {choice.finish_reason for choice in two.choices} == {"length"}
        assert all(len(choice.text) == 64 for choice in two.choices)

    asyncio.run(scenario())


def test_json_is_given_where_the_response_format_asks_for_it() -> None:
    async def scenario() -> None:
        async with sdk() as client:
            answer = await client.chat.completions.create(
                model="simulated", messages=messages("Describe it."), response_format={"type": "json_object"}
            )
        assert (answer.choices[0].message.content or "").startswith("{")

    asyncio.run(scenario())


def test_models_are_those_configured_and_those_with_a_known_price() -> None:
    async def scenario() -> None:
        async with sdk(SimulateOptions(models=("first", "owner/second"))) as client:
            listed = [model.id async for model in client.models.list()]
            assert listed == ["first", "owner/second"]
            for name in [*listed, "gpt-4o-mini"]:
                assert (await client.models.retrieve(name)).id == name
            priced = await client.chat.completions.create(model="gpt-4o-mini", messages=messages())
            assert priced.model == "gpt-4o-mini"
            with pytest.raises(openai.NotFoundError) as caught:
                await client.models.retrieve("zebra")
            assert caught.value.code == "model_not_found"
            with pytest.raises(openai.NotFoundError, match="`zebra`"):
                await client.chat.completions.create(model="zebra", messages=messages())

    asyncio.run(scenario())


@pytest.mark.parametrize("key", ["wrong", "sk-righ"])
def test_a_wrong_key_is_refused_everywhere_and_never_repeated(key: str) -> None:
    async def scenario() -> None:
        async with sdk(SimulateOptions(api_key="sk-right"), api_key=key) as client:
            for attempt in (
                client.chat.completions.create(model="simulated", messages=messages()),
                client.models.retrieve("simulated"),
                client.models.list(),
            ):
                with pytest.raises(openai.AuthenticationError) as caught:
                    await attempt
                assert caught.value.code == "invalid_api_key"
                assert key.strip() not in caught.value.message.replace("API", "")

    asyncio.run(scenario())


def test_the_right_key_is_accepted() -> None:
    async def scenario() -> None:
        async with sdk(SimulateOptions(api_key="sk-right"), api_key="sk-right") as client:
            assert (await client.models.list()).data[0].id == "simulated"

    asyncio.run(scenario())


def test_a_missing_key_is_refused() -> None:
    async def scenario() -> None:
        async with http(SimulateOptions(api_key="sk-right")) as client, client.get("v1/models") as response:
            assert response.status == 401

    asyncio.run(scenario())


def test_streaming_is_refused_as_not_simulated() -> None:
    async def scenario() -> None:
        async with sdk() as client:
            with pytest.raises(openai.BadRequestError, match="not simulated") as caught:
                await client.chat.completions.create(model="simulated", messages=messages(), stream=True)
            assert caught.value.param == "stream"

    asyncio.run(scenario())


def test_a_429_tells_the_official_client_all_it_needs() -> None:
    async def scenario() -> None:
        options = SimulateOptions(tokens_per_minute=6_000, used_up=True)
        async with sdk(options) as client:
            with pytest.raises(openai.RateLimitError) as caught:
                await client.chat.completions.create(model="simulated", messages=messages("Go on."), max_tokens=100)
            with pytest.raises(openai.RateLimitError, match="Request too large") as never:
                await client.chat.completions.create(model="simulated", messages=messages(), max_tokens=6_000)
        error, headers = caught.value, caught.value.response.headers
        assert (error.code, error.type) == ("rate_limit_exceeded", "tokens")
        told = re.search(r"on tokens per min \(TPM\): Limit 6000, Used (\d+), Requested 119\.", error.message)
        assert told is not None
        wait_milliseconds = (int(told[1]) + 119 - 6_000) * 10
        told_wait = f"{wait_milliseconds / 1_000:g}s" if wait_milliseconds >= 1_000 else f"{wait_milliseconds}ms"
        assert f"Please try again in {told_wait}." in error.message
        assert headers["retry-after-ms"] == str(wait_milliseconds)
        assert headers["retry-after"] == str(-(-wait_milliseconds // 1_000))
        assert headers["x-ratelimit-remaining-tokens"] == str(6_000 - int(told[1]))
        assert "retry-after" not in never.value.response.headers

    asyncio.run(scenario())


def test_both_clocks_are_those_passed_in() -> None:
    async def scenario() -> None:
        seconds = iter([0.0, 0.0, 0.0, 30.0, 30.0, 60.0, 60.0])
        app = create_app(SimulateOptions(requests_per_minute=1), clock=lambda: next(seconds), wall_clock=lambda: 123.9)
        async with TestClient(TestServer(app)) as client:
            statuses = []
            for _ in range(3):
                async with client.post("/chat/completions", data=chat_body()) as response:
                    statuses.append((response.status, response.headers.get("retry-after-ms")))
                    body = await response.json()
            assert statuses == [(200, None), (429, "60000"), (200, None)]
            assert body["created"] == 123

    asyncio.run(scenario())


def test_headers_come_with_every_answer_of_a_limited_endpoint_good_or_bad() -> None:
    async def scenario() -> None:
        async with http(SimulateOptions(requests_per_minute=10)) as client:
            for body, status in ((chat_body(), 200), (b"{", 400), (chat_body(n=0), 400)):
                async with client.post("v1/chat/completions", data=body) as response:
                    assert response.status == status
                    assert response.headers["x-ratelimit-limit-requests"] == "10"
                    assert response.headers["x-ratelimit-remaining-requests"] == "9"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"model": "simulated"}',
        b'{"messages": [{"role": "user", "content": "x"}]}',
        b'{"model": 1, "messages": [{"role": "user", "content": "x"}]}',
        b'{"model": "simulated", "messages": []}',
        b'{"model": "simulated", "messages": [{"role": "zebra", "content": "x"}]}',
        chat_body(max_tokens=0),
        chat_body(n="many"),
        chat_body(stop=7),
    ],
)
def test_a_body_of_another_form_is_refused_in_openais_form(body: bytes) -> None:
    async def scenario() -> None:
        async with http() as client, client.post("chat/completions", data=body) as response:
            assert response.status == 400
            error = (await response.json())["error"]
            assert set(error) == {"message", "type", "param", "code"}
            assert error["type"] == "invalid_request_error"

    asyncio.run(scenario())


def test_a_body_that_is_too_large_is_refused() -> None:
    async def scenario() -> None:
        async with http() as client, client.post("v1/completions", data=mebibytes(33)) as response:
            assert response.status == 413
            assert (await response.json())["error"]["code"] == "request_too_large"

    async def mebibytes(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 2**20

    asyncio.run(scenario())


def test_other_addresses_are_unknown() -> None:
    async def scenario() -> None:
        async with http() as client:
            for method, path in (
                ("GET", "v1/embeddings"),
                ("GET", "v1/chat/completions"),
                ("DELETE", "v1/models/simulated"),
            ):
                async with client.request(method, path) as response:
                    assert response.status == 404
                    assert (await response.json())["error"]["code"] == "unknown_url"
                    assert response.headers["x-corpusmill-simulated"] == "true"
            async with client.get("healthz") as response:
                assert await response.json() == {"status": "ok", "simulated": True}

    asyncio.run(scenario())


def test_parts_of_a_message_are_read_as_its_text() -> None:
    parts: list[ChatCompletionContentPartParam] = [
        {"type": "text", "text": "Say yes or no."},
        {"type": "image_url", "image_url": {"url": "data:x"}},
    ]

    async def scenario() -> None:
        async with sdk() as client:
            answer = await client.chat.completions.create(
                model="simulated",
                messages=[{"role": "user", "content": parts}],
            )
        assert answer.choices[0].message.content in ("Yes", "No")

    asyncio.run(scenario())


def test_a_repeated_beginning_is_reported_as_cached_where_asked_for() -> None:
    async def scenario() -> None:
        async with sdk(SimulateOptions(prompt_cache=True)) as client:
            cached = []
            for ending in ("one", "two"):
                prompt = "The same long document. " * 400 + ending
                answer = await client.chat.completions.create(
                    model="simulated", messages=[{"role": "user", "content": prompt}]
                )
                assert answer.usage is not None
                assert answer.usage.prompt_tokens_details is not None
                cached.append(answer.usage.prompt_tokens_details.cached_tokens)
        assert cached == [0, 1024]

    asyncio.run(scenario())


def test_latency_has_the_mean_and_the_spread_asked_for_and_is_the_same_every_time() -> None:
    def delays() -> list[float]:
        simulation = Simulation(SimulateOptions(latency_seconds=2.0, latency_spread=0.5), 0.0)
        calls = [read_chat(chat_body(f"Say yes or no: {number}")) for number in range(2_000)]
        return [simulation.answer(call, 0.0, 0).delay_seconds for call in calls]

    first = delays()
    assert first == delays()
    assert statistics.mean(first) == pytest.approx(2.0, rel=0.05)
    assert statistics.median(first) == pytest.approx(2.0 * 2.718 ** (-0.125), rel=0.05)
    assert min(first) > 0.2


def test_keys_of_prompts_differ_by_seed_prompt_and_role() -> None:
    assert prompt_key(1, "a") != prompt_key(2, "a")
    assert prompt_key(-1, "a") == prompt_key(2**64 - 1, "a")
    as_user = read_chat(chat_body("a"))
    as_system = read_chat(chat_body("a").replace(b'"user"', b'"system"'))
    assert as_user.identity != as_system.identity
