"""Calls per CPU-second at no latency: the whole pipeline against a raw loop and against the SDK."""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

from benchmarks.children import job_cost, raw_cost, sdk_cost, serving
from benchmarks.cost import Cost
from benchmarks.sizes import Sizes
from benchmarks.specs import plots
from benchmarks.table import Row

WIDTH = 256

FEW_CALLS = 50
"""A run of so many calls costs little more than to start and to end; it is taken off the other."""

RAW_SHARE = 0.60
SDK_FACTOR = 8.0


def rates(sizes: Sizes) -> Iterator[Row]:
    """Let the three take turns, and compare their medians."""
    raws: list[Cost] = []
    ours: list[Cost] = []
    sdks: list[Cost] = []
    with serving() as server:
        for _ in range(sizes.rounds):
            raws.append(_net(lambda calls: raw_cost(server, calls, WIDTH), sizes.calls))
            ours.append(_net(lambda calls: job_cost(server, plots(calls, WIDTH)), sizes.calls))
            sdks.append(_net(lambda calls: sdk_cost(server, calls, WIDTH), sizes.sdk_calls))
    raw, our, sdk = (median(cost.calls_per_cpu_second for cost in costs) for costs in (raws, ours, sdks))
    busy = ", ".join(f"{name} {_busy(costs):.2f}" for name, costs in (("ours", ours), ("raw", raws), ("SDK", sdks)))
    row = partial(Row, ours=f"{our:,.0f} calls/CPU-s")
    yield row(
        f"whole pipeline, {WIDTH} in flight",
        reference=f"raw loop {raw:,.0f}",
        ratio=our / raw,
        bar=f">= {RAW_SHARE:.2f}",
        reached=our / raw >= RAW_SHARE,
        note=f"processor time to wall time of the clients: {busy}; {1e6 / our:.0f} us a call, raw {1e6 / raw:.0f} us",
    )
    yield row(
        f"whole pipeline, {WIDTH} in flight",
        reference=f"openai SDK {sdk:,.0f}",
        ratio=our / sdk,
        bar=f">= {SDK_FACTOR:.1f}",
        reached=our / sdk >= SDK_FACTOR,
    )


def _net(measure: Callable[[int], Cost], calls: int) -> Cost:
    whole, start = measure(calls), measure(FEW_CALLS)
    return Cost(
        whole.calls - start.calls,
        wall_seconds=whole.wall_seconds - start.wall_seconds,
        cpu_seconds=whole.cpu_seconds - start.cpu_seconds,
    )


def _busy(costs: list[Cost]) -> float:
    return median(cost.cpu_seconds / cost.wall_seconds for cost in costs)
