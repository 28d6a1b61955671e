"""An asyncio event loop whose clock is virtual: a simulated hour takes as long as its callbacks do.

Rule of this file: nothing waits. The selector moves a private clock instead of sleeping, the ready queue is shuffled by
a seed, and a program that can never go on is an error, not a hang. One seed replays one run.
"""

import asyncio
import math
import random
import selectors
from collections import deque
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
PASS_SECONDS = 2e-6
"""What one pass of the loop costs: time always moves, so that rounding can never make a timer spin."""


class DeadlockError(RuntimeError):
    """Nothing is runnable, no timer is set, or the horizon is passed: the program cannot go on."""


class VirtualSelector(selectors.SelectSelector):
    """A selector that never waits: it adds the time it should have waited to its clock."""

    def __init__(self, horizon_seconds: float) -> None:
        super().__init__()
        self.now = 0.0
        self.horizon_seconds = horizon_seconds

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready at once; otherwise move the clock to the next timer."""
        ready = super().select(0)
        self.now += PASS_SECONDS
        if ready:
            return ready
        if timeout is None:
            raise DeadlockError(f"nothing is runnable and no timer is set at {self.now:.3f} s")
        self.now += max(0.0, timeout)
        if self.now > self.horizon_seconds:
            horizon_seconds, self.horizon_seconds = self.horizon_seconds, math.inf  # so that the loop can be closed
            raise DeadlockError(f"still running at the horizon of {horizon_seconds:.0f} s")
        return ready


class SimLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual seconds from 0, whose ready callbacks run in an order that `seed` decides.

    Args:
        seed: replays the order; None keeps asyncio's own order, which is faster.
        horizon_seconds: the virtual time after which a program counts as stuck.
    """

    _ready: deque[asyncio.Handle]  # asyncio's own queue of callbacks: private, pinned by test_loop.py

    def __init__(self, seed: int | None = 0, horizon_seconds: float = 30 * 86400.0) -> None:
        self._virtual = VirtualSelector(horizon_seconds)
        self._order = None if seed is None else random.Random(seed)
        super().__init__(self._virtual)

    def time(self) -> float:
        """Return virtual seconds since the loop was made."""
        return self._virtual.now

    def _run_once(self) -> None:
        if self._order is not None and len(self._ready) > 1:
            ready = list(self._ready)
            self._order.shuffle(ready)
            self._ready.clear()
            self._ready.extend(ready)
        super()._run_once()  # type: ignore[misc] # asyncio's one pass has no public name; pinned by test_loop.py


def run_sim(coro: Coroutine[Any, Any, T], seed: int | None = 0, horizon_seconds: float = 30 * 86400.0) -> T:
    """Run a coroutine to its end in virtual time; an error carries the seed that replays it."""
    try:
        with asyncio.Runner(loop_factory=lambda: SimLoop(seed, horizon_seconds)) as runner:
            return runner.run(coro)
    except BaseException as error:
        error.add_note(f"replay with seed {seed}")
        raise
