"""Whether a window stays full: many calls in flight at a fixed latency."""

from collections.abc import Iterator
from statistics import median

from benchmarks.children import job_cost, raw_cost, serving
from benchmarks.cost import Cost
from benchmarks.server import MARK_REQUESTS, Statistics
from benchmarks.sizes import Sizes
from benchmarks.specs import plots
from benchmarks.table import Row

WALL_FACTOR = 1.1
PERMITTED_SHARE = 0.9
MEGABYTES_MOST = 600.0
WIDE_ROUNDS = 2
MEGABYTE = 1e6

SPREAD = 0.25
"""By how much latencies differ in the widest window. Without, all answers come at the same moment for ever, and what is
measured is how long a client takes to swallow them."""


def waiting(sizes: Sizes) -> Iterator[Row]:
    """Compare the time that some waves of calls take with the raw loop's."""
    calls, width, latency_seconds = sizes.waiting
    raws: list[float] = []
    ours: list[float] = []
    with serving(latency_seconds) as server:
        for _ in range(sizes.rounds):
            raws.append(raw_cost(server, calls, width).wall_seconds)
            ours.append(job_cost(server, plots(calls, width)).wall_seconds)
    ratio = median(ours) / median(raws)
    yield Row(
        f"{calls:,} calls of {latency_seconds:g} s, {width:,} in flight",
        f"{median(ours):.2f} s",
        f"raw loop {median(raws):.2f} s",
        ratio,
        f"<= {WALL_FACTOR:.1f}",
        ratio <= WALL_FACTOR,
        f"the window alone takes {calls / width * latency_seconds:.2f} s",
    )


def wide(sizes: Sizes) -> Iterator[Row]:
    """Compare the widest window with what it permits: its width by the latency."""
    calls, width, latency_seconds = sizes.wide
    raws: list[tuple[Cost, Statistics]] = []
    ours: list[tuple[Cost, Statistics]] = []
    with serving(latency_seconds, SPREAD) as server:
        for _ in range(WIDE_ROUNDS):
            raws.append((raw_cost(server, calls, width), server.statistics()))
            ours.append((job_cost(server, plots(calls, width)), server.statistics()))
    permitted = width / latency_seconds
    our, raw = (median(_sustained(seen, width) for _, seen in runs) for runs in (ours, raws))
    whole = median(cost.calls / cost.wall_seconds for cost, _ in ours)
    yield Row(
        f"{width:,} in flight of {latency_seconds:g} s each",
        f"{our:,.0f} calls/s",
        f"permitted {permitted:,.0f}",
        our / permitted,
        f">= {PERMITTED_SHARE:.1f}",
        our / permitted >= PERMITTED_SHARE,
        f"after filling it; raw loop {raw:,.0f}/s; with filling and emptying {whole:,.0f}/s; "
        f"the server saw {max(seen.most_in_flight for _, seen in ours):,} at once",
    )
    our_peak, raw_peak = (max(cost.peak_bytes for cost, _ in runs) / MEGABYTE for runs in (ours, raws))
    yield Row(
        f"peak resident memory, {width:,} in flight",
        f"{our_peak:,.0f} MB",
        f"raw loop {raw_peak:,.0f} MB",
        our_peak / raw_peak,
        f"<= {MEGABYTES_MOST:.0f} MB",
        our_peak <= MEGABYTES_MOST,
    )


def _sustained(seen: Statistics, width: int) -> float:
    """Return calls per second once the window was filled and all of it answered, to the last call."""
    marks = seen.marks[2 * width // MARK_REQUESTS - 1 :]
    return MARK_REQUESTS * (len(marks) - 1) / (marks[-1] - marks[0])
