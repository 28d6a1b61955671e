"""The gate of one endpoint and credential: decides which request may be sent, and when.

Rule of this file: a state machine without tasks or clocks. `request` and `grants` let claims through, `settle` takes
their outcome, `next_wake` says when to ask again. Every condition (width, pause, breaker, rates) is one term of
`_ready_at`; whoever is at the head of the queue waits for all of them, and nobody passes him.
"""

import math
import random
from typing import Generic, TypeVar

from corpusmill.limits.breaker import Breaker
from corpusmill.limits.charge import Limits
from corpusmill.limits.claim import (
    Answered,
    Claim,
    ClaimState,
    Failed,
    Lost,
    Outcome,
    RefusalKind,
    Refused,
    SettledTwiceError,
)
from corpusmill.limits.fair_queue import FairQueue
from corpusmill.limits.hold import Hold, HoldKind
from corpusmill.limits.pacer import Pacer
from corpusmill.limits.pause import Pause
from corpusmill.limits.width import Width

C = TypeVar("C", bound=Claim)
PAUSE_SECONDS = {RefusalKind.RATE: 1.0, RefusalKind.CAPACITY: 1.0, RefusalKind.SLOW_DOWN: 5.0, RefusalKind.QUOTA: 60.0}
"""How long a refusal that asks for nothing closes the gate."""
TICK_SHARE = 0.08
"""Of the burst: a fiftieth of a second of a quarter. What comes late is made up for, as a bucket's slack is larger."""
DAILY_SECONDS = 120.0
"""A server that asks for a longer pause than this speaks of a daily limit: the rate per minute is not at fault."""


