"""One completion, from prompt to answer: room, budget, ticket, call, and again where that is worth it.

Rules of this file: the ticket is taken last and held for the call alone; a retry waits without it. Whatever happens,
the budget's reservation is settled once. A call that is out is never abandoned but by force, because it is paid for.
"""

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import msgspec

from corpusmill.chain.chain import CompiledStep
from corpusmill.chain.completion import Completion, Prompt, Usage
from corpusmill.endpoint.client import Answer, CallRequest
from corpusmill.endpoint.failures import Failure, FailureKind, Fate
from corpusmill.engine.bell import Bell
from corpusmill.engine.budget import Budget, Price, Room
from corpusmill.engine.halt import Halt
from corpusmill.engine.retry import Tries
from corpusmill.engine.route import Route, Tally, Worker
from corpusmill.engine.tickets import Ticket
from corpusmill.engine.writer import Writer
from corpusmill.journal.entry import Entry
from corpusmill.journal.records import Granted
from corpusmill.limits.claim import Refusal, RefusalKind
from corpusmill.limits.deadline import Deadline
from corpusmill.limits.estimator import Estimator
from corpusmill.telemetry.events import CallAnswered, CallFailed, Emit

OVERHEAD_TOKENS = 64
"""Tokens that a chat format may add to a prompt; part of a call's worst case."""

REFUSALS = {
    FailureKind.RATE_LIMITED: RefusalKind.RATE,
    FailureKind.OVERLOADED: RefusalKind.CAPACITY,
    FailureKind.QUOTA_EXHAUSTED: RefusalKind.QUOTA,
}
"""Failures that lie in the load and not in the request."""

REFUSALS_AT_START = 8
"""Refused calls without a single answer after which the endpoint is taken to be at fault."""

OUTAGES = frozenset({FailureKind.CONNECT, FailureKind.RESET, FailureKind.TIMEOUT, FailureKind.SERVER_ERROR})
"""Failures that say that the endpoint may be down."""


class GaveUp(msgspec.Struct, frozen=True):
    """No completion for this prompt: the item fails for this reason."""

    reason: str
    detail: str


class RunEndingError(Exception):
    """The run is ending: the item stays without an outcome and is taken up by the next run."""


