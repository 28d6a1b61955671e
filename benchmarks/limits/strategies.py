"""Ways of sending: the gate, and three of the field's algorithms, stated again from their descriptions.

Rule of this file: a strategy carries one request until it is answered, however often that takes; all workers of a
client share one strategy. Each knows the limits it was configured with, and nothing of the server but its replies.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Protocol

from aiolimiter import AsyncLimiter

from benchmarks.limits.server import Reply, Request
from corpusmill.engine.tickets import Ticket, Tickets
from corpusmill.limits.charge import Limits
from corpusmill.limits.claim import Refusal, RefusalKind
from corpusmill.limits.estimator import Estimator
from corpusmill.limits.gate import Gate

Send = Callable[[Request], Awaitable[Reply]]
CHARS_PER_TOKEN = 4.5


class Strategy(Protocol):
    """One client's way of sending."""

    async def carry(self, request: Request, send: Send) -> None:
        """Send a request until it is answered."""


class GateStrategy:
    """This project's gate, through its tickets."""

    def __init__(self, limits: Limits, seed: int = 0) -> None:
        gate: Gate[Ticket] = Gate(limits, random.Random(seed), asyncio.get_running_loop().time())
        self.tickets = Tickets(gate)
        self._estimator = Estimator()

    async def carry(self, request: Request, send: Send) -> None:
        """Hold a ticket for each attempt; a retry goes before the rest."""
        chars = int(request.input_tokens * CHARS_PER_TOKEN)
        is_retry = False
        while True:
            charge = self._estimator.estimate(chars, request.max_tokens)
            async with self.tickets.ticket("job", charge, first=is_retry) as ticket:
                reply = await send(request)
                if reply.status == 200:
                    ticket.answered(reply.input_tokens, reply.output_tokens, reply.headers)
                    self._estimator.learn(chars, reply.input_tokens, reply.output_tokens)
                    return
                kind = RefusalKind.RATE if reply.status == 429 else RefusalKind.CAPACITY
                ticket.refused(Refusal(kind, reply.retry_after_seconds), reply.headers)
            is_retry = True


class AiolimiterStrategy:
    """aiolimiter used as its guide shows: one limiter for requests, one for tokens, a minute each."""

    def __init__(self, limits: Limits) -> None:
        self._requests = AsyncLimiter(limits.requests_per_minute or 1e9, 60)
        self._tokens = AsyncLimiter(limits.tokens_per_minute or 1e15, 60)

    async def carry(self, request: Request, send: Send) -> None:
        """Acquire both, send; after a refusal wait as long as the server asks and start again."""
        while True:
            await self._tokens.acquire(request.input_tokens + request.max_tokens)
            await self._requests.acquire()
            reply = await send(request)
            if reply.status == 200:
                return
            await asyncio.sleep(reply.retry_after_seconds or 1.0)


class CookbookStrategy:
    """The OpenAI cookbook's parallel processor: capacities of a minute that start full, refilled continuously.

    It asks again every millisecond; here the wait is worked out instead, which comes to the same. Nothing is given
    back, refused requests enter the queue again at once, and the cool-down does not fire on today's error codes.
    """

    def __init__(self, limits: Limits) -> None:
        self._requests_most = limits.requests_per_minute or 1e9
        self._tokens_most = limits.tokens_per_minute or 1e15
        self._requests, self._tokens = self._requests_most, self._tokens_most
        self._at = asyncio.get_running_loop().time()
        self._turn = asyncio.Lock()

    async def carry(self, request: Request, send: Send) -> None:
        """Take capacity in turn, send, and queue again if refused."""
        while True:
            async with self._turn:
                await self._take(request.input_tokens + request.max_tokens)
            if (await send(request)).status == 200:
                return

    async def _take(self, tokens: float) -> None:
        while True:
            now = asyncio.get_running_loop().time()
            minutes = (now - self._at) / 60
            self._requests = min(self._requests_most, self._requests + self._requests_most * minutes)
            self._tokens = min(self._tokens_most, self._tokens + self._tokens_most * minutes)
            self._at = now
            if self._requests >= 1 and self._tokens >= tokens:
                self._requests -= 1
                self._tokens -= tokens
                return
            missing = max((1 - self._requests) / self._requests_most, (tokens - self._tokens) / self._tokens_most)
            await asyncio.sleep(max(0.001, missing * 60))


class AimdStrategy:
    """Additive increase, multiplicative decrease on the number in flight, as NeMo Data Designer describes it.

    Starts at its most, three quarters after a refusal (once per cascade), one more after 25 answers in a row, and a
    cool-down of Retry-After or two seconds.
    """

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._limit = float(most)
        self._in_flight = 0
        self._answers = 0
        self._cool_until = 0.0
        self._cut_at = -1.0
        self._changed = asyncio.Condition()

    async def carry(self, request: Request, send: Send) -> None:
        """Wait for a place, send, and again if refused."""
        loop = asyncio.get_running_loop()
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._in_flight < self._limit)
                self._in_flight += 1
            if self._cool_until > loop.time():
                await asyncio.sleep(self._cool_until - loop.time())
            sent_at = loop.time()
            reply = await send(request)
            async with self._changed:
                self._in_flight -= 1
                self._note(reply, sent_at, loop.time())
                self._changed.notify(2)
            if reply.status == 200:
                return

    def _note(self, reply: Reply, sent_at: float, now: float) -> None:
        if reply.status == 200:
            self._answers += 1
            if self._answers >= 25:
                self._answers = 0
                self._limit = min(self._most, self._limit + 1)
        elif sent_at > self._cut_at:
            self._answers = 0
            self._limit = max(1.0, self._limit * 0.75)
            self._cut_at = now
            self._cool_until = now + (reply.retry_after_seconds or 2.0)
