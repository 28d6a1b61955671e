"""Tickets: the asyncio face of a gate. A request is sent while its ticket is held, and only then.

Rule of this file: it acts, the gate decides. One timer serves all who wait and is never set to under a millisecond
(uvloop's timers are whole milliseconds: a shorter one would spin). A task may be cancelled at any await: whoever leaves
gives back what he took, and the next one is let through.
"""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from corpusmill.limits.charge import Charge, Limits
from corpusmill.limits.claim import Answered, Claim, ClaimState, Failed, Lost, Outcome, Refusal, Refused, Rejected
from corpusmill.limits.gate import Gate
from corpusmill.limits.server_load import ServerLoad
from corpusmill.limits.statistics import GateStatistics, look_at

TIMER_SECONDS_LEAST = 0.001


class Ticket(Claim):
    """The right to send one request, as an async context manager.

    Entering waits until the gate lets the request through. Inside, the outcome is told once by one of `answered`,
    `refused`, `failed` and `rejected`; a ticket left without any counts as lost and keeps its charge.
    """

    __slots__ = ("_first", "_granted", "_tickets")

    def __init__(self, tickets: "Tickets", job: str, charge: Charge, first: bool) -> None:
        super().__init__(job, charge)
        self._tickets = tickets
        self._first = first
        self._granted: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        granted = self._tickets.enter(self, self._first)
        if granted is not None:
            self._granted = granted
            try:
                await granted
            except asyncio.CancelledError:
                self._tickets.withdraw(self)
                raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.state is ClaimState.GRANTED:
            self._tickets.settle(self, Lost())

    def grant(self) -> None:
        """Wake whoever waits for this ticket; if he is being cancelled, he gives it back himself."""
        if self._granted is not None and not self._granted.done():
            self._granted.set_result(None)

    def answered(
        self,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """The server answered: the charge is corrected to its usage figures, if it sent any."""
        self._tickets.settle(self, Answered(input_tokens, output_tokens, headers))

    def refused(self, refusal: Refusal, headers: Mapping[str, str] | None = None) -> None:
        """The server is too busy for a good request: it is refunded, and the gate slows down."""
        self._tickets.settle(self, Refused(refusal, headers))

    def failed(self) -> None:
        """Outage: connect, reset, timeout before the first byte, 5xx. The charge is kept."""
        self._tickets.settle(self, Failed())

    def rejected(self) -> None:
        """The server says that the request is bad: it is alive. The charge is kept."""
        self._tickets.settle(self, Rejected())


class Tickets:
    """Gives out the tickets of one gate; to be made and used inside one running event loop.

    Attributes:
        jobs: who waits; gives a job its weight and class (`share`), and drops one that is over (`forget`).
    """

    def __init__(self, gate: Gate[Ticket]) -> None:
        self._gate = gate
        self.jobs = gate.queue
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    def ticket(self, job: str, charge: Charge, *, first: bool = False) -> Ticket:
        """Return a ticket for one request of a job, to be entered once.

        Args:
            job: shares the gate with other jobs by weight, see `jobs`.
            charge: what the request is expected to take.
            first: a retry, which goes before the others of its job.
        """
        return Ticket(self, job, charge, first)

    def expect_within(self, seconds: float) -> None:
        """Wait for the answer to the first request alone, before others follow, for at most so long."""
        self._gate.pacer.opening.seconds = seconds

    def pause(self, seconds: float, reason: str) -> None:
        """Let nothing pass for so long from now."""
        self._gate.pause(seconds, reason, self._loop.time())
        self._dispatch()

    def rerate(self, limits: Limits) -> None:
        """Adopt other limits at once, also for those who wait."""
        self._gate.rerate(limits, self._loop.time())
        self._dispatch()

    def observed(self, load: ServerLoad) -> None:
        """Take a look at the server's own metrics (see `limits.server_load.parse_load`), about every two seconds."""
        self._gate.width.observed(self._loop.time(), load, self._gate.in_flight)
        self._dispatch()

    def statistics(self) -> GateStatistics:
        """Return what the gate looks like now."""
        return look_at(self._gate, self._loop.time())

    def enter(self, ticket: Ticket, first: bool) -> asyncio.Future[None] | None:
        """Let a ticket through at once (None), or return what its holder has to wait for."""
        now = self._loop.time()
        if self._gate.request(ticket, now, first):
            return None
        self._arm(now)
        return self._loop.create_future()

    def withdraw(self, ticket: Ticket) -> None:
        """Take back a ticket whose request was never sent."""
        self._gate.withdraw(ticket, self._loop.time())
        self._dispatch()

    def settle(self, ticket: Ticket, outcome: Outcome) -> None:
        """Take the outcome of a ticket, and let through whoever may pass now."""
        self._gate.settle(ticket, outcome, self._loop.time())
        if self._gate.queue:
            self._dispatch()

    def _dispatch(self) -> None:
        now = self._loop.time()
        for ticket in self._gate.grants(now):
            ticket.grant()
        self._arm(now)

    def _arm(self, now: float) -> None:
        """Keep one timer, not later than the next moment at which a ticket may pass; none if nothing waits."""
        wake = self._gate.next_wake(now)
        if self._timer is not None:
            if wake is not None and self._timer_at <= wake:
                return
            self._timer.cancel()
            self._timer = None
        if wake is not None:
            seconds = max(wake - now, TIMER_SECONDS_LEAST)
            self._timer_at = now + seconds
            self._timer = self._loop.call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._dispatch()
