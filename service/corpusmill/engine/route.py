"""Whom a step calls, and what is remembered of a call on its way."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from corpusmill.chain.completion import Usage
from corpusmill.endpoint.client import Answer, CallRequest
from corpusmill.endpoint.failures import Failure
from corpusmill.endpoint.prices import Prices
from corpusmill.engine.tickets import Ticket, Tickets
from corpusmill.journal.records import Attempts, Billed
from corpusmill.limits.charge import Charge
from corpusmill.limits.hold import Hold
from corpusmill.limits.pool import Load, least_outstanding


class Answering(Protocol):
    """What answers calls: the endpoint over HTTP, or a script in a simulation."""

    async def call(self, request: CallRequest, deadline_seconds: float) -> Answer | Failure:
        """Make one call; never raises but for cancellation."""


class Member:
    """One endpoint or key of a route.

    Attributes:
        endpoint: answers calls.
        tickets: of its gate.
        answers: calls it answered for this route so far.
    """

    __slots__ = ("answers", "endpoint", "tickets")

    def __init__(self, endpoint: Answering, tickets: Tickets) -> None:
        self.endpoint, self.tickets = endpoint, tickets
        self.answers = 0


class Route:
    """A model alias, resolved for a job: whom to call, under which name, at what price and through which gate.

    Args:
        upstream: the model's name at the endpoint.
        members: whom to call; of several, whoever has least to do.
        job: whose route it is, by the name its gates know.
        model: by which the operator knows it, in events.
        own: a gate of the job's own, before those of the members, where the job asks for less than they allow.

    Attributes:
        prices: None where they are unknown, or not found out yet.
        priced: set once they are found out.
        wanted: set once they are needed: a call is let through, or a budget is to be checked.
        refusals: calls refused for what is in them, before the first answer.
        held_since: when nobody let anything pass any more, None while somebody does.
    """

    def __init__(
        self, upstream: str, members: Sequence[Member], *, job: str, model: str = "", own: Tickets | None = None
    ) -> None:
        self.upstream, self.model, self.members = upstream, model or upstream, members
        self.prices: Prices | None = None
        self.priced = asyncio.Event()
        self.wanted = asyncio.Event()
        self.refusals = 0
        self.held_since: float | None = None
        self._job, self._own = job, own
        self._turn = 0

    @property
    def answers(self) -> int:
        """Calls answered so far."""
        return sum(member.answers for member in self.members)

    async def admit(self, charge: Charge, *, first: bool = False) -> tuple[Member, Ticket]:
        """Return who is to be called, and the ticket for it: to be settled, or left, by whoever takes it."""
        front = None
        if self._own is not None:
            front = self._own.ticket(self._job, charge, first=first)
            await front.wait()
        try:
            while True:
                member = self._pick()
                ticket = member.tickets.ticket(self._job, charge, first=first, is_movable=len(self.members) > 1)
                if await ticket.wait():
                    ticket.front = front
                    self.wanted.set()
                    return member, ticket
        except asyncio.CancelledError:
            if front is not None:
                front.withdraw()
            raise

    def hold(self) -> Hold | None:
        """Return what holds back every member, the one that is over first; None if one of them lets calls pass."""
        first: Hold | None = None
        for member in self.members:
            hold = member.tickets.hold()
            if hold is None:
                return None
            if first is None or hold.until < first.until:
                first = hold
        return first

    @property
    def waiting(self) -> int:
        """Requests that wait at its gates, of any job."""
        return sum(len(member.tickets.jobs) for member in self.members)

    def _pick(self) -> Member:
        """Return whoever has least to do; who is closed comes after all others."""
        if len(self.members) == 1:
            return self.members[0]
        self._turn += 1
        loads = [Load(member.tickets.outstanding, member.tickets.held_seconds()) for member in self.members]
        return self.members[least_outstanding(loads, self._turn)]

    async def known_prices(self) -> Prices | None:
        """Return the prices as soon as they are found out; None where they are unknown."""
        self.wanted.set()
        await self.priced.wait()
        return self.prices

    def price(self, prices: Prices | None) -> None:
        """Set the prices, which may be found out while the first calls are out."""
        self.prices = prices
        self.priced.set()


class Tally:
    """Requests of one item that no record accounts for yet, and what those without a completion cost."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.sent = self.rate_limited = self.errors = 0
        self._billed: Billed | None = None

    def count(self, *, is_refused: bool) -> None:
        """Count a call without a completion."""
        self.rate_limited += is_refused
        self.errors += not is_refused

    def bill(self, usage: Usage, cost_picodollars: int | None) -> None:
        """Add what the endpoint billed for a call without a completion; None: its price is unknown."""
        tokens = usage.input_tokens, usage.cached_input_tokens, usage.output_tokens
        billed = Billed(*tokens, cost_picodollars or 0, int(cost_picodollars is None))
        self._billed = billed if self._billed is None else self._billed + billed

    def take(self) -> Attempts:
        """Return the counts and start anew."""
        attempts = Attempts(self.sent, self.rate_limited, self.errors, self._billed)
        self.sent = self.rate_limited = self.errors = 0
        self._billed = None
        return attempts


class Worker:
    """A worker's place in the run.

    Attributes:
        in_call: while a request of his is out, which a drain lets come back.
        asked: whom he called last; set before his first call.
        hands: workers who do parts of an item for him, while he waits for them.
    """

    __slots__ = ("asked", "hands", "in_call")

    asked: Member

    def __init__(self) -> None:
        self.in_call = False
        self.hands: dict[asyncio.Task[Any], Worker] = {}

    def idle(self, task: asyncio.Task[Any]) -> list[asyncio.Task[Any]]:
        """Return what a drain may end at once: his own task or those of his hands, but for those with a call out."""
        if self.hands:
            return [idle for each, hand in self.hands.items() for idle in hand.idle(each)]
        return [] if self.in_call else [task]
