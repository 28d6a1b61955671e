"""One call to a scripted server, in a line."""

from typing import Any

from corpusmill.chain.completion import Prompt
from corpusmill.endpoint.client import Answer, CallRequest, Endpoint
from corpusmill.endpoint.failures import Failure
from corpusmill.endpoint.secret import Secret

PROMPT = Prompt("chat", "Imagine a plot.")
DEADLINE_SECONDS = 5.0
NOW_WALL = 1_700_000_000.0


def request(prompt: Prompt = PROMPT, model: str = "gpt-test", **parameters: Any) -> CallRequest:
    return CallRequest(model, prompt, parameters)


def endpoint(url: str, key: str | None = "sk-test-0123456789", **options: Any) -> Endpoint:
    return Endpoint(
        url, Secret(key) if key else None, options.pop("concurrency", 4), wall_clock=lambda: NOW_WALL, **options
    )


async def ask(
    url: str, call: CallRequest | None = None, deadline_seconds: float = DEADLINE_SECONDS, **options: Any
) -> Answer | Failure:
    async with endpoint(url, **options) as opened:
        return await opened.call(call or request(), deadline_seconds)


async def answered(url: str, call: CallRequest | None = None, **options: Any) -> Answer:
    outcome = await ask(url, call, **options)
    assert isinstance(outcome, Answer), outcome
    return outcome


async def failed(url: str, call: CallRequest | None = None, **options: Any) -> Failure:
    outcome = await ask(url, call, **options)
    assert isinstance(outcome, Failure), outcome
    return outcome