class Gate(Generic[C]):
    """One budget of requests and tokens, shared by all jobs that use it.

    Args:
        limits: what the endpoint allows; without any, only width, pauses and the breaker hold a request back.
        jitter: randomness for the breaker's backoff.
        now: seconds.

    Attributes:
        queue: who waits, and the jobs' weights and classes.
        width: how many may be in flight.
        pacer: how fast.
        pauses: until when nothing passes.
        breaker: whether the server is there at all.
        in_flight: claims let through and not settled yet.
        granted_total: claims let through so far.
        refused_total: of those, refused by the server.
        wait_seconds_total: what all claims let through have waited.
    """

    def __init__(self, limits: Limits, jitter: random.Random, now: float = 0.0) -> None:
        self.queue: FairQueue[C] = FairQueue()
        self.in_flight = 0
        self.width = Width(limits, now)
        self.pacer = Pacer(limits, now)
        self.width.know_rates(self.pacer.rates.is_limited)
        self.pauses = Pause()
        self.breaker = Breaker(jitter)
        self.granted_total = 0
        self.refused_total = 0
        self.wait_seconds_total = 0.0

    def request(self, claim: C, now: float, first: bool = False) -> bool:
        """Let a claim through at once if nobody waits and all conditions hold (True), or queue it (False).

        Args:
            claim: a new claim.
            now: seconds.
            first: queue it before the others of its job, as a retry.
        """
        claim.queued_at = now
        self.pacer.price(claim)
        self.pacer.advance(now, self.breaker.share(now))
        if not self.queue and self._ready_at(claim, now) <= now:
            self._grant(claim, now)
            return True
        claim.state = ClaimState.WAITING
        self.queue.push(claim, first)
        return False

    def grants(self, now: float) -> list[C]:
        """Return the claims let through now, in their order."""
        self.pacer.advance(now, self.breaker.share(now))
        granted: list[C] = []
        while (claim := self.queue.head()) is not None and self._ready_at(claim, now) <= now:
            self.queue.pop(self.pacer.rates.buckets.cost(claim.amounts))
            self._grant(claim, now)
            granted.append(claim)
        return granted

    def next_wake(self, now: float) -> float | None:
        """Return when to ask for grants again; None if only a new claim or an outcome can change anything."""
        claim = self.queue.head()
        if claim is None:
            return None
        at = self._ready_at(claim, now)
        return None if at == math.inf else max(at, now)

    @property
    def tick_seconds(self) -> float:
        """How much later than at `next_wake` one may ask without losing any of the rate."""
        return TICK_SHARE * self.pacer.rates.restraint.burst_seconds

    def hold(self, now: float) -> Hold | None:
        """Return what lets nothing pass for a while; None if claims pass as rates and width let them."""
        at = self.breaker.ready_at(now)
        if at > now:
            return Hold(HoldKind.DOWN, "no answer", at)
        if self.pauses.until > now:
            return Hold(HoldKind.PAUSE, self.pauses.reason or "", self.pauses.until)
        used_up = self.pacer.rates.buckets.day_used_up(now)
        return None if used_up is None else Hold(HoldKind.DAY, used_up[1].name, used_up[0])

    def withdraw(self, claim: C, now: float) -> None:
        """Take back a claim whose request was never sent, whether it waits or was just let through."""
        if claim.state is ClaimState.WAITING:
            self.queue.discard(claim)
        elif claim.state is ClaimState.GRANTED:
            self.in_flight -= 1
            self.pacer.withdrawn(claim, now)
            self.breaker.lost(now, claim.is_probe)
        claim.state = ClaimState.SETTLED

    def settle(self, claim: C, outcome: Outcome, now: float) -> None:
        """Take the outcome of a claim that was let through: correct what it was charged, and learn from it.

        Raises:
            SettledTwiceError: the claim was settled or withdrawn before, or never let through.
        """
        if claim.state is not ClaimState.GRANTED:
            raise SettledTwiceError(f"a claim of job {claim.job!r} is settled while it is {claim.state.value}")
        claim.state = ClaimState.SETTLED
        self.in_flight -= 1
        if isinstance(outcome, Answered):
            self._answered(claim, outcome, now)
        elif isinstance(outcome, Refused):
            self.pacer.opening.taken(now)
            self._refuse(claim, outcome, now)
        else:
            self.pacer.opening.missed(now)
            self._unanswered(claim, outcome, now)

    def pause(self, seconds: float, reason: str, now: float) -> None:
        """Let nothing pass for so long from now; then the queue drains at the rate, without a burst."""
        self.pauses.extend(now, seconds, reason)
        self.pacer.rates.paused(now, self.pauses.until)

    def rerate(self, limits: Limits, now: float) -> None:
        """Adopt other limits at once, also for those who wait; levels and refusals are remembered."""
        self.width.rerate(limits)
        self.pacer.rates.rerate(limits, now)
        self.width.know_rates(self.pacer.rates.is_limited)

    def _ready_at(self, claim: C, now: float) -> float:
        """Return when a claim may pass; infinity if only an outcome can bring that about."""
        if self.in_flight >= self.width.limit(now) * self.breaker.share(now):
            return self.breaker.next_step_at(now)
        ready = self.breaker.ready_at(now)
        ready = max(ready, self.pauses.until)
        return ready if ready > now else self.pacer.ready_at(claim.amounts, now)

    def _grant(self, claim: C, now: float) -> None:
        claim.state = ClaimState.GRANTED
        claim.granted_at = now
        claim.is_probe = self.breaker.sent(now)
        self.pacer.granted(claim, now)
        self.in_flight += 1
        self.granted_total += 1
        claim.number = self.granted_total
        self.wait_seconds_total += now - claim.queued_at

    def _answered(self, claim: C, outcome: Answered, now: float) -> None:
        self.pacer.opening.taken(now)
        if claim.is_probe:
            self.breaker.alive(now, claim.is_probe)
        correction = self.pacer.answered(claim, outcome, now)
        if correction:
            self.queue.correct(claim.job, correction)
        self.width.know_rates(self.pacer.rates.is_limited)
        self.width.answered(now, claim.granted_at, outcome.output_tokens or 1.0, self.in_flight + 1)

    def _unanswered(self, claim: C, outcome: Outcome, now: float) -> None:
        if isinstance(outcome, Failed):
            self.breaker.failed(now, claim)
        elif isinstance(outcome, Lost):
            self.breaker.lost(now, claim.is_probe)
        else:
            self.breaker.alive(now, claim.is_probe)

    def _refuse(self, claim: C, outcome: Refused, now: float) -> None:
        """Refund, pause, and lower the rate or the width, whichever was at fault."""
        self.refused_total += 1
        kind, asked = outcome.refusal.kind, outcome.refusal.retry_after_seconds
        seconds = PAUSE_SECONDS[kind] if asked is None else asked
        is_daily = seconds > DAILY_SECONDS
        is_capacity = kind is RefusalKind.CAPACITY
        if not is_capacity:
            self.breaker.alive(now, claim.is_probe)
        elif claim.is_probe or claim.granted_at > self.pauses.until:
            self.breaker.failed(now, claim)
        is_at_fault = True
        if is_capacity or not self.pacer.rates.is_limited:
            is_at_fault = self.width.refused(now, claim, self.in_flight + 1, is_capacity)
        self.pacer.refused(claim, outcome, now, is_daily)
        if kind is RefusalKind.QUOTA:
            self.pacer.opening.close()
        renewal_at = self.pacer.rates.renewal_at(claim, now) if kind is RefusalKind.RATE and not is_daily else None
        if renewal_at is not None and renewal_at < now + seconds:
            seconds = renewal_at - now
            self.pacer.opening.close()
        if is_at_fault or asked is not None:
            self.pause(seconds, "daily limit" if is_daily else kind.value, now)
