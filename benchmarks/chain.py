"""Whether a chain has a barrier: many items of three steps each, at latencies that differ, against the ideal window.

The ideal window is never empty: so many calls, each for its latency, side by side. How much longer than that the raw
loop takes is what machine and server cost; a chain may cost hardly more. A client that takes items in batches waits for
the slowest of each batch at each step; what that would cost is computed from the same latencies.
"""

import random
from collections.abc import Iterator
from typing import Any

from benchmarks.children import job_cost, raw_cost, serving
from benchmarks.server import LATENCIES
from benchmarks.sizes import Sizes
from benchmarks.specs import AXES, MAX_TOKENS, PROMPT
from benchmarks.table import Row

SPREAD = 0.9
STEPS = 3
WINDOW_FACTOR = 1.15
RAW_FACTOR = 1.1
RAW_WAVES = 20
"""The raw loop is measured over so many windows; it has no steps that could make a difference later."""


def chain(sizes: Sizes) -> Iterator[Row]:
    """Compare a job of three steps with the window that it has."""
    items, width, latency_seconds = sizes.chain
    ideal = items * STEPS / width * latency_seconds
    with serving(latency_seconds, SPREAD) as server:
        raw = raw_cost(server, RAW_WAVES * width, width).wall_seconds / (RAW_WAVES * latency_seconds)
        server.statistics()
        cost = job_cost(server, three_steps(items, width))
        most = server.statistics().most_in_flight
    ratio = cost.wall_seconds / ideal
    what = f"{items:,} items of {STEPS} steps, {width:,} in flight"
    ours = f"{cost.wall_seconds:.1f} s"
    yield Row(
        what,
        ours,
        f"ideal window {ideal:.1f} s",
        ratio,
        f"<= {WINDOW_FACTOR}",
        ratio <= WINDOW_FACTOR,
        f"calls of {latency_seconds:g} s, {1 - SPREAD:.1f} to {1 + SPREAD:.1f} times that; {most:,} at once; "
        f"{cost.cpu_seconds:.0f} s of CPU",
    )
    yield Row(
        what,
        ours,
        f"raw loop {ideal * raw:.1f} s",
        ratio / raw,
        f"<= {RAW_FACTOR}",
        ratio / raw <= RAW_FACTOR,
        f"a barrier behind each step would take {_with_barriers(items, width, latency_seconds):.1f} s at the least",
    )


def three_steps(items: int, width: int) -> dict[str, Any]:
    """Return the spec of a chain in which each step is asked with what the one before gave."""
    parameters = {"max_tokens": MAX_TOKENS}
    return {
        "name": "chain",
        "space": {"axes": AXES, "limit": items},
        "steps": [
            {"name": "plot", "prompt": PROMPT, "parameters": parameters},
            {"name": "scenes", "prompt": "List the scenes of this.\n\n{{ plot }}", "parameters": parameters},
            {"name": "script", "prompt": "Write the script of this.\n\n{{ scenes }}", "parameters": parameters},
        ],
        "filters": [{"of": step, "min_chars": 100, "no_refusal": True} for step in ("plot", "scenes", "script")],
        "dedup": {"of": "script"},
        "examples": [{"name": "script", "prompt": "{{ plot }}\n\nSCRIPT:", "completion": " {{ script }} END"}],
        "limits": {"concurrency": width},
    }


def _with_barriers(items: int, width: int, latency_seconds: float) -> float:
    draw = random.Random(0).uniform
    latencies = [latency_seconds * draw(1 - SPREAD, 1 + SPREAD) for _ in range(LATENCIES)]
    batches = -(-items // width)
    return STEPS * batches * sum(max(random.Random(n).choices(latencies, k=width)) for n in range(20)) / 20