class Caller:
    """Gets completions.

    Args:
        job: whose calls these are.
        routes: by model alias.
        writer: asked for room before each call.
        budget: what may be spent.
        halt: ends the run where no call can succeed.
        jitter: for delays between tries.
        emit: takes events.
    """

    def __init__(
        self,
        job: str,
        routes: Mapping[str, Route],
        *,
        writer: Writer,
        budget: Budget,
        halt: Halt,
        jitter: random.Random,
        emit: Emit,
    ) -> None:
        self._job, self._routes, self._writer, self._budget = job, routes, writer, budget
        self._halt, self._jitter, self._emit = halt, jitter, emit
        self._estimators: dict[str, Estimator] = {}
        self._deadlines: dict[str, Deadline] = {}
        self._settled = Bell()
        self._granting = False
        self.in_flight = 0

    async def complete(self, step: CompiledStep, prompt: Prompt, tally: Tally, worker: Worker) -> Completion | GaveUp:
        """Return a completion of the prompt, or why there is none.

        Raises:
            RunEndingError: the run ends before there is one.
        """
        route = self._routes[step.model]
        tries = Tries(route.answers)
        worst = self._worst_case(route, step, prompt)
        while True:
            answer = await self._try(route, step, prompt, worst, tally, worker)
            if isinstance(answer, Completion):
                return answer
            if answer.fate is Fate.STOP_JOB:
                self._halt.stop("failed", f"{answer.kind.value}: {answer.message}")
                raise RunEndingError
            if answer.fate is Fate.FAIL_ITEM and route.answers:
                return GaveUp(answer.kind.value, answer.message)
            if answer.fate is Fate.FAIL_ITEM:
                self._suspect(route, answer)
            delay = tries.delay_seconds(answer, route.answers, self._jitter)
            if delay is None:
                return GaveUp(answer.kind.value, f"given up after repeated failures: {answer.message}")
            if self._halt.ending is None:
                await asyncio.sleep(delay)

    def close_books(self) -> None:
        """At the end of a run, replace the last grant by what was really spent."""
        if self._budget.is_bounded:
            spent = self._budget.spent
            self._writer.put(Entry.of(Granted(spent.calls, spent.picodollars)))

    def cost(self, step: CompiledStep, completion: Completion) -> int | None:
        """Return what a completion cost in pico-dollars, None where that is unknown."""
        prices = self._routes[step.model].prices
        return prices.cost(completion.usage) if prices is not None and completion.usage_known else None

    def upstream(self, step: CompiledStep) -> str:
        """Return the name of the step's model at its endpoint."""
        return self._routes[step.model].upstream

    def _suspect(self, route: Route, failure: Failure) -> None:
        """Until an endpoint has answered anything, its refusals speak against the endpoint, not against the items."""
        route.refusals += 1
        if route.refusals >= REFUSALS_AT_START:
            self._halt.stop("failed", f"the endpoint refuses every call: {failure.kind.value}: {failure.message}")
            raise RunEndingError

    async def _try(
        self, route: Route, step: CompiledStep, prompt: Prompt, worst: Price, tally: Tally, worker: Worker
    ) -> Completion | Failure:
        """Make one call within budget and limits, and tell everybody who needs to know what came of it."""
        if self._halt.ending is not None:
            raise RunEndingError
        await self._writer.wait_for_room()
        await self._reserve(worst)
        spent = Price(0, 0)
        try:
            estimator, deadline = self._learners(step)
            chars = len(prompt.text) + len(prompt.system or "")
            most = max_tokens(step.parameters)
            async with route.tickets.ticket(self._job, estimator.estimate(chars, most)) as ticket:
                if self._halt.ending is not None:
                    raise RunEndingError
                spent = worst
                answer = await self._call(route, step, prompt, deadline.seconds(most), worker)
                self._settle_ticket(ticket, answer)
            tally.sent += 1
            if isinstance(answer, Failure):
                spent = self._note_failure(answer, route, worst, tally)
                return answer
            spent = self._note_answer(answer, route, step, worst)
            usage = answer.completion.usage
            if answer.completion.usage_known:
                estimator.learn(chars, usage.input_tokens, usage.output_tokens)
            deadline.learn(answer.seconds, usage.output_tokens)
            return answer.completion
        finally:
            self._budget.settle(worst, spent)
            self._settled.ring()

    async def _call(
        self, route: Route, step: CompiledStep, prompt: Prompt, deadline_seconds: float, worker: Worker
    ) -> Answer | Failure:
        worker.in_call = True
        self.in_flight += 1
        try:
            return await route.endpoint.call(CallRequest(route.upstream, prompt, step.parameters), deadline_seconds)
        finally:
            self.in_flight -= 1
            worker.in_call = False

    async def _reserve(self, worst: Price) -> None:
        while self._halt.ending is None:
            room = self._budget.reserve(worst)
            if room is Room.YES:
                await self._cover(worst)
                return
            if room is Room.NEVER:
                self._halt.stop("exhausted", "the budget is spent")
                break
            await self._settled.wait()
        raise RunEndingError

    async def _cover(self, worst: Price) -> None:
        """Return when a durable grant covers what is reserved; one worker asks for it, the others wait."""
        try:
            while not self._budget.is_covered:
                if self._granting:
                    await self._settled.wait()
                else:
                    await self._grant()
        except BaseException:
            self._budget.settle(worst, Price(0, 0))
            raise

    async def _grant(self) -> None:
        self._granting = True
        try:
            grant = self._budget.next_grant()
            await self._writer.put_durably(Entry.of(Granted(grant.calls, grant.picodollars)))
            self._budget.grant(grant)
        finally:
            self._granting = False
            self._settled.ring()

    def _settle_ticket(self, ticket: Ticket, answer: Answer | Failure) -> None:
        if isinstance(answer, Answer):
            usage = answer.completion.usage
            known = answer.completion.usage_known
            ticket.answered(
                usage.input_tokens if known else None, usage.output_tokens if known else None, answer.headers
            )
        elif answer.kind in REFUSALS:
            ticket.refused(Refusal(REFUSALS[answer.kind], answer.retry_after_seconds))
        elif answer.kind in OUTAGES:
            ticket.failed()
        else:
            ticket.rejected()

    def _note_failure(self, failure: Failure, route: Route, worst: Price, tally: Tally) -> Price:
        """Count and report a failure; return what it is reckoned to have cost."""
        if failure.kind is FailureKind.RATE_LIMITED:
            tally.rate_limited += 1
        else:
            tally.errors += 1
        self._emit(CallFailed(route.upstream, failure.kind.value, failure.status, failure.fate.value, failure.message))
        if failure.usage is not None and route.prices is not None:
            return Price(1, route.prices.cost(failure.usage))
        return worst if failure.maybe_charged else Price(1, 0)

    def _note_answer(self, answer: Answer, route: Route, step: CompiledStep, worst: Price) -> Price:
        """Count and report an answer; return what it cost."""
        route.answers += 1
        completion = answer.completion
        usage, cost = completion.usage, self.cost(step, completion)
        self._emit(
            CallAnswered(
                route.upstream,
                answer.seconds,
                usage.input_tokens,
                usage.cached_input_tokens,
                usage.output_tokens,
                usage.reasoning_tokens,
                cost,
                completion.choices[0].finish_reason,
            )
        )
        return worst if cost is None else Price(1, cost)

    def _learners(self, step: CompiledStep) -> tuple[Estimator, Deadline]:
        if step.name not in self._estimators:
            self._estimators[step.name], self._deadlines[step.name] = Estimator(), Deadline()
        return self._estimators[step.name], self._deadlines[step.name]

    def _worst_case(self, route: Route, step: CompiledStep, prompt: Prompt) -> Price:
        """Return what a call may cost at most: a token of the prompt is at least one byte of it."""
        if route.prices is None:
            return Price(1, 0)
        size = len(prompt.text.encode()) + len((prompt.system or "").encode()) + OVERHEAD_TOKENS
        usage = Usage(input_tokens=size, output_tokens=(max_tokens(step.parameters) or 0) * step.choices)
        return Price(1, route.prices.cost(usage))


def max_tokens(parameters: Mapping[str, Any]) -> int | None:
    """Return the bound on a completion's tokens that the parameters set, if they do."""
    for name in ("max_completion_tokens", "max_tokens"):
        if isinstance(bound := parameters.get(name), int):
            return bound
    return None
