"""Sends a straggler's request a second time, where the spec asks for it, and takes what comes first.

Rules of this file: a hedge is paid for knowingly. Each of the two calls reserves its own worst case, takes its own
ticket and counts as sent; the one that loses is given up, counts as an error, and its reservation is taken as spent. A
budget that the rest of the job may need is left alone. A drain waits for either, as for any call.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from corpusmill.endpoint.client import Answer
from corpusmill.endpoint.failures import Failure
from corpusmill.engine.halt import RunEndingError
from corpusmill.engine.lane import Lane
from corpusmill.engine.route import Tally, Worker
from corpusmill.engine.schedule import Schedule
from corpusmill.limits.hedge import HedgePolicy, Straggler, is_worth_a_hedge

Call = Callable[[Worker], Awaitable[Answer | Failure]]
LOOK_SECONDS = 5.0
"""How long to wait for the first answer where nothing is known of how long answers take; then it is looked again."""


class Race(msgspec.Struct, frozen=True):
    """A request that may be sent twice.

    Attributes:
        lane: of its step.
        tally: of its item.
        call: makes one call of it.
        spares: whether the budget has room for one call more than so many items still need.
    """

    lane: Lane
    tally: Tally
    call: Call
    spares: Callable[[int], bool]


class Hedging:
    """The hedges of one run.

    Args:
        schedule: tells how much of the job is left.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._policy = HedgePolicy(is_on=True)
        self._requests = self._hedges = 0

    async def run(self, race: Race, worker: Worker) -> Answer | Failure:
        """Make a call, and a second one if the first is late at the end of the job; return what comes first.

        Raises:
            RunEndingError: the run ends before either is back.
        """
        self._requests += 1
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as group:
                first, sent_at = _start(group, race.call, worker), loop.time()
                while not first.done() and len(worker.hands) == 1:
                    await asyncio.wait({first}, timeout=race.lane.p99_seconds() or LOOK_SECONDS)
                    if not first.done() and self._is_worth_it(race, loop.time() - sent_at):
                        self._hedges += 1
                        _ = _start(group, race.call, worker)
                result = await _first_of(worker, race)
        finally:
            worker.hands.clear()
        if result is None:
            raise RunEndingError
        return result

    def _is_worth_it(self, race: Race, out_seconds: float) -> bool:
        straggler = Straggler(
            out_seconds=out_seconds,
            is_hedged=False,
            items_left=self._schedule.left,
            items=self._schedule.items,
            hedges_sent=self._hedges,
            requests_sent=self._requests,
            queue_depth=race.lane.route.waiting,
        )
        is_worth_it = is_worth_a_hedge(self._policy, straggler, race.lane.p99_seconds())
        return is_worth_it and race.spares(straggler.items_left)


def _start(group: asyncio.TaskGroup, call: Call, worker: Worker) -> "asyncio.Task[Answer | Failure | None]":
    """Make a call by another hand of the worker; its result is None if the run ends before it is back."""
    hand = Worker()

    async def made() -> Answer | Failure | None:
        try:
            return await call(hand)
        except RunEndingError:
            return None

    task = group.create_task(made())
    worker.hands[task] = hand
    return task


async def _first_of(worker: Worker, race: Race) -> Answer | Failure | None:
    """Return the first answer, or else a failure; None if the run ends. What is still out then is given up."""
    tally = race.tally
    failure: Failure | None = None
    answer: Answer | None = None
    waiting = set(worker.hands)
    while waiting and answer is None:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            result = None if task.cancelled() else task.result()
            if result is None:
                continue
            if answer is not None:
                _lose(result, race)
            elif isinstance(result, Answer):
                answer, worker.asked = result, worker.hands[task].asked
            else:
                failure, worker.asked = result, worker.hands[task].asked
    for task in waiting:
        if worker.hands[task].in_call:
            tally.sent += 1
            tally.count(is_refused=False)
        task.cancel()
    return answer or failure


def _lose(result: Answer | Failure, race: Race) -> None:
    """Count a call that came back when another had won; a failure was counted when it came."""
    if isinstance(result, Answer):
        race.tally.count(is_refused=False)
        if result.completion.usage_known:
            race.tally.bill(result.completion.usage, race.lane.cost(result.completion))
