"""Events as a job emits them, to be changed where a test cares."""

from typing import Any

from corpusmill.telemetry.events import CallAnswered, CallFailed, ItemDecided, JobStarted
from corpusmill.telemetry.metrics.gauges import EstimateGauges, GateGauges, Gauges

GATE = GateGauges("local", {"requests_per_minute": (600.0, 12.5)}, 50, 7, 3, breaker_open=False)
GAUGES = Gauges((GATE,), 60, 4, {"running": 1}, 2**40, (EstimateGauges("default", 0.12, -0.03),))


def answered(**changes: Any) -> CallAnswered:
    fields: dict[str, Any] = {
        "job": "plots",
        "endpoint": "local",
        "model": "default",
        "upstream": "some-model-2",
        "step": "plot",
        "api": "chat",
        "index": 0,
        "after": "",
        "waited_seconds": 0.2,
        "request_id": "req_1",
        "seconds": 1.2,
        "input_tokens": 100,
        "cached_input_tokens": 64,
        "output_tokens": 50,
        "reasoning_tokens": 8,
        "cost_picodollars": 55_000_000,
        "finish_reason": "stop",
    }
    return CallAnswered(**{**fields, **changes})


def failed(**changes: Any) -> CallFailed:
    fields: dict[str, Any] = {
        "job": "plots",
        "endpoint": "local",
        "model": "default",
        "upstream": "some-model-2",
        "step": "plot",
        "api": "chat",
        "index": 0,
        "after": "",
        "waited_seconds": 0.0,
        "seconds": 0.03,
        "request_id": "",
        "kind": "rate_limited",
        "status": 429,
        "fate": "retry",
        "message": "HTTP 429: slow down",
        "billed": None,
        "cost_picodollars": 0,
    }
    return CallFailed(**{**fields, **changes})


def decided(outcome: str = "kept", reason: str = "", records: int = 1, job: str = "plots") -> ItemDecided:
    return ItemDecided(job, 0, outcome, reason, records if outcome == "kept" else 0)


def started(job: str = "plots", items: int | None = 100, **changes: Any) -> JobStarted:
    return JobStarted(**{"job": job, "items": items, "done": 0, "endpoint": "local", **changes})
