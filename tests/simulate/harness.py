"""What the tests of this room share: a prompt, and a served endpoint with clients of two kinds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
from openai import AsyncOpenAI

from corpusmill.simulate import SimulateOptions, serving

PLOT_PROMPT = "Imagine a plot outline for a science fiction film set in Peru during the 1920s. The story should be sad."


def chat_body(prompt: str = PLOT_PROMPT, **parameters: Any) -> bytes:
    """Body of a chat request with one user message."""
    message = {"role": "user", "content": prompt}
    return msgspec.json.encode({"model": "simulated", "messages": [message], **parameters})


@asynccontextmanager
async def sdk(options: SimulateOptions | None = None, api_key: str = "any") -> AsyncIterator[AsyncOpenAI]:
    """The official client, which knows nothing of this project, against a served endpoint."""
    async with (
        serving(options or SimulateOptions()) as base_url,
        AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0, timeout=10) as client,
    ):
        yield client


@asynccontextmanager
async def http(options: SimulateOptions | None = None) -> AsyncIterator[aiohttp.ClientSession]:
    """A plain HTTP client whose addresses are relative to the root of a served endpoint."""
    async with (
        serving(options or SimulateOptions()) as base_url,
        aiohttp.ClientSession(base_url.removesuffix("v1"), timeout=aiohttp.ClientTimeout(total=10)) as client,
    ):
        yield client
