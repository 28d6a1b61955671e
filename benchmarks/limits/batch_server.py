"""A model of a self-hosted server with continuous batching and no limits of its own (vLLM and its like).

Rule of this file: every running sequence gets one token a step, and a step takes longer the more run; at most 256 run
at once, the others wait in a queue without end, or are refused with 503 beyond `queue_most`. The constants give about
8,300 tokens a second at 256 sequences.
"""

import asyncio
import heapq
from collections import deque

from benchmarks.limits.server import Reply, Request
from corpusmill.limits.server_load import ServerLoad

STEP_SECONDS = 0.012
STEP_SECONDS_PER_SEQUENCE = 7.3e-5
SEQUENCES_MOST = 256


class BatchServer:
    """Decodes tokens in steps; event by event, not step by step."""

    def __init__(self, queue_most: int | None = None) -> None:
        self.tokens_done = 0.0
        self.refused = 0
        self._queue_most = queue_most
        self._steps = 0.0
        self._at = 0.0
        self._running: list[tuple[float, int, asyncio.Future[None]]] = []
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._sequence = 0
        self._timer: asyncio.TimerHandle | None = None

    def load(self) -> ServerLoad:
        """Return what its /metrics would say."""
        return ServerLoad(len(self._running), len(self._waiting))

    async def call(self, request: Request, sender: str) -> Reply:
        """Take a request; `sender` is of no interest to this server."""
        del sender
        if self._queue_most is not None and len(self._waiting) >= self._queue_most:
            self.refused += 1
            return Reply(503, {})
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((request.output_tokens, done))
        self._advance()
        await done
        return Reply(200, {}, None, request.input_tokens, request.output_tokens)

    def _advance(self) -> None:
        """Bring the steps up to now, let finished sequences go, and start what waits."""
        now = asyncio.get_running_loop().time()
        steps = (now - self._at) / self._step_seconds()
        self._steps += steps
        self.tokens_done += steps * len(self._running)
        self._at = now
        while self._running and self._running[0][0] <= self._steps + 1e-6:
            heapq.heappop(self._running)[2].set_result(None)
        while self._waiting and len(self._running) < SEQUENCES_MOST:
            tokens, done = self._waiting.popleft()
            self._sequence += 1
            heapq.heappush(self._running, (self._steps + tokens, self._sequence, done))
        self._arm(now)

    def _arm(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._running:
            seconds = max(0.0, self._running[0][0] - self._steps) * self._step_seconds()
            self._timer = asyncio.get_running_loop().call_at(now + seconds, self._advance)

    def _step_seconds(self) -> float:
        return STEP_SECONDS + STEP_SECONDS_PER_SEQUENCE * len(self._running)
