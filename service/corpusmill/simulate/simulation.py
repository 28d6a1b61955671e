"""What the endpoint does with a call: decided here, acted out in `server`.

Rule of this file: no input or output, no tasks; time is passed in. A call goes through the same gates as at a provider:
model, faults at the door, allowance, then the answer with its latency. Only a call that passes the door, or meets a
fault there, counts as a visit of its prompt; so what the faults are does not depend on the timing of 429s.
"""

import math
from enum import Enum, auto
from itertools import count
from statistics import NormalDist
from typing import Any

import msgspec
from msgspec.structs import replace

from corpusmill.simulate import errors
from corpusmill.simulate.allowance import Allowance
from corpusmill.simulate.answers import Author, Origin, complete
from corpusmill.simulate.catalogue import Catalogue
from corpusmill.simulate.chance import derive, prompt_key, unit
from corpusmill.simulate.errors import FAILED_INSIDE, REFUSED_AT_THE_DOOR, ApiError
from corpusmill.simulate.faults import Fault, FaultPlan
from corpusmill.simulate.files import Files
from corpusmill.simulate.findings import Care
from corpusmill.simulate.ledger import Ledger
from corpusmill.simulate.options import SimulateOptions
from corpusmill.simulate.tuning import TUNED, Tuning
from corpusmill.simulate.visits import Visits
from corpusmill.simulate.wire import Call, Usage

VISITS_KEPT = 1_000_000
PREFIXES_KEPT = 10_000
CACHED_PREFIX_TOKENS = 1_024
"""The shortest prompt that OpenAI caches (OpenAI prompt caching guide); longer ones count as much here."""
STANDARD_NORMAL = NormalDist()
MAX_LATENCY_FACTOR = 50.0
"""The tail of the latency is cut at so many times the mean."""
HTML = b"<!doctype html><title>502 Bad Gateway</title><h1>Bad Gateway</h1><p>A simulated proxy says this.</p>"


class Delivery(Enum):
    """How an answer goes out."""

    WHOLE = auto()
    TRUNCATED = auto()
    """Content-Length promises more than comes before the connection closes."""
    RESET = auto()
    """The connection is reset before the first byte, or in the middle of the body."""
    HANG = auto()
    """Nothing comes."""


class Reply(msgspec.Struct, frozen=True):
    """An answer, and how to give it.

    Attributes:
        outcome: what the ledger counts it as when it was delivered.
        delay_seconds: before the first byte.
        reserved_tokens: charged at admission; None: it was not admitted, and there is nothing to settle.
        used: the tokens that it really takes, and a provider bills.
    """

    status: int
    outcome: str
    body: bytes
    headers: dict[str, str]
    content_type: str = "application/json"
    delivery: Delivery = Delivery.WHOLE
    delay_seconds: float = 0.0
    reserved_tokens: int | None = None
    used: Usage | None = None


