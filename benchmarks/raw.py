"""The ceiling: a loop of aiohttp calls with everything tuned and nothing else done.

Run as `python -m benchmarks.raw BASE_URL CALLS WIDTH`, it prints what it cost as JSON.
"""

import asyncio
import resource
import sys
from typing import Any

import aiohttp
import msgspec
import uvloop
import yarl

from benchmarks.answers import MODEL
from benchmarks.cost import Cost, measured
from benchmarks.specs import MAX_TOKENS, prompt_of


class Message(msgspec.Struct, gc=False):
    """The part of a chat completion that is read: the text."""

    content: str


class Choice(msgspec.Struct, gc=False):
    """One text and why it ended."""

    message: Message
    finish_reason: str


class PromptDetails(msgspec.Struct, gc=False):
    """Of the prompt's tokens."""

    cached_tokens: int


class CompletionDetails(msgspec.Struct, gc=False):
    """Of the completion's tokens."""

    reasoning_tokens: int


class Usage(msgspec.Struct, gc=False):
    """The tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails
    completion_tokens_details: CompletionDetails


class ChatCompletion(msgspec.Struct, gc=False):
    """An answer."""

    choices: list[Choice]
    usage: Usage


async def ask_all(base_url: str, calls: int, width: int) -> None:
    """Make so many calls, so many of them at once."""
    url = yarl.URL(f"{base_url}/chat/completions", encoded=True)
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "Authorization": "Bearer none"}
    encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(ChatCompletion).decode
    numbers = iter(range(calls))

    async def work(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            body = encode(_request(number))
            response = await session.post(url, data=body, headers=headers, allow_redirects=False)
            answer = decode(await response.read())
            if answer.choices[0].finish_reason != "stop":
                raise RuntimeError("the server gave something else than its prepared answer")

    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=width),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
        ) as session,
        asyncio.TaskGroup() as workers,
    ):
        for _ in range(width):
            workers.create_task(work(session))


def _request(number: int) -> dict[str, Any]:
    return {"max_tokens": MAX_TOKENS, "model": MODEL, "messages": [{"role": "user", "content": prompt_of(number)}]}


def main() -> None:
    """Measure the loop."""
    base_url, calls, width = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    cost = Cost(calls)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, measured(cost):
        runner.run(ask_all(base_url, calls, width))
    print(msgspec.json.encode(cost).decode())


if __name__ == "__main__":
    main()
