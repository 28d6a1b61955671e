"""A model of a rate-limited endpoint: admits or refuses by its meters, and answers after a while.

Rule of this file: it is a server, so it decides at the moment a request arrives, and tells in its headers what it knew
then. It counts every admission and refusal by sender.
"""

import asyncio
import random
from collections import Counter

import msgspec

from benchmarks.limits.meters import Meter

NET_SECONDS = (0.01, 0.03)


class Request(msgspec.Struct, frozen=True):
    """What a client sends, and what only the server knows: how long the answer will be."""

    input_tokens: int
    max_tokens: int
    output_tokens: int


class Reply(msgspec.Struct, frozen=True):
    """What comes back: 200 with usage, 429 or 503 with the wait it asks for."""

    status: int
    headers: dict[str, str]
    retry_after_seconds: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0


class Workload:
    """Prompts of about 400 tokens and answers of about 600, of different lengths."""

    def __init__(self, chance: random.Random, max_tokens: int = 2048) -> None:
        self._chance = chance
        self._max_tokens = max_tokens

    def request(self) -> Request:
        """Return the next request."""
        input_tokens = max(20, round(self._chance.lognormvariate(5.95, 0.3)))
        output_tokens = max(1, round(self._chance.lognormvariate(6.3, 0.4)))
        return Request(input_tokens, self._max_tokens, min(output_tokens, self._max_tokens))


class Server:
    """An endpoint with a requests meter, a tokens meter, or both.

    Args:
        requests: counts requests.
        tokens: counts tokens: prompt and `max_tokens` at admission.
        settles: the tokens are corrected to what was used when the answer is done; else they stay taken.
        tells_headers: answers carry `x-ratelimit-*`.
        tells_resets: and say when all of it is back.
        asks_seconds: what every refusal asks for, whatever is left of the window; None for the exact wait.
        latency_seconds: of an answer of 600 tokens; it grows with the answer's length.
        chance: randomness of the network.
    """

    def __init__(
        self,
        chance: random.Random,
        *,
        requests: Meter | None = None,
        tokens: Meter | None = None,
        settles: bool = False,
        tells_headers: bool = True,
        tells_resets: bool = True,
        asks_seconds: float | None = None,
        latency_seconds: float = 9.0,
    ) -> None:
        self.requests, self.tokens = requests, tokens
        self.accepted: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._settles = settles
        self._tells_headers = tells_headers
        self._tells_resets = tells_resets
        self._asks_seconds = asks_seconds
        self._latency_seconds = latency_seconds
        self._chance = chance

    async def call(self, request: Request, sender: str) -> Reply:
        """Take a request: some milliseconds of network, then a refusal at once or an answer after its latency."""
        await asyncio.sleep(self._chance.uniform(*NET_SECONDS))
        now = asyncio.get_running_loop().time()
        taken = request.input_tokens + request.max_tokens
        wait_seconds = max(
            self.requests.wait_seconds(1, now) if self.requests else 0.0,
            self.tokens.wait_seconds(taken, now) if self.tokens else 0.0,
        )
        if wait_seconds > 0:
            self.refused[sender] += 1
            return Reply(429, self._headers(now), self._asks_seconds or wait_seconds)
        self.accepted[sender] += 1
        if self.requests:
            self.requests.charge(1, now)
        if self.tokens:
            self.tokens.charge(taken, now)
        headers = self._headers(now)
        await asyncio.sleep(self._latency_seconds * (0.2 + 0.8 * request.output_tokens / 600))
        if self.tokens and self._settles:
            self.tokens.charge(request.output_tokens - request.max_tokens, asyncio.get_running_loop().time())
        return Reply(200, headers, None, request.input_tokens, request.output_tokens)

    def _headers(self, now: float) -> dict[str, str]:
        headers: dict[str, str] = {}
        if self._tells_headers:
            for name, meter in (("requests", self.requests), ("tokens", self.tokens)):
                if meter is not None:
                    headers[f"x-ratelimit-limit-{name}"] = str(int(meter.limit))
                    headers[f"x-ratelimit-remaining-{name}"] = str(max(0, int(meter.limit - meter.used(now))))
                    if self._tells_resets:
                        headers[f"x-ratelimit-reset-{name}"] = duration(meter.reset_seconds(now))
        return headers


def duration(seconds: float) -> str:
    """Write seconds as OpenAI does: "12ms", "1.5s", "4m12.172s"."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(seconds, 60)
    text = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    return f"{int(minutes)}m{text}" if minutes else text
