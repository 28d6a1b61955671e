"""How fast: the buckets of a gate, and what moves their rates.

Rule of this file: everything that raises or lowers a rate is a factor of one product, recomputed at most ten times a
second: what the server's headers aim at (`ServerView`) or else what windows leave (`static_share`), what refusals
taught (`Restraint`, `SlowRamp`), and what the caller's ramp after an outage allows. Limits per minute or less are
spread evenly; a daily one is counted, and may be used up at once.
"""

import math
from collections.abc import Mapping

from corpusmill.limits.bucket import Bucket
from corpusmill.limits.buckets import NOTHING, Amounts, Buckets
from corpusmill.limits.charge import DAY_SECONDS, Limits
from corpusmill.limits.claim import Answered, Claim, RefusalKind, Refused
from corpusmill.limits.delivered import Delivered
from corpusmill.limits.opening import Opening
from corpusmill.limits.restraint import Restraint, SlowRamp, static_share
from corpusmill.limits.server_view import ServerView

TUNE_SECONDS = 0.1
RETUNE_SECONDS = 1.0
"""Whoever waits longer than this is looked at again, as the rate may have risen meanwhile."""


class Pacer:
    """The rates of one gate.

    Attributes:
        buckets: levels and limits.
        restraint: what refusals taught.
        view: what headers tell.
        is_limited: whether any limit per minute or less is known.
    """

    def __init__(self, limits: Limits, now: float) -> None:
        self.buckets = Buckets()
        self.restraint = Restraint(now)
        self._limits = limits
        self.view = ServerView()
        self._sent = NOTHING
        self._slow_ramp = SlowRamp()
        self._delivered = Delivered(now)
        self._tuned_at = -math.inf
        self._ramp_share = 1.0
        self._may_rise = False
        self.buckets.adopt(limits.rows(), now)
        self.is_limited = self.buckets.are_paced()
        self._tune(now)
        self._opening = Opening(is_open=not self.buckets.rows)

    def price(self, claim: Claim) -> None:
        """Write down what a claim will be charged."""
        claim.reserved = claim.charge.reserved()
        claim.amounts = claim.reserved if self._limits.reserve_output else claim.charge.expected()

    def ready_at(self, amounts: Amounts, now: float) -> float:
        """Return when these amounts may pass (`now` if at once), or when to look again because rates may have risen."""
        opens_at = self._opening.ready_at()
        if opens_at > now:
            return opens_at
        ready = self.buckets.ready_at(amounts, now)
        return min(ready, now + RETUNE_SECONDS) if self._may_rise else ready

    def granted(self, claim: Claim, now: float) -> None:
        """Charge a claim that is let through."""
        self.buckets.charge(claim.amounts, now)
        claim.sent_before = self._sent = add(self._sent, claim.reserved)
        self._opening.sent(now)

    def withdrawn(self, claim: Claim, now: float) -> None:
        """Give back a claim whose request was never sent."""
        self._refund(claim, now)
        self._opening.withdrawn()

    def settled(self, now: float) -> None:
        """Note that a request came back, in whatever way: the first one opens a fresh gate."""
        self._opening.settled(now)

    def answered(self, claim: Claim, outcome: Answered, now: float) -> float:
        """Correct what was charged to what was used; return the difference as cost (see `Buckets.cost`)."""
        if outcome.headers is not None:
            self._read(outcome.headers, claim, now)
        if self._limits.reserve_output or outcome.input_tokens is None or outcome.output_tokens is None:
            return 0.0
        used_input, used_output = outcome.input_tokens, outcome.output_tokens
        used = (1.0, used_input + used_output, used_input, used_output)
        self.buckets.correct(add(used, negative(claim.amounts)), claim.granted_at, now)
        return self.buckets.cost(used) - self.buckets.cost(claim.amounts)

    def refused(self, claim: Claim, outcome: Refused, now: float, is_daily: bool) -> None:
        """Give back a refused claim, and lower the rate where that was at fault; with a daily limit it is not."""
        self._refund(claim, now)
        if outcome.refusal.kind is RefusalKind.SLOW_DOWN:
            self._slow_ramp.refused(now, claim.granted_at)
        elif outcome.refusal.kind is RefusalKind.RATE and not is_daily:
            if outcome.headers is not None:
                self.view.refused(outcome.headers, claim.granted_at, claim.sent_before, now)
                self._adopt(now)
            is_steered = self.view.is_steering(now)
            self.restraint.refused(now, claim.granted_at, is_steered, self._delivered.share())
        self._tuned_at = -math.inf

    def paused(self, now: float, until: float) -> None:
        """Start without credit when a pause is over."""
        self.buckets.drain(until)
        self._delivered.paused(now, until)

    def advance(self, now: float, ramp_share: float) -> None:
        """Bring the rates up to date; `ramp_share` is the part of them that may be used after an outage."""
        if self._opening.opens(now):
            self.buckets.drain(self._opening.opens_at)
        if now - self._tuned_at >= TUNE_SECONDS:
            self._ramp_share = ramp_share
            self._tune(now)

    def share(self, now: float) -> float:
        """Return the part of the rates that refusals leave."""
        return self.restraint.share * self._slow_ramp.share(now)

    def is_opening(self) -> bool:
        """Return whether the first request is still awaited."""
        return not self._opening.is_open

    def used_share(self, bucket: Bucket, now: float) -> float | None:
        """Return the share of the server's own bucket that is used, projected to now; None if that is not known."""
        used = self.view.used(bucket, now, self._sent)
        return None if used is None else used / bucket.limit

    def rerate(self, limits: Limits, now: float) -> None:
        """Adopt other limits at once; levels and what refusals and headers taught are kept."""
        self._limits = limits
        self._adopt(now)
        self._tune(now)

    def _tune(self, now: float) -> None:
        self._tuned_at = now
        self.restraint.relax(now)
        self._delivered.look(now, self.buckets)
        share = self.share(now) * self._ramp_share
        self._may_rise = share < 1.0 or self.view.is_steering(now)
        configured = {(kind, period): limit for kind, limit, period in self._limits.rows()}
        for bucket in self.buckets.rows:
            if bucket.period_seconds >= DAY_SECONDS:
                bucket.shape(now, 1.0, bucket.period_seconds)
            else:
                limit = configured.get((bucket.kind, bucket.period_seconds))
                steered = self.view.share(bucket, limit, now, self._sent, self._delivered.share() or 0.0)
                bucket.is_steered = steered is not None
                target = steered or static_share(self.restraint.burst_seconds, bucket.period_seconds)
                bucket.shape(now, share * target, self.restraint.burst_seconds)

    def _read(self, headers: Mapping[str, str], claim: Claim, now: float) -> None:
        """Let the headers change limits, and set a daily bucket to what they say is used of it."""
        if not self.view.read(headers, claim.granted_at, claim.sent_before, now):
            return
        self._adopt(now)
        for bucket in self.buckets.rows:
            if bucket.period_seconds >= DAY_SECONDS:
                used = self.view.used(bucket, now, self._sent)
                if used is not None:
                    bucket.leak(now)
                    bucket.level = used

    def _adopt(self, now: float) -> None:
        """Hold to the limits that are known by now; a bucket that is new to a gate at work starts without credit."""
        fresh = self.buckets.adopt(self.view.effective(self._limits.rows()), now)
        self.is_limited = self.buckets.are_paced()
        if fresh:
            self._tune(now)
        for bucket in fresh:
            if bucket.period_seconds < DAY_SECONDS:
                bucket.drain(now)

    def _refund(self, claim: Claim, now: float) -> None:
        self.buckets.correct(negative(claim.amounts), claim.granted_at, now, is_refund=True)
        self._sent = add(self._sent, negative(claim.reserved))


def add(left: Amounts, right: Amounts) -> Amounts:
    """Return the sum, kind by kind."""
    return (left[0] + right[0], left[1] + right[1], left[2] + right[2], left[3] + right[3])


def negative(amounts: Amounts) -> Amounts:
    """Return what gives these amounts back."""
    return (-amounts[0], -amounts[1], -amounts[2], -amounts[3])
