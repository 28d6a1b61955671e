"""A job that has a run in this process.

Rule of this file: it may be stopped at any time, also before its engine is there; the first word counts.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from corpusmill.bootstrap.job import Running
from corpusmill.daemon.meter import Meter, Rate
from corpusmill.jobs.queue.job import Figures, Job

LOOK_SECONDS = 1.0
"""How often a running job is looked at, and what it has in memory shown to readers."""


class LiveJob:
    """One job's run.

    Args:
        job: as it was when its run began.
        target: how many items it is to keep, if it has a target.
        looked: called after each look.

    Attributes:
        waits_for: what holds it up at present, for people; None while it goes on.
        stopping: whether it was told to end.
        stopped: set then.
        running: its engine, once that is there.
    """

    def __init__(self, job: Job, looked: Callable[["LiveJob"], Awaitable[None]]) -> None:
        self.job, self._looked = job, looked
        self.target: int | None = None
        self.waits_for: str | None = None
        self.stopped = asyncio.Event()
        self._state, self._reason = "", ""
        self.running: Running | None = None
        self._meter = Meter()
        self._figures = job.figures

    @property
    def stopping(self) -> bool:
        """Whether it was told to end."""
        return self.stopped.is_set()

    @property
    def figures(self) -> Figures:
        """The newest figures."""
        if self.running is not None:
            self._figures = Figures(self.running.assembly.items, self.running.sheet)
        return self._figures

    @property
    def in_flight(self) -> int:
        """Calls that are out."""
        return self.running.in_flight if self.running is not None else 0

    @property
    def rate(self) -> Rate:
        """How fast it goes."""
        return Rate() if self.stopping else self._meter.rate(self._figures.items, self.target)

    def stop(self, state: str, reason: str) -> None:
        """End the run: no call is issued from now on, those that are out come back and are kept."""
        if not self.stopping:
            self._state, self._reason = state, reason
            self.stopped.set()
            if self.running is not None:
                self.running.drain(reason, state)

    def force(self) -> None:
        """End the run at once; calls that are out are lost."""
        self.stop("interrupted", "forced to stop")
        if self.running is not None:
            self.running.force()

    @asynccontextmanager
    async def watch(self, running: Running) -> AsyncIterator[None]:
        """Look at the run now and then while the block runs."""
        self.running = running
        if self.stopping:
            running.drain(self._reason, self._state)
        async with asyncio.TaskGroup() as group:
            looks = group.create_task(self._look())
            try:
                yield
            finally:
                looks.cancel()
                await asyncio.wait([looks])

    async def _look(self) -> None:
        """Look once a second, and at once when it begins."""
        loop = asyncio.get_running_loop()
        while self.running is not None:
            self._meter.look(loop.time(), self.figures.sheet)
            self.running.look()
            await self.running.flush()
            await self._looked(self)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self.stopped.wait()
            if self.stopping:
                return
