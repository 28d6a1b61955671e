"""What a gate looks like from outside: immutable, for metrics and progress.

Rule of this file: it only looks; no decision depends on a statistic.
"""

import msgspec

from corpusmill.limits.bucket import Bucket
from corpusmill.limits.buckets import UNLIMITED
from corpusmill.limits.charge import MINUTE_SECONDS, Kind
from corpusmill.limits.claim import Claim
from corpusmill.limits.gate import C, Gate


class BucketStatistics(msgspec.Struct, frozen=True):
    """One bucket.

    Attributes:
        name: kind and period, such as `requests_per_minute`.
        limit: what the period allows.
        remaining: what could be charged at once, by the gate's own count.
        rate_per_minute: what the gate lets pass in a minute at present.
        server_used_share: what of the server's own bucket is used, by its headers; None if it does not tell.
    """

    name: str
    limit: float
    remaining: float
    rate_per_minute: float
    server_used_share: float | None


class GateStatistics(msgspec.Struct, frozen=True):
    """One gate.

    Attributes:
        buckets: its limits.
        charged_total: what was charged so far, net of what was given back, by kind (`requests`, `tokens`, ...).
        share: the part of the limits in use, after refusals, ramps and outages.
        burst_seconds: how much of the rate may come at once.
        queue_depth: waiting requests.
        queue_depth_by_job: the same, of each job that has any.
        head_wait_seconds: how long the next one has waited so far; 0 if none waits.
        held_by: what the next one waits for (`width`, `breaker`, `opening`, a pause's reason, or a bucket's name).
        wait_seconds_total: what all granted requests have waited.
        granted_total: requests let through.
        refused_total: requests that came back refused.
        in_flight: requests let through and not settled yet.
        width: how many may be in flight.
        paused_seconds: how long the gate is still paused.
        paused_by: why it is paused; None if it is not.
        paused_seconds_total: how long it has been paused altogether, what is left of this pause included.
        breaker: the circuit breaker's state.
        breaker_opened_total: how often it opened.
    """

    buckets: tuple[BucketStatistics, ...]
    charged_total: dict[str, float]
    share: float
    burst_seconds: float
    queue_depth: int
    queue_depth_by_job: dict[str, int]
    head_wait_seconds: float
    held_by: str | None
    wait_seconds_total: float
    granted_total: int
    refused_total: int
    in_flight: int
    width: int
    paused_seconds: float
    paused_by: str | None
    paused_seconds_total: float
    breaker: str
    breaker_opened_total: int


def look_at(gate: Gate[C], now: float) -> GateStatistics:
    """Return what a gate looks like now."""
    head, rates, pauses, breaker = gate.queue.head(), gate.pacer.rates, gate.pauses, gate.breaker
    rows = [row for row in rates.buckets.rows if row.limit < UNLIMITED]
    return GateStatistics(
        buckets=tuple(look_at_bucket(row, rates.used_share(row, now), now) for row in rows),
        charged_total={kind.name.lower(): rates.buckets.charged[kind] for kind in Kind},
        share=rates.share(now) * breaker.share(now),
        burst_seconds=rates.restraint.burst_seconds,
        queue_depth=len(gate.queue),
        queue_depth_by_job=gate.queue.depths(),
        head_wait_seconds=0.0 if head is None else now - head.queued_at,
        held_by=None if head is None else held_by(gate, head, now),
        wait_seconds_total=gate.wait_seconds_total,
        granted_total=gate.granted_total,
        refused_total=gate.refused_total,
        in_flight=gate.in_flight,
        width=int(gate.width.limit(now) * breaker.share(now)),
        paused_seconds=max(0.0, pauses.until - now),
        paused_by=pauses.reason if pauses.until > now else None,
        paused_seconds_total=pauses.seconds_total,
        breaker=breaker.state.value,
        breaker_opened_total=breaker.opened_count,
    )


def look_at_bucket(bucket: Bucket, server_used_share: float | None, now: float) -> BucketStatistics:
    """Return what a bucket looks like now."""
    bucket.leak(now)
    remaining = max(0.0, bucket.capacity - bucket.level)
    return BucketStatistics(bucket.name, bucket.limit, remaining, bucket.rate * MINUTE_SECONDS, server_used_share)


def held_by(gate: Gate[C], head: Claim, now: float) -> str | None:
    """Return what the head of the queue waits for; None if it may pass this moment."""
    if gate.in_flight >= gate.width.limit(now) * gate.breaker.share(now):
        return "width"
    if gate.pauses.until > now:
        return gate.pauses.reason
    if gate.breaker.ready_at(now) > now:
        return "breaker"
    if not gate.pacer.opening.is_open:
        return "opening"
    latest = max(gate.pacer.rates.buckets.rows, key=lambda row: row.ready_at(head.amounts[row.kind]), default=None)
    if latest is None or latest.ready_at(head.amounts[latest.kind]) <= now:
        return None
    return latest.name
