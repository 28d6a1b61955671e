"""What the process looks like at a scrape, as plain values that whoever owns it fills in."""

from collections.abc import Mapping

import msgspec


class GateGauges(msgspec.Struct, frozen=True):
    """The limits of one endpoint.

    Attributes:
        endpoint: by the operator's name.
        buckets: by name (`requests_per_minute`), what the limit allows and what could be charged at once.
        concurrency_limit: calls that may be in flight.
        in_flight: calls that are.
        waiting: calls that wait for the limits.
        breaker_open: whether the endpoint is taken to be down.
    """

    endpoint: str
    buckets: Mapping[str, tuple[float, float]]
    concurrency_limit: int
    in_flight: int
    waiting: int
    breaker_open: bool


class EstimateGauges(msgspec.Struct, frozen=True):
    """How well calls to a model are estimated, over the steps that run.

    Attributes:
        model: by the operator's name.
        error_ratio: mean of |expected - used| / used tokens over recent answers.
        bias_ratio: mean of (expected - used) / used; above 0 the estimates are too high.
    """

    model: str
    error_ratio: float
    bias_ratio: float


class Gauges(msgspec.Struct, frozen=True):
    """Everything that is looked at and not counted.

    Attributes:
        gates: of all endpoints in use.
        items_out: items being carried.
        unsynced: journal entries that are not durable yet.
        jobs: how many, by state.
        disk_free_bytes: None where that cannot be told.
        estimates: of all models that answered often enough.
    """

    gates: tuple[GateGauges, ...] = ()
    items_out: int = 0
    unsynced: int = 0
    jobs: Mapping[str, int] = {}
    disk_free_bytes: int | None = None
    estimates: tuple[EstimateGauges, ...] = ()
