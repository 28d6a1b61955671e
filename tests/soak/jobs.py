"""The jobs of a soak: three that exercise different ways through the engine, as long as is asked for."""

from typing import Any

AXES = {
    "genre": ["noir", "western", "fantasy", "romance"],
    "place": ["France", "Japan", "Peru"],
    "n": list(range(100_000)),
}
WIDTH = 12
"""Calls that a job may have out at once."""

CALLS_PER_SECOND = 20
"""What each job is limited to, so that it takes as long as is asked for."""

PLOT: dict[str, Any] = {
    "name": "plot",
    "prompt": "{{ nonce }}\nImagine a plot outline for a {{ genre }} film set in {{ place }}, number {{ n }}.",
    "parameters": {"max_tokens": 400},
}


def soaking(seconds: int) -> list[dict[str, Any]]:
    """Return the specs of three jobs that take about so long."""
    calls = seconds * CALLS_PER_SECOND
    return [
        _spec("plain", calls, filters=[{"of": "plot", "min_chars": 50, "no_refusal": True}], dedup={"of": "plot"}),
        _spec(
            "chain",
            calls // 2,
            steps=[
                {**PLOT, "attempts": 2},
                {"name": "title", "prompt": "{{ nonce }}\nA title for this plot: {{ plot }}"},
            ],
            filters=[{"of": "plot", "no_refusal": True}],
            dedup={"of": "plot", "near": 0.8},
            examples=[
                {"name": "outline", "prompt": "{{ genre }}:", "completion": " {{ plot }}"},
                {"name": "title", "prompt": "{{ plot }}", "completion": " {{ title }}"},
            ],
        ),
        _spec(
            "target",
            None,
            target={"kept": calls * 3 // 4},
            filters=[{"of": "plot", "no_refusal": True}],
            shards={"records": 150, "compress": "zstd"},
        ),
    ]


def _spec(name: str, items: int | None, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "space": {"axes": AXES, "limit": items},
        "steps": [PLOT],
        "examples": [{"name": "row", "prompt": "{{ genre }} in {{ place }}:", "completion": " {{ plot }} END"}],
        "limits": {"concurrency": WIDTH, "requests_per_minute": CALLS_PER_SECOND * 60},
        "shards": {"records": 100},
        **changes,
    }
