import asyncio
import json

import aiohttp
import openai
import pytest

from corpusmill.simulate import SimulateOptions
from tests.simulate.harness import PLOT_PROMPT, chat_body, http, sdk


def always(fault: str, **options: float) -> SimulateOptions:
    return SimulateOptions(faults={fault: 1.0}, **options)  # type: ignore[arg-type] # the tests name the fields


@pytest.mark.parametrize(
    ("fault", "kind", "code", "error_type"),
    [
        ("rate_limit", openai.RateLimitError, "rate_limit_exceeded", "requests"),
        ("quota", openai.RateLimitError, "insufficient_quota", "insufficient_quota"),
        ("unauthorized", openai.AuthenticationError, "invalid_api_key", "invalid_request_error"),
        ("bad_request", openai.BadRequestError, None, "invalid_request_error"),
        ("context_length", openai.BadRequestError, "context_length_exceeded", "invalid_request_error"),
        ("http_500", openai.InternalServerError, None, "server_error"),
        ("http_503", openai.InternalServerError, "server_is_overloaded", "server_error"),
    ],
)
def test_refusals_are_typed_as_the_official_client_types_them(
    fault: str, kind: type[openai.APIStatusError], code: str | None, error_type: str
) -> None:
    async def scenario() -> None:
        async with sdk(always(fault)) as client:
            with pytest.raises(kind) as caught:
                await client.chat.completions.create(
                    model="simulated", messages=[{"role": "user", "content": PLOT_PROMPT}]
                )
        assert (caught.value.code, caught.value.type) == (code, error_type)
        assert ("retry-after" in caught.value.response.headers) == (fault == "rate_limit")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset", openai.APIConnectionError),
        ("truncation", openai.APIConnectionError),
        ("hang", openai.APIConnectionError),
        ("garbage", ValueError),
    ],
)
def test_the_official_client_fails_where_the_transport_does(fault: str, kind: type[Exception]) -> None:
    async def scenario() -> None:
        async with sdk(always(fault, hang_seconds=0.05)) as client:
            with pytest.raises(kind):
                await client.chat.completions.create(
                    model="simulated", messages=[{"role": "user", "content": PLOT_PROMPT}]
                )

    asyncio.run(scenario())


def test_a_truncated_answer_promises_more_than_it_brings() -> None:
    async def scenario() -> None:
        async with (
            http(always("truncation")) as client,
            client.post("v1/chat/completions", data=chat_body()) as response,
        ):
            assert response.status == 200
            promised = int(response.headers["Content-Length"])
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
            received = response.content.total_bytes
            assert 0 < received < promised

    asyncio.run(scenario())


def test_a_reset_comes_before_the_answer_or_in_its_middle() -> None:
    async def met(client: aiohttp.ClientSession, prompt: str) -> str:
        try:
            async with client.post("v1/chat/completions", data=chat_body(prompt)) as response:
                with pytest.raises((aiohttp.ClientPayloadError, ConnectionResetError, aiohttp.ClientOSError)):
                    await response.read()
                return "middle"
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            return "before"

    async def scenario() -> None:
        async with http(always("reset")) as client:
            assert {await met(client, f"Write a plot: {number}") for number in range(20)} == {"before", "middle"}

    asyncio.run(scenario())


def test_garbage_claims_to_be_json() -> None:
    async def scenario() -> None:
        async with http(always("garbage")) as client, client.post("v1/chat/completions", data=chat_body()) as response:
            assert (response.status, response.content_type) == (200, "application/json")
            with pytest.raises(ValueError, match="utf-8"):
                json.loads(await response.read())

    asyncio.run(scenario())


def test_a_wrong_content_type_is_a_page() -> None:
    async def scenario() -> None:
        async with (
            http(always("content_type")) as client,
            client.post("v1/completions", data=legacy_body()) as response,
        ):
            assert (response.status, response.content_type) == (200, "text/html")
            assert (await response.text()).startswith("<!doctype html>")

    asyncio.run(scenario())


def legacy_body() -> bytes:
    return b'{"model": "simulated", "prompt": "Go on."}'


def test_an_answer_without_choices_is_paid_for() -> None:
    async def scenario() -> None:
        async with sdk(always("empty_choice")) as client:
            answer = await client.chat.completions.create(
                model="simulated", messages=[{"role": "user", "content": PLOT_PROMPT}]
            )
        assert answer.choices == []
        assert answer.usage is not None
        assert answer.usage.completion_tokens > 0

    asyncio.run(scenario())


def test_a_hang_ends_when_the_client_leaves_and_is_counted_as_one() -> None:
    async def scenario() -> None:
        async with http(always("hang")) as client:
            with pytest.raises(TimeoutError):
                async with client.post(
                    "v1/chat/completions", data=chat_body(), timeout=aiohttp.ClientTimeout(total=0.1)
                ):
                    pass
            async with client.get("stats") as response:
                stats = await response.json()
        assert (stats["in_flight"], stats["outcomes"]) == (0, {"hang": 1})
        assert stats["tokens"]["used"] == 0

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("fault", "finish_reason"),
    [("refusal", "stop"), ("length", "length"), ("content_filter", "content_filter"), ("near_duplicate", "stop")],
)
def test_faults_of_the_text_end_as_they_would_in_earnest(fault: str, finish_reason: str) -> None:
    async def scenario() -> None:
        async with sdk(always(fault)) as client:
            answers = [
                await client.chat.completions.create(
                    model="simulated", messages=[{"role": "user", "content": f"{number % 20}: write a plot"}]
                )
                for number in range(40)
            ]
        texts = [answer.choices[0].message.content or "" for answer in answers]
        assert {answer.choices[0].finish_reason for answer in answers} == {finish_reason}
        assert texts[:20] == texts[20:]
        lengths = {"refusal": range(20, 200), "content_filter": range(1)}.get(fault, range(200, 4_000))
        assert all(len(text) in lengths for text in texts)

    asyncio.run(scenario())


def test_exact_duplicates_repeat_a_few_texts_over_many_prompts() -> None:
    async def scenario() -> None:
        async with sdk(always("exact_duplicate")) as client:
            answers = [
                await client.chat.completions.create(
                    model="simulated", messages=[{"role": "user", "content": f"{number}: write a plot"}]
                )
                for number in range(60)
            ]
        assert 2 <= len({answer.choices[0].message.content for answer in answers}) <= 16

    asyncio.run(scenario())


def test_asking_again_gets_past_every_fault_of_the_transport() -> None:
    async def scenario() -> None:
        names = ("rate_limit", "http_500", "http_503", "reset", "garbage", "truncation", "content_type", "empty_choice")
        async with http(SimulateOptions(faults=dict.fromkeys(names, 0.1))) as client:
            for number in range(15):
                assert await answered(client, f"Go on: {number}")

    async def answered(client: aiohttp.ClientSession, prompt: str) -> bool:
        for _ in range(60):
            try:
                async with client.post("v1/chat/completions", data=chat_body(prompt)) as response:
                    if json.loads(await response.read())["choices"]:
                        return True
            except (aiohttp.ClientError, ConnectionResetError, ValueError, KeyError):
                continue
        return False

    asyncio.run(scenario())