class Simulation:
    """One simulated endpoint.

    Args:
        options: how it behaves.
        now: the time of its start, in seconds of a clock that never goes back; all later times are of this clock.
    """

    def __init__(self, options: SimulateOptions, now: float) -> None:
        self.options = options
        self.catalogue = Catalogue(options.models)
        self.files = Files()
        self.tuning = Tuning(self.files, options.tuning_seconds)
        self._allowance = Allowance(options, now)
        self._ledger = Ledger(self._allowance)
        self._plan = FaultPlan(options.faults)
        self._visits = Visits(VISITS_KEPT)
        self._prefixes = Visits(PREFIXES_KEPT)
        care = Care(options.invented_share, options.missed_share, options.sloppy_share, options.reworded_share)
        self._author = Author(prompt_key(options.seed, "pool"), options.text_chars, care, options.judge_bias_share)
        self._tuned = replace(self._author, care=care.times(options.tuned_share))
        self._serial = count(1)

    def answer(self, call: Call, now: float, created: int) -> Reply:
        """Decide what a call meets; the reply must be settled when it is over.

        Args:
            call: what is asked.
            now: when.
            created: the time of the day that the completion tells, in whole seconds.
        """
        self._ledger.open(now)
        try:
            return self._admitted(call, now, created)
        except ApiError as error:
            return self.refuse(error, now)

    def has_model(self, name: str, now: float) -> bool:
        """Whether a request for this model is answered."""
        return self.catalogue.has(name) or self.tuning.tuned(name, now) is not None

    def _admitted(self, call: Call, now: float, created: int) -> Reply:
        """The reply to a call that passes every gate; raises ApiError at the first that it does not pass."""
        if not self.has_model(call.model, now):
            raise errors.model_not_found(call.model)
        key = prompt_key(self.options.seed, call.identity)
        visit = self._visits.of(key)
        fault = self._plan.fault(key, visit)
        if fault in REFUSED_AT_THE_DOOR:
            self._visits.record(key)
            raise REFUSED_AT_THE_DOOR[fault](call.model)
        reserved = call.prompt_tokens + self._reserved_for_answer(call)
        if refusal := self._allowance.admit(reserved, now):
            raise errors.rate_limit_reached(call.model, refusal)
        self._visits.record(key)
        self._ledger.admit(reserved, now)
        reply = self._reply(call, key, fault, self._origin(call, key, created))
        headers = reply.headers | self._allowance.headers(now)
        delay = self._delay(key, visit)
        return replace(reply, headers=headers, delay_seconds=delay, reserved_tokens=reserved)

    def refuse(self, error: ApiError, now: float) -> Reply:
        """The reply to a request that is not admitted, or is not a call at all."""
        self._ledger.open(now)
        self._ledger.refuse(error.outcome)
        headers = error.headers | self._allowance.headers(now)
        return Reply(error.status, error.outcome, error.encoded(), headers)

    def settle(self, reply: Reply, now: float, *, delivered: bool) -> None:
        """A reply is over; one whose client left before it was ready used nothing."""
        reserved = reply.reserved_tokens
        if reserved is None:
            return
        usage = reply.used if delivered else None
        used = usage.total_tokens if usage else 0
        charged = self._allowance.settle(reserved, used, now)
        outcome = reply.outcome if delivered or reply.delivery is Delivery.HANG else "abandoned"
        self._ledger.finish(outcome, reserved=reserved, charged=charged, used=usage, now=now)

    def statement(self, now: float) -> dict[str, Any]:
        """The books, as the JSON of /stats."""
        return self._ledger.statement(self._visits.distinct, now)

    def _reserved_for_answer(self, call: Call) -> int:
        each = self.options.default_max_tokens if call.max_tokens is None else call.max_tokens
        return each * call.choices * len(call.prompts)

    def _origin(self, call: Call, key: int, created: int) -> Origin:
        cached = 0
        if self.options.prompt_cache and call.prompt_tokens >= CACHED_PREFIX_TOKENS:
            prefix = prompt_key(0, call.prompts[0][: CACHED_PREFIX_TOKENS * 4])
            cached = CACHED_PREFIX_TOKENS if self._prefixes.of(prefix) else 0
            self._prefixes.record(prefix)
        prefix_of_id = "chatcmpl-sim" if call.chat else "cmpl-sim"
        return Origin(f"{prefix_of_id}-{key:016x}-{next(self._serial)}", created, cached)

    def _reply(self, call: Call, key: int, fault: Fault | None, origin: Origin) -> Reply:
        """The reply, but for what admission adds to it."""
        if fault in FAILED_INSIDE:
            error = FAILED_INSIDE[fault](call.model)
            return Reply(error.status, error.outcome, error.encoded(), error.headers)
        if fault is Fault.HANG:
            return Reply(200, str(fault), b"", {}, delivery=Delivery.HANG)
        tuned = call.model.startswith(TUNED)
        author, own = (self._tuned, derive(key, TUNED)) if tuned else (self._author, key)
        completion = complete(author, call, own, fault, origin)
        body = msgspec.json.encode(completion)
        reply = Reply(200, str(fault or "ok"), body, {}, used=completion.usage)
        return _spoiled(reply, fault, at_once=unit(key, "reset", self._visits.of(key)) < 0.5)

    def _delay(self, key: int, visit: int) -> float:
        """Lognormal around the mean: mu = ln(mean) - sigma^2 / 2, so that the mean stays what was asked for."""
        mean, sigma = self.options.latency_seconds, self.options.latency_spread
        if mean == 0 or sigma == 0:
            return mean
        middle = (derive(key, "latency", visit) + 0.5) / (2.0**64 + 1)
        factor = math.exp(sigma * STANDARD_NORMAL.inv_cdf(middle) - sigma * sigma / 2)
        return mean * min(factor, MAX_LATENCY_FACTOR)


def _spoiled(reply: Reply, fault: Fault | None, *, at_once: bool) -> Reply:
    """A good reply, spoiled by a fault of the transport; a reset comes `at_once` or in the middle."""
    match fault:
        case Fault.GARBAGE:
            return replace(reply, body=b"\xf8\x88" + reply.body[: len(reply.body) // 2])
        case Fault.CONTENT_TYPE:
            return replace(reply, body=HTML, content_type="text/html")
        case Fault.TRUNCATION:
            return replace(reply, delivery=Delivery.TRUNCATED)
        case Fault.RESET:
            return replace(reply, delivery=Delivery.RESET, body=b"" if at_once else reply.body)
        case _:
            return reply
