"""The jobs that are measured: ordinary ones, with every part of the pipeline in use."""

from typing import Any

MAX_TOKENS = 1000

AXES = {
    "genre": [f"genre number {number}" for number in range(20)],
    "place": [f"a town of {number} hundred people" for number in range(100)],
    "period": [f"the {number}th century" for number in range(50)],
    "tone": [f"tone number {number}" for number in range(20)],
}
"""Four axes, 2,000,000 combinations."""

PROMPT = """{{ nonce }}
Imagine a detailed plot outline for a {{ genre }} film set in {{ place }} in {{ period }}. The tone is {{ tone }}.
Tell it from the first scene to the last in at least three hundred words."""

HUGE_AXES = {name: [f"{name} {number}" for number in range(10)] for name in ["genre", "place", "period", "tone"]} | {
    f"axis_{number}": list(range(10)) for number in range(8)
}
"""Twelve axes, 10^12 combinations."""


def prompt_of(number: int) -> str:
    """Return a prompt as long as the job's, different for each number."""
    genre, place, period, tone = number % 20, number % 100, number % 50, number % 20
    return (
        f"00000000-0000-8000-a000-{number:012d}\n"
        f"Imagine a detailed plot outline for a genre number {genre} film set in a town of {place} hundred people in "
        f"the {period}th century. The tone is tone number {tone}.\n"
        "Tell it from the first scene to the last in at least three hundred words."
    )


def plots(items: int, width: int, *, axes: dict[str, Any] = AXES, shard_records: int = 50_000) -> dict[str, Any]:
    """Return the spec of a job of so many items with so many calls in flight."""
    return {
        "name": "plots",
        "space": {"axes": axes, "limit": items},
        "steps": [{"name": "plot", "prompt": PROMPT, "parameters": {"max_tokens": MAX_TOKENS}}],
        "filters": [
            {"of": "plot", "finish_reason": ["stop"]},
            {"of": "plot", "min_chars": 1000, "max_chars": 20_000},
            {"of": "plot", "no_refusal": True},
        ],
        "dedup": {"of": "plot", "exact": True},
        "examples": [
            {
                "name": "outline",
                "prompt": "Genre: {{ genre }}\nLocation: {{ place }}\n\nPLOT OUTLINE:",
                "completion": " {{ plot }} END",
            }
        ],
        "limits": {"concurrency": width},
        "shards": {"records": shard_records},
    }
