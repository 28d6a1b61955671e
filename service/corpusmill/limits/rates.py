"""How fast: the rates of a gate's buckets, and everything that moves them.

Rule of this file: what raises or lowers a rate is a factor of one product, recomputed at most ten times a second: what
the server's headers aim at (`ServerView`) or else what windows leave (`static_share`), what refusals taught
(`Restraint`, `SlowRamp`), and what the caller's ramp after an outage allows. Limits per minute or less are spread
evenly; a daily one is counted, and may be used up at once.
"""

import math

from corpusmill.limits.bucket import Bucket
from corpusmill.limits.buckets import NOTHING, Amounts, Buckets
from corpusmill.limits.charge import DAY_SECONDS, Limits
from corpusmill.limits.claim import Claim, Headers, RefusalKind, Refused
from corpusmill.limits.delivered import Delivered
from corpusmill.limits.restraint import Restraint, SlowRamp, static_share
from corpusmill.limits.server_view import ServerView

TUNE_SECONDS = 0.1


class Rates:
    """The rates of one gate.

    Attributes:
        limits: as configured.
        buckets: levels and limits.
        restraint: what refusals taught.
        sent: what was sent so far, by kind, as a server counts that takes `max_tokens` at admission.
        returned: what of that was not used, of requests that were answered.
        is_limited: whether any limit per minute or less is known.
        may_rise: whether a rate may become higher by the mere passing of time.
    """

    def __init__(self, limits: Limits, now: float) -> None:
        self.limits = limits
        self.buckets = Buckets()
        self.restraint = Restraint(now)
        self.sent: Amounts = NOTHING
        self.returned: Amounts = NOTHING
        self.may_rise = False
        self._view = ServerView()
        self._slow_ramp = SlowRamp()
        self._delivered = Delivered(now)
        self._ramp_share = 1.0
        self._tuned_at = -math.inf
        self.buckets.adopt(limits.rows(), now)
        self.is_limited = self.buckets.are_paced()
        self._tune(now)

    def advance(self, now: float, ramp_share: float) -> None:
        """Bring the rates up to date; `ramp_share` is the part of them that may be used after an outage."""
        if now - self._tuned_at >= TUNE_SECONDS:
            self._ramp_share = ramp_share
            self._tune(now)

    def rerate(self, limits: Limits, now: float) -> None:
        """Adopt other limits at once; levels and what refusals and headers taught are kept."""
        self.limits = limits
        self._adopt(now)
        self._tune(now)

    def read(self, headers: Headers, claim: Claim, now: float) -> None:
        """Let the headers of an answer change limits, and set a daily bucket to what they say is used of it."""
        if not self._view.read(headers, claim.granted_at, claim.sent_before, now, claim.returned_before):
            return
        self._adopt(now)
        for bucket in self.buckets.rows:
            if bucket.period_seconds >= DAY_SECONDS:
                used = self._view.used(bucket, now, self.sent, self.returned)
                if used is not None:
                    bucket.leak(now)
                    bucket.level = used

    def refused(self, claim: Claim, outcome: Refused, now: float, is_daily: bool) -> None:
        """Lower the rate where it was at fault for a refusal; with a daily limit it was not."""
        if outcome.refusal.kind is RefusalKind.SLOW_DOWN:
            self._slow_ramp.refused(now, claim.granted_at)
        elif outcome.refusal.kind is RefusalKind.RATE and not is_daily:
            if outcome.headers is not None:
                self._view.refused(outcome.headers, claim.granted_at, claim.sent_before, now, claim.returned_before)
                self._adopt(now)
            is_steered = self._view.is_steering(now)
            self.restraint.refused(now, claim.granted_at, is_steered, self._delivered.share())
        self._tuned_at = -math.inf

    def renewal_at(self, claim: Claim, now: float) -> float | None:
        """Return when the limit that refused a claim is counted anew; None if that was not learnt."""
        return self._view.renewal_at(claim.granted_at, now, self.sent, self.returned)

    def paused(self, now: float, until: float) -> None:
        """Start without credit when a pause is over."""
        self.buckets.drain(until)
        self._delivered.paused(now, until)

    def share(self, now: float) -> float:
        """Return the part of the rates that refusals leave."""
        return self.restraint.share * self._slow_ramp.share(now)

    def used_share(self, bucket: Bucket, now: float) -> float | None:
        """Return the share of the server's own bucket that is used, projected to now; None if that is not known."""
        used = self._view.used(bucket, now, self.sent, self.returned)
        return None if used is None else used / bucket.limit

    def _adopt(self, now: float) -> None:
        """Hold to the limits that are known by now; a bucket that is new to a gate at work starts without credit."""
        fresh = self.buckets.adopt(self._view.effective(self.limits.rows()), now)
        self.is_limited = self.buckets.are_paced()
        if fresh:
            self._tune(now)
        for bucket in fresh:
            if bucket.period_seconds < DAY_SECONDS:
                bucket.drain(now)

    def _tune(self, now: float) -> None:
        self._tuned_at = now
        self.restraint.relax(now)
        self._delivered.look(now, self.buckets)
        share = self.share(now) * self._ramp_share
        self.may_rise = share < 1.0 or self._view.is_steering(now)
        burst_seconds = self.restraint.burst_seconds
        configured = {(kind, period): limit for kind, limit, period in self.limits.rows()}
        for bucket in self.buckets.rows:
            if bucket.period_seconds >= DAY_SECONDS:
                bucket.shape(now, 1.0, bucket.period_seconds)
            else:
                limit = configured.get((bucket.kind, bucket.period_seconds))
                delivered = self._delivered.share() or 0.0
                steered = self._view.share(bucket, limit, now, self.sent, delivered, self.returned)
                bucket.is_steered = steered is not None and self._view.tells_level(bucket)
                bucket.shape(
                    now, share * (steered or static_share(burst_seconds, bucket.period_seconds)), burst_seconds
                )
