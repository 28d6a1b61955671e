"""One completion, from prompt to answer: room, budget, ticket, call, and again where that is worth it.

Rules of this file: the ticket is taken last and held for the call alone; a retry waits without it. Whatever happens,
the budget's reservation is settled once. A call that is out is never abandoned but by force, because it is paid for.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

import msgspec

from corpusmill.chain.completion import Completion, GaveUp, Prompt
from corpusmill.chain.step import CompiledStep
from corpusmill.endpoint.client import Answer, CallRequest
from corpusmill.endpoint.failures import Failure, FailureKind, Fate
from corpusmill.engine.budget import Price
from corpusmill.engine.halt import Halt, RunEndingError
from corpusmill.engine.hedging import Hedging, Race
from corpusmill.engine.held import Held
from corpusmill.engine.lane import Lane
from corpusmill.engine.purse import Purse
from corpusmill.engine.retry import TRIES, Tries
from corpusmill.engine.route import Route, Tally, Worker
from corpusmill.engine.tell import call_answered, call_failed
from corpusmill.engine.tickets import Ticket
from corpusmill.engine.writer import Writer
from corpusmill.journal.entry import Entry
from corpusmill.limits.charge import Charge
from corpusmill.limits.claim import Refusal, RefusalKind
from corpusmill.limits.estimator import EstimatorStatistics
from corpusmill.telemetry.events import Emit

REFUSALS = {
    FailureKind.RATE_LIMITED: RefusalKind.RATE,
    FailureKind.OVERLOADED: RefusalKind.CAPACITY,
    FailureKind.SLOW_DOWN: RefusalKind.SLOW_DOWN,
    FailureKind.QUOTA_EXHAUSTED: RefusalKind.QUOTA,
}
"""Failures that lie in the load and not in the request."""

SPARE = 4
"""Fewer calls than this waiting for their tickets: there is room for more workers."""

NOTHING = Price(0, 0)

REFUSALS_AT_START = 8
"""Refused calls without a single answer after which, if no more are out, the endpoint is taken to be at fault."""

OUTAGES = frozenset({FailureKind.CONNECT, FailureKind.RESET, FailureKind.TIMEOUT, FailureKind.SERVER_ERROR})
"""Failures that say that the endpoint may be down."""


class Conduct(msgspec.Struct, frozen=True):
    """What a spec may ask of its calls.

    Attributes:
        waits_for_quota: the run waits where the account may not spend any more; otherwise it ends.
        hedging: sends stragglers' requests a second time; None: nothing is sent twice.
        tries: failures of one completion that count, after which its item fails.
    """

    waits_for_quota: bool = False
    hedging: Hedging | None = None
    tries: int = TRIES


class Caller:
    """Gets completions.

    Args:
        job: whose calls these are.
        steps: of the job's chain.
        routes: by model alias.
        writer: asked for room before each call.
        purse: pays for each call.
        halt: ends the run where no call can succeed.
        conduct: what the spec asks for beyond the ordinary.
        room: called when calls pass without others waiting behind them.
        jitter: for delays between tries.
        emit: takes events.
    """

    def __init__(
        self,
        job: str,
        steps: Iterable[CompiledStep],
        routes: Mapping[str, Route],
        *,
        writer: Writer,
        purse: Purse,
        halt: Halt,
        conduct: Conduct,
        room: Callable[[], None],
        jitter: random.Random,
        emit: Emit,
    ) -> None:
        self.job, self._writer, self._purse = job, writer, purse
        self._halt, self._jitter, self._emit = halt, jitter, emit
        self._lanes = {step.name: Lane(step, routes[step.model]) for step in steps}
        self._conduct, self._room = conduct, room
        self._held = Held(job, emit)
        self._clock = asyncio.get_running_loop().time
        self.in_flight = self.waiting = 0

    async def complete(self, step: CompiledStep, prompt: Prompt, tally: Tally, worker: Worker) -> Completion | GaveUp:
        """Return a completion of the prompt, or why there is none.

        Raises:
            RunEndingError: the run ends before there is one.
        """
        lane = self._lanes[step.name]
        if (hedging := self._conduct.hedging) is None:
            answer = await self._try(lane, prompt, tally, worker)
        else:
            race = Race(lane, tally, partial(self._try, lane, prompt, tally), partial(self._spares, lane, prompt))
            answer = await hedging.run(race, worker)
        if isinstance(answer, Failure) and answer.kind is FailureKind.BAD_REQUEST and lane.without_schema():
            answer = await self._try(lane, prompt, tally, worker, after=answer.kind.value)
        if isinstance(answer, Answer):
            return answer.completion
        return await self._persist(answer, lane, prompt, tally, worker)

    def cost(self, step: CompiledStep, completion: Completion) -> int | None:
        """Return what a completion cost in pico-dollars, None where that is unknown."""
        return self._lanes[step.name].cost(completion)

    def upstream(self, step: CompiledStep) -> str:
        """Return the name of the step's model at its endpoint."""
        return self._lanes[step.name].route.upstream

    def estimates(self) -> Iterator[tuple[str, EstimatorStatistics]]:
        """Yield how well the calls of each step are estimated at present, by model; without steps with few answers."""
        for lane in self._lanes.values():
            if (told := lane.estimates()) is not None:
                yield lane.route.model, told

    def look(self) -> None:
        """Tell if calls are held back for long, or go on, also where none of this job has come back to say so."""
        for lane in self._lanes.values():
            self._held.look(lane.route, self._clock())

    def close(self) -> None:
        """At the end of a run, write down what was learnt about the calls of each step."""
        for lane in self._lanes.values():
            if (learnt := lane.learnt()) is not None:
                self._writer.put(Entry.of(learnt))

    async def _persist(
        self, failure: Failure, lane: Lane, prompt: Prompt, tally: Tally, worker: Worker
    ) -> Completion | GaveUp:
        """Call again after a failure, for as long as that is worth it."""
        route, tries = lane.route, Tries(self._conduct.tries)
        while True:
            if failure.fate is Fate.STOP_JOB and not self._is_patient(failure, route):
                self._halt.stop("failed", f"{failure.kind.value}: {failure.message}")
                raise RunEndingError
            if failure.fate is Fate.FAIL_ITEM and route.answers:
                return GaveUp(failure.kind.value, failure.message)
            if failure.fate is Fate.FAIL_ITEM:
                self._suspect(route, failure)
            delay = tries.delay_seconds(failure, worker.asked, worker.asked.answers, self._jitter)
            if delay is None:
                return GaveUp(failure.kind.value, f"given up after repeated failures: {failure.message}")
            if self._halt.ending is None:
                await asyncio.sleep(delay)
            answer = await self._try(lane, prompt, tally, worker, after=failure.kind.value)
            if isinstance(answer, Answer):
                return answer.completion
            failure = answer

    def _is_patient(self, failure: Failure, route: Route) -> bool:
        """Whether to wait for an account that may not spend any more, or to go on with another one."""
        return failure.kind is FailureKind.QUOTA_EXHAUSTED and (self._conduct.waits_for_quota or route.hold() is None)

    def _spares(self, lane: Lane, prompt: Prompt, items: int) -> bool:
        """Whether the budget has room for one call more than so many items still need."""
        return not self._purse.is_bounded or self._purse.spares(lane.worst_case(prompt), 1 + items * len(self._lanes))

    def _suspect(self, route: Route, failure: Failure) -> None:
        """Until an endpoint has answered anything, its refusals speak against the endpoint, not against the items.

        A refusal comes at once and an answer takes its time, so what is still out may outvote them.
        """
        route.refusals += 1
        if route.refusals >= max(REFUSALS_AT_START, self.in_flight):
            self._halt.stop("failed", f"the endpoint refuses every call: {failure.kind.value}: {failure.message}")
            raise RunEndingError

    async def _try(
        self, lane: Lane, prompt: Prompt, tally: Tally, worker: Worker, *, after: str = ""
    ) -> Answer | Failure:
        """Make one call within room, budget and limits, and tell everybody who needs to know what came of it.

        `after` is the kind of the failure that the call repeats.
        """
        if self._halt.ending is not None:
            raise RunEndingError
        if self._writer.is_full:
            await self._writer.wait_for_room()
        if not self._purse.is_bounded:
            return await self._call(lane, prompt, tally, worker, after)
        worst = lane.worst_case(prompt)
        await self._purse.reserve(worst)
        spent = NOTHING
        try:
            spent = worst
            answer = await self._call(lane, prompt, tally, worker, after)
            spent = lane.spent(answer, worst)
        except RunEndingError:
            spent = NOTHING
            raise
        finally:
            self._purse.settle(worst, spent)
        return answer

    async def _call(self, lane: Lane, prompt: Prompt, tally: Tally, worker: Worker, after: str) -> Answer | Failure:
        """Take a ticket, call, and settle the ticket; a retry goes before other calls of the job."""
        route, chars = lane.route, prompt.chars
        ticket = await self._admit(route, lane.estimator.estimate(chars, lane.bound), worker, first=bool(after))
        try:
            if self._halt.ending is not None:
                ticket.withdraw()
                raise RunEndingError
            worker.in_call = True
            self.in_flight += 1
            try:
                request = CallRequest(route.upstream, prompt, lane.parameters)
                answer = await worker.asked.endpoint.call(request, lane.deadline_seconds)
            finally:
                self.in_flight -= 1
                worker.in_call = False
            tally.sent += 1
            _settle(ticket, answer)
        finally:
            ticket.leave()
        if isinstance(answer, Answer):
            worker.asked.answers += 1
            if not route.priced.is_set():
                await route.priced.wait()
            lane.learn(chars, answer)
            self._held.look(route, self._clock())
            self._emit(call_answered(answer, lane, ticket, tally.index, after))
        else:
            tally.count(is_refused=answer.kind is FailureKind.RATE_LIMITED)
            if answer.usage is not None:
                await route.priced.wait()
                tally.bill(answer.usage, lane.cost_of_failure(answer))
            now = self._clock()
            self._held.look(route, now, answer.message)
            self._emit(call_failed(answer, lane, ticket, tally.index, after, now))
        return answer

    async def _admit(self, route: Route, charge: Charge, worker: Worker, *, first: bool) -> Ticket:
        """Wait for a ticket, and give it back if there is no room any more for what the call brings.

        Where few others wait, there is room for more workers.
        """
        while True:
            self.waiting += 1
            try:
                worker.asked, ticket = await route.admit(charge, first=first)
            finally:
                self.waiting -= 1
            if not self._writer.is_full or self._halt.ending is not None:
                break
            ticket.withdraw()
            await self._writer.wait_for_room()
        if self.waiting < SPARE:
            self._room()
        return ticket


def _settle(ticket: Ticket, answer: Answer | Failure) -> None:
    """Tell the gate what became of a call."""
    if isinstance(answer, Failure):
        _settle_failed(ticket, answer)
    elif answer.completion.usage_known:
        usage = answer.completion.usage
        ticket.answered(usage.input_tokens, usage.output_tokens, answer.headers)
    else:
        ticket.answered(None, None, answer.headers)


def _settle_failed(ticket: Ticket, failure: Failure) -> None:
    """Tell the gate what a failure says about the endpoint."""
    if failure.kind in REFUSALS:
        ticket.refused(Refusal(REFUSALS[failure.kind], failure.retry_after_seconds), failure.headers)
    elif failure.kind in OUTAGES:
        ticket.failed()
    else:
        ticket.rejected()
