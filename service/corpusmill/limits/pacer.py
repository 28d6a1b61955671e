"""When a claim may pass by the rates, and what it takes of them.

Rule of this file: what is charged is settled: given back whole if the server refused, corrected to the usage figures
if it answered, kept if nobody knows.
"""

from corpusmill.limits.buckets import Amounts
from corpusmill.limits.charge import Limits
from corpusmill.limits.claim import Answered, Claim, Refused
from corpusmill.limits.opening import Opening
from corpusmill.limits.rates import Rates

RETUNE_SECONDS = 1.0
"""Whoever waits longer than this is looked at again if the rate may have risen meanwhile."""


class Pacer:
    """Charges the claims of one gate.

    Attributes:
        rates: how fast they may pass.
        opening: whether the first one is still awaited.
    """

    def __init__(self, limits: Limits, now: float) -> None:
        self.rates = Rates(limits, now)
        self.opening = Opening()

    def price(self, claim: Claim) -> None:
        """Write down what a claim will be charged."""
        claim.reserved = claim.charge.reserved()
        claim.amounts = claim.reserved if self.rates.limits.reserve_output else claim.charge.expected()

    def ready_at(self, amounts: Amounts, now: float) -> float:
        """Return when these amounts may pass (`now` if at once), or when to look again because rates may have risen."""
        opens_at = self.opening.ready_at()
        if opens_at > now:
            return opens_at
        ready = self.rates.buckets.ready_at(amounts, now)
        return min(ready, now + RETUNE_SECONDS) if self.rates.may_rise else ready

    def advance(self, now: float, ramp_share: float) -> None:
        """Bring the rates up to date; `ramp_share` is the part of them that may be used after an outage."""
        if self.opening.opens(now):
            self.rates.buckets.drain(self.opening.opens_at)
        self.rates.advance(now, ramp_share)

    def granted(self, claim: Claim, now: float) -> None:
        """Charge a claim that is let through."""
        self.rates.buckets.charge(claim.amounts, now)
        claim.sent_before = self.rates.sent = add(self.rates.sent, claim.reserved)
        claim.returned_before = self.rates.returned
        self.opening.sent(now)

    def withdrawn(self, claim: Claim, now: float) -> None:
        """Give back a claim whose request was never sent."""
        self._refund(claim, now)
        self.opening.missed(now)

    def answered(self, claim: Claim, outcome: Answered, now: float) -> float:
        """Correct what was charged to what was used; return the difference as cost (see `Buckets.cost`)."""
        if outcome.headers is not None:
            self.rates.read(outcome.headers, claim, now)
        used_input, used_output = outcome.input_tokens, outcome.output_tokens
        if used_input is None or used_output is None or self.rates.limits.reserve_output:
            return 0.0
        used = (1.0, used_input + used_output, used_input, used_output)
        self.rates.returned = add(self.rates.returned, add(claim.reserved, negative(used)))
        held, buckets = claim.amounts, self.rates.buckets
        more = (1.0 - held[0], used[1] - held[1], used_input - held[2], used_output - held[3])
        buckets.correct(more, claim.granted_at, now)
        return buckets.cost(used) - buckets.cost(held) if buckets.rows else 0.0

    def refused(self, claim: Claim, outcome: Refused, now: float, is_daily: bool) -> None:
        """Give back a refused claim, and let the rates react."""
        self._refund(claim, now)
        self.rates.refused(claim, outcome, now, is_daily)

    def _refund(self, claim: Claim, now: float) -> None:
        self.rates.buckets.correct(negative(claim.amounts), claim.granted_at, now, is_refund=True)
        self.rates.sent = add(self.rates.sent, negative(claim.reserved))


def add(left: Amounts, right: Amounts) -> Amounts:
    """Return the sum, kind by kind."""
    return (left[0] + right[0], left[1] + right[1], left[2] + right[2], left[3] + right[3])


def negative(amounts: Amounts) -> Amounts:
    """Return what gives these amounts back."""
    return (-amounts[0], -amounts[1], -amounts[2], -amounts[3])
