"""Whether to send a straggler's request a second time.

Rule of this file: off unless asked for. A hedge costs a request and its tokens, so it is sent only where nobody waits
for them, only for the last items of a job, only once per request, and never for more than one in a hundred.
"""

import msgspec


class HedgePolicy(msgspec.Struct, frozen=True):
    """When hedging is allowed.

    Attributes:
        is_on: nothing is hedged unless this is set.
        last_share: only while at most this share of the job's items is left.
        budget_share: hedges sent may be at most this share of all requests of the job.
    """

    is_on: bool = False
    last_share: float = 0.01
    budget_share: float = 0.01


class Straggler(msgspec.Struct, frozen=True):
    """A request that is still out, and the job around it.

    Attributes:
        out_seconds: since it was sent.
        is_hedged: whether it was sent a second time already.
        items_left: of the job, not finished.
        items: of the job.
        hedges_sent: of the job.
        requests_sent: of the job.
        queue_depth: requests that wait at the gate.
    """

    out_seconds: float
    is_hedged: bool
    items_left: int
    items: int
    hedges_sent: int
    requests_sent: int
    queue_depth: int


def is_worth_a_hedge(policy: HedgePolicy, straggler: Straggler, p99_seconds: float | None) -> bool:
    """Return whether to send it again; `p99_seconds` is the time 99 % of answers took, None if not known yet."""
    if not policy.is_on or straggler.is_hedged or p99_seconds is None or straggler.queue_depth:
        return False
    is_late = straggler.out_seconds > p99_seconds
    is_last = straggler.items_left <= max(1.0, policy.last_share * straggler.items)
    is_paid_for = straggler.hedges_sent + 1 <= max(1.0, policy.budget_share * straggler.requests_sent)
    return is_late and is_last and is_paid_for
