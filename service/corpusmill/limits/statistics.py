"""What a gate looks like from outside: immutable, for metrics and progress.

Rule of this file: nothing is read back from it; no decision depends on a statistic.
"""

import msgspec


class BucketStatistics(msgspec.Struct, frozen=True):
    """One bucket.

    Attributes:
        name: kind and period, such as `requests_per_minute`.
        limit: what the period allows.
        remaining: what could be charged at once, by the gate's own count.
        rate_per_minute: what the gate lets pass in a minute at present.
    """

    name: str
    limit: float
    remaining: float
    rate_per_minute: float


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
