"""Tickets: the asyncio face of a gate. A request is sent while its ticket is held, and only then.

Rule of this file: it acts, the gate decides. One timer serves all who wait; it lets those of one tick through together,
as a wake-up costs as much as a grant, and is never set to under a millisecond (uvloop has whole milliseconds: a shorter
timer would spin). A task may be cancelled at any await: whoever leaves gives back what he took, and the next one is let
through.
"""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from corpusmill.limits.charge import Charge, Limits
from corpusmill.limits.claim import Answered, Claim, ClaimState, Failed, Lost, Outcome, Refusal, Refused, Rejected
from corpusmill.limits.gate import Gate
from corpusmill.limits.hold import Hold
from corpusmill.limits.server_load import ServerLoad
from corpusmill.limits.statistics import GateStatistics, look_at

TIMER_SECONDS_LEAST = 0.001

HELD_SECONDS = 2.0
"""A gate that is closed for longer than this turns away who may go elsewhere."""


class Ticket(Claim):
    """The right to send one request, as an async context manager or by `wait` and `leave`.

    Entering waits until the gate lets the request through. Inside, the outcome is told once by one of `answered`,
    `refused`, `failed` and `rejected`; a ticket left without any counts as lost and keeps its charge.

    Attributes:
        gate_name: whose ticket it is.
    """

    __slots__ = ("_first", "_granted", "_tickets", "front", "gate_name", "is_movable")

    def __init__(self, tickets: "Tickets", job: str, charge: Charge, *, first: bool, is_movable: bool) -> None:
        super().__init__(job, charge)
        self.gate_name = tickets.name
        self.is_movable = is_movable
        self.front: Ticket | None = None
        self._tickets = tickets
        self._first = first
        self._granted: asyncio.Future[bool] | None = None

    async def wait(self) -> bool:
        """Wait until the gate lets the request through; False if it had better go elsewhere (`is_movable`)."""
        granted = self._tickets.enter(self, self._first)
        if granted is None:
            return True
        self._granted = granted
        try:
            return await granted
        except asyncio.CancelledError:
            self._tickets.withdraw(self)
            raise

    def leave(self) -> None:
        """Count a request without an outcome as lost; one with an outcome is left alone."""
        if self.state is ClaimState.GRANTED:
            self._settle(Lost())

    async def __aenter__(self) -> Self:
        await self.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def grant(self) -> None:
        """Wake whoever waits for this ticket; if he is being cancelled, he gives it back himself."""
        if self._granted is not None and not self._granted.done():
            self._granted.set_result(True)

    def turn_away(self) -> None:
        """Send whoever waits for this ticket, which was taken out of the queue, elsewhere."""
        if self._granted is not None and not self._granted.done():
            self._granted.set_result(False)

    def withdraw(self) -> None:
        """Give back a ticket whose request was never sent."""
        self._tickets.withdraw(self)
        if self.front is not None:
            self.front.withdraw()

    def answered(
        self,
        input_tokens: float | None = None,
        output_tokens: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """The server answered: the charge is corrected to its usage figures, if it sent any."""
        self._settle(Answered(input_tokens, output_tokens, headers))

    def refused(self, refusal: Refusal, headers: Mapping[str, str] | None = None) -> None:
        """The server is too busy for a good request: it is refunded, and the gate slows down."""
        self._settle(Refused(refusal, headers))

    def failed(self) -> None:
        """Outage: connect, reset, timeout before the first byte, 5xx. The charge is kept."""
        self._settle(Failed())

    def rejected(self) -> None:
        """The server says that the request is bad: it is alive. The charge is kept."""
        self._settle(Rejected())

    def _settle(self, outcome: Outcome) -> None:
        self._tickets.settle(self, outcome)
        if self.front is None:
            return
        if isinstance(outcome, Refused):
            self.front.withdraw()
        elif isinstance(outcome, Answered):
            self.front.answered(outcome.input_tokens, outcome.output_tokens)
        else:
            self.front.rejected()


class Tickets:
    """Gives out the tickets of one gate; to be made and used inside one running event loop.

    Args:
        gate: decides.
        name: of the endpoint, for people and metrics.

    Attributes:
        jobs: who waits; gives a job its weight and class (`share`), and drops one that is over (`forget`).
    """

    def __init__(self, gate: Gate[Ticket], name: str = "default") -> None:
        self._gate = gate
        self.name = name
        self.jobs = gate.queue
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._is_held = False
        self._busy = asyncio.Event()

    def ticket(self, job: str, charge: Charge, *, first: bool = False, is_movable: bool = False) -> Ticket:
        """Return a ticket for one request of a job, to be entered once.

        Args:
            job: shares the gate with other jobs by weight, see `jobs`.
            charge: what the request is expected to take.
            first: a retry, which goes before the others of its job.
            is_movable: the request may go elsewhere, and is turned away if the gate closes for a while.
        """
        return Ticket(self, job, charge, first=first, is_movable=is_movable)

    @property
    def outstanding(self) -> int:
        """Requests in flight and waiting."""
        return self._gate.in_flight + len(self._gate.queue)

    @property
    def is_limited(self) -> bool:
        """Whether any limit per minute or less is known, or the width is fixed."""
        return self._gate.pacer.rates.is_limited or not self._gate.width.is_open

    def hold(self) -> Hold | None:
        """Return what lets nothing pass for a while, None if there is nothing."""
        return self._gate.hold(self._loop.time())

    def held_seconds(self) -> float:
        """Return for how long nothing will pass; 0 if something may."""
        now = self._loop.time()
        hold = self._gate.hold(now)
        return 0.0 if hold is None else hold.until - now

    async def wait_until_busy(self) -> None:
        """Return when a request is out."""
        if not self._gate.in_flight:
            self._busy.clear()
            await self._busy.wait()

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

    def enter(self, ticket: Ticket, first: bool) -> asyncio.Future[bool] | None:
        """Let a ticket through at once (None), or return what its holder has to wait for."""
        now = self._loop.time()
        if self._gate.request(ticket, now, first):
            self._busy.set()
            return None
        if self._timer is None or self._gate.queue.head() is ticket:
            self._set_timer(now, self._gate.next_wake(now))
        return self._loop.create_future()

    def withdraw(self, ticket: Ticket) -> None:
        """Take back a ticket whose request was never sent."""
        if ticket.state is not ClaimState.SETTLED:
            now = self._loop.time()
            self._gate.withdraw(ticket, now)
            self._arm(now)

    def settle(self, ticket: Ticket, outcome: Outcome) -> None:
        """Take the outcome of a ticket, and let through whoever may pass now."""
        now = self._loop.time()
        self._gate.settle(ticket, outcome, now)
        if not isinstance(outcome, Answered):
            self._turn_away(now)
        if self._gate.queue:
            self._arm(now)

    def _turn_away(self, now: float) -> None:
        """When the gate closes for a while, send those elsewhere who may go."""
        hold = self._gate.hold(now)
        was_held, self._is_held = self._is_held, hold is not None and hold.until - now > HELD_SECONDS
        if self._is_held and not was_held:
            for ticket in [waiting for waiting in self._gate.queue.waiting() if waiting.is_movable]:
                self._gate.withdraw(ticket, now)
                ticket.turn_away()

    def _dispatch(self) -> None:
        """Bring the gate up to date, and let through whoever may pass now."""
        now = self._loop.time()
        self._grant(now)
        self._set_timer(now, self._gate.next_wake(now))

    def _arm(self, now: float) -> None:
        """Let through whoever may pass now, or look again when the next one may: the gate is up to date."""
        wake = self._gate.next_wake(now)
        if wake is not None and wake <= now:
            self._grant(now)
            wake = self._gate.next_wake(now)
        self._set_timer(now, wake)

    def _grant(self, now: float) -> None:
        for ticket in self._gate.grants(now):
            self._busy.set()
            ticket.grant()

    def _set_timer(self, now: float, wake: float | None) -> None:
        """Keep one timer, at most a tick later than the next moment at which a ticket may pass; none if none waits."""
        tick_seconds = max(self._gate.tick_seconds, TIMER_SECONDS_LEAST)
        if self._timer is not None:
            if wake is not None and self._timer_at <= max(wake, now + tick_seconds):
                return
            self._timer.cancel()
            self._timer = None
        if wake is not None:
            seconds = max(wake - now, tick_seconds)
            self._timer_at = now + seconds
            self._timer = self._loop.call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._dispatch()
