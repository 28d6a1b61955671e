"""One job's run: the workers, the writer, and how they end.

Rules of this file: nesting is shutdown order. The writer outlives the workers, so leaving the workers' group is the
drain: what is out comes back and is journaled before the files are closed. A halt lets calls that are out come back;
only `force` abandons them.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from corpusmill.engine.bell import Bell
from corpusmill.engine.carrier import Carrier
from corpusmill.engine.halt import Ending, Halt, RunEndingError
from corpusmill.engine.purse import Purse
from corpusmill.engine.route import Worker
from corpusmill.engine.schedule import Idle, Schedule
from corpusmill.engine.search import Search
from corpusmill.engine.writer import Writer
from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.records import Decided, Paid
from corpusmill.journal.unfinished import Unfinished
from corpusmill.space.space import Space
from corpusmill.spec.errors import SpecError


class Engine:
    """Runs a job until it is finished or halted.

    Args:
        space: gives the items.
        schedule: says which comes next.
        unfinished: completions of earlier runs.
        purse: its books are closed in the end.
        writer: makes durable what comes of it.
        halt: ends the run early.
        search: is told how the search for items goes.
        width: how many items are carried at once.
        most: how many may be at last, where `widen` is called when there is room.
    """

    def __init__(
        self,
        *,
        space: Space,
        schedule: Schedule,
        unfinished: Unfinished,
        purse: Purse,
        writer: Writer,
        halt: Halt,
        search: Search,
        width: int,
        most: int,
    ) -> None:
        self._space, self._schedule, self._unfinished = space, schedule, unfinished
        self._purse, self._writer, self._halt = purse, writer, halt
        self._search, self._width, self._most = search, width, most
        self._is_over = False
        self._hire: Callable[[], None]
        self._changed = Bell()
        self._workers: dict[asyncio.Task[None], Worker] = {}

    async def run(self, carrier: Carrier) -> Ending:
        """Carry every item that is left; return how it ended. Everything that was put is durable then.

        Raises:
            ExceptionGroup: of a BrokenDiskError, if the disk refuses the journal.
        """
        async with asyncio.TaskGroup() as outer:
            outer.create_task(self._writer.run())
            watch = outer.create_task(self._watch())
            try:
                async with asyncio.TaskGroup() as workers:
                    self._hire = partial(self._start, workers, carrier)
                    for _ in range(self._width):
                        self._hire()
            finally:
                watch.cancel()
                carrier.close()
                self._purse.close()
                self._writer.close()
        return self._halt.ending or Ending("finished")

    def widen(self) -> None:
        """Carry one more item at once, if there may be more: to be called by a worker, when there is room."""
        if len(self._workers) < self._most and not self._is_over and self._halt.ending is None:
            self._hire()

    def force(self) -> None:
        """Abandon the calls that are out; what they bring is lost, and what they cost may be paid again."""
        self._halt.stop("interrupted", "forced to stop; calls that were out are lost")
        for task in list(self._workers):
            task.cancel()

    async def _watch(self) -> None:
        """At a halt, end the workers that wait; those with a call out end when it is back."""
        await self._halt.wait()
        for task, worker in list(self._workers.items()):
            for idle in worker.idle(task):
                idle.cancel()

    def _start(self, workers: asyncio.TaskGroup, carrier: Carrier) -> None:
        worker = Worker()
        task = workers.create_task(self._work(carrier, worker))
        self._workers[task] = worker
        task.add_done_callback(self._workers.pop)

    async def _work(self, carrier: Carrier, worker: Worker) -> None:
        """Carry one item after the other until there is none left or the run ends."""
        while (index := await self._next()) is not None:
            try:
                await carrier.carry(self._space.item(index), self._paid_for(index), worker)
            except RunEndingError:
                self._schedule.dropped()
                break
        self._is_over = True

    def _paid_for(self, index: int) -> list[Paid]:
        """Return the completions that earlier runs have of an item.

        Raises:
            RunEndingError: they cannot be read any more, and the run is to end because of that.
        """
        try:
            return self._unfinished.take(index)
        except (CorruptionError, OSError) as error:
            self._halt.stop("failed", str(error))
            raise RunEndingError from error

    def decided(self, decided: Decided) -> None:
        """Take note of an outcome: whoever waits for the target to need more items looks again."""
        self._schedule.decided(kept=decided.outcome == "kept")
        self._changed.ring()

    async def _next(self) -> int | None:
        while self._halt.ending is None:
            try:
                found = self._schedule.next()
            except SpecError as error:
                self._halt.stop("failed", str(error))
                return None
            if found is Idle.LOOK_AGAIN:
                self._search.in_vain()
                await asyncio.sleep(0)
                continue
            self._search.found()
            if found is Idle.WAIT:
                await self._changed.wait()
            else:
                return None if found is Idle.OVER else found
        return None
