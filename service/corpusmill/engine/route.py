"""Whom a step calls, and what is remembered of a call on its way."""

import asyncio
from typing import Protocol

from corpusmill.endpoint.client import Answer, CallRequest
from corpusmill.endpoint.failures import Failure
from corpusmill.endpoint.prices import Prices
from corpusmill.engine.tickets import Tickets
from corpusmill.journal.records import Attempts


class Answering(Protocol):
    """What answers calls: the endpoint over HTTP, or a script in a simulation."""

    async def call(self, request: CallRequest, deadline_seconds: float) -> Answer | Failure:
        """Make one call; never raises but for cancellation."""


class Route:
    """A model alias, resolved: whom to call, under which name, at what price and through which gate.

    Attributes:
        upstream: the model's name at the endpoint.
        model, endpoint_name: by which the operator knows both, in events.
        prices: None where they are unknown, or not found out yet.
        priced: set once they are found out.
        answers: calls answered so far.
        refusals: calls refused for what is in them, before the first answer.
        down_since: when the endpoint was found to be down, None while it is not.
    """

    def __init__(
        self, upstream: str, endpoint: Answering, tickets: Tickets, *, model: str = "", endpoint_name: str = "default"
    ) -> None:
        self.model, self.endpoint_name = model or upstream, endpoint_name
        self.upstream, self.endpoint, self.tickets = upstream, endpoint, tickets
        self.prices: Prices | None = None
        self.priced = asyncio.Event()
        self.answers = 0
        self.refusals = 0
        self.down_since: float | None = None

    def price(self, prices: Prices | None) -> None:
        """Set the prices, which may be found out while the first calls are out."""
        self.prices = prices
        self.priced.set()


class Tally:
    """Requests of one item that no record accounts for yet."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.sent = self.rate_limited = self.errors = 0

    def take(self) -> Attempts:
        """Return the counts and start anew."""
        attempts = Attempts(self.sent, self.rate_limited, self.errors)
        self.sent = self.rate_limited = self.errors = 0
        return attempts


class Worker:
    """A worker's place in the run; `in_call` while a request of his is out, which a drain lets come back."""

    __slots__ = ("in_call",)

    def __init__(self) -> None:
        self.in_call = False
