"""A model of a self-hosted server with continuous batching and no limits of its own (vLLM and its like).

Rule of this file: every running sequence gets one token a step, and a step takes longer the more run; so many run at
once, the others wait in a queue without end. The constants give about 8,300 tokens a second at 256 sequences.
"""

import asyncio
import heapq
from collections import deque

STEP_SECONDS = 0.012
STEP_SECONDS_PER_SEQUENCE = 7.3e-5


class Batch:
    """Decodes tokens in steps; event by event, not step by step. To be used inside one running event loop.

    Args:
        sequences_most: that run at once.

    Attributes:
        tokens_done: decoded so far.
    """

    def __init__(self, sequences_most: int) -> None:
        self.tokens_done = 0.0
        self._most = sequences_most
        self._steps = 0.0
        self._at = 0.0
        self._running: list[tuple[float, int, asyncio.Future[None]]] = []
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._sequence = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def running(self) -> int:
        """Sequences that run."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Sequences that wait."""
        return len(self._waiting)

    async def decode(self, tokens: int) -> None:
        """Return when so many tokens of a new sequence are decoded."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((tokens, done))
        self._advance()
        await done

    def exposition(self, model: str) -> str:
        """Return what its /metrics says, by vLLM's names."""
        rows = (
            ("num_requests_running", "gauge", self.running),
            ("num_requests_waiting", "gauge", self.waiting),
            ("num_preemptions_total", "counter", 0),
        )
        return "".join(
            f'# TYPE vllm:{name} {kind}\nvllm:{name}{{model_name="{model}"}} {value:.1f}\n'
            for name, kind, value in rows
        )

    def _advance(self) -> None:
        """Bring the steps up to now, let finished sequences go, and start what waits."""
        now = asyncio.get_running_loop().time()
        steps = (now - self._at) / self._step_seconds()
        self._steps += steps
        self.tokens_done += steps * len(self._running)
        self._at = now
        while self._running and self._running[0][0] <= self._steps + 1e-6:
            done = heapq.heappop(self._running)[2]
            if not done.done():
                done.set_result(None)
        while self._waiting and len(self._running) < self._most:
            tokens, done = self._waiting.popleft()
            if not done.done():
                self._sequence += 1
                heapq.heappush(self._running, (self._steps + tokens, self._sequence, done))
        self._arm(now)

    def _arm(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._running:
            seconds = max(0.001, max(0.0, self._running[0][0] - self._steps) * self._step_seconds())
            self._timer = asyncio.get_running_loop().call_at(now + seconds, self._advance)

    def _step_seconds(self) -> float:
        return STEP_SECONDS + STEP_SECONDS_PER_SEQUENCE * len(self._running)
