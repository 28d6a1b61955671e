"""The deadlines of many tasks, kept by one timer.

Rules of this file: the timer stands at the earliest deadline there was when it was set, or earlier. When it rings, it
cancels whoever is late and is set anew for the rest. So a call that is answered in time costs an entry in a dictionary
and no timer of its own. While nobody waits, there is no timer.
"""

import asyncio
import math
from typing import Any, Final

ROUNDING_SECONDS: Final = 0.001
"""uvloop's timers are whole milliseconds and may ring that much early."""

Waiting = asyncio.Task[Any]


class Deadlines:
    """Cancels tasks that are late; to be made inside the running event loop.

    A task has one deadline at a time, and makes a `TimeoutError` of being cancelled for it:

        deadlines.begin(task, ends_at)
        try:
            ...
        except asyncio.CancelledError:
            deadlines.check(task)
            raise
        finally:
            deadlines.end(task)
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ends: dict[Waiting, tuple[float, int]] = {}
        self._late: dict[Waiting, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf

    def begin(self, task: Waiting, ends_at: float) -> None:
        """Cancel the task at a moment of the loop's clock, unless `end` comes before."""
        self._ends[task] = (ends_at, task.cancelling())
        if ends_at < self._timer_at:
            self._set_timer(ends_at)

    def check(self, task: Waiting) -> None:
        """To be called where the task was cancelled.

        Raises:
            TimeoutError: it was for its deadline, and nobody else cancelled it.
        """
        if task in self._late and task.cancelling() <= self._late[task] + 1:
            raise TimeoutError

    def end(self, task: Waiting) -> None:
        """Drop the task's deadline; if it was cancelled for it, that is over."""
        if self._late and self._late.pop(task, None) is not None:
            task.uncancel()
        else:
            del self._ends[task]
        if not self._ends:
            self._set_timer(math.inf)

    def _set_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = None if at == math.inf else self._loop.call_at(at, self._ring)

    def _ring(self) -> None:
        now = self._loop.time() + ROUNDING_SECONDS
        late = [(task, before) for task, (ends_at, before) in self._ends.items() if ends_at <= now]
        for task, before in late:
            del self._ends[task]
            self._late[task] = before
            task.cancel()
        self._set_timer(min((ends_at for ends_at, _ in self._ends.values()), default=math.inf))
