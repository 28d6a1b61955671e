"""What most programs do: a loop of calls through the openai SDK.

Run as `python -m benchmarks.sdk BASE_URL CALLS WIDTH`, it prints what it cost as JSON.
"""

import asyncio
import sys

import msgspec
import openai
import uvloop

from benchmarks.answers import MODEL
from benchmarks.cost import Cost, measured
from benchmarks.specs import MAX_TOKENS, prompt_of


async def ask_all(base_url: str, calls: int, width: int) -> None:
    """Make so many calls, so many of them at once."""
    numbers = iter(range(calls))

    async def work(client: openai.AsyncOpenAI) -> None:
        for number in numbers:
            answer = await client.chat.completions.create(
                model=MODEL, max_tokens=MAX_TOKENS, messages=[{"role": "user", "content": prompt_of(number)}]
            )
            if answer.choices[0].finish_reason != "stop":
                raise RuntimeError("the server gave something else than its prepared answer")

    async with (
        openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0) as client,
        asyncio.TaskGroup() as workers,
    ):
        for _ in range(width):
            workers.create_task(work(client))


def main() -> None:
    """Measure the loop."""
    base_url, calls, width = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    cost = Cost(calls)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, measured(cost):
        runner.run(ask_all(base_url, calls, width))
    print(msgspec.json.encode(cost).decode())


if __name__ == "__main__":
    main()
