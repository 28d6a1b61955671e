"""How soon the first call arrives at a local server, in a space too large to be listed.

The bar is for the median over the rounds: of the command as a user gives it, from the start of its process, and of the
same command from the end of its imports. Most of the first is Python's start and imports, of which the raw loop has its
part too: the raw loop of the same run says how fast the machine was.
"""

import time
from collections.abc import Callable, Iterator
from statistics import median

from benchmarks.children import Server, job_cost, raw_cost, run_job, serving
from benchmarks.sizes import Sizes
from benchmarks.specs import HUGE_AXES, plots
from benchmarks.table import Row

SECONDS_MOST = 0.3
ITEMS = 20
WIDTH = 256


def first_call(sizes: Sizes) -> Iterator[Row]:
    """Compare with the raw loop, from the start of the process and from the end of its imports."""
    spec = plots(ITEMS, WIDTH, axes=HUGE_AXES)
    cold: list[tuple[float, float]] = []
    warm: list[tuple[float, float]] = []
    with serving() as server:
        for _ in range(sizes.rounds):
            cold.append(
                (
                    _after_start(server, lambda: run_job(server, spec)),
                    _after_start(server, lambda: raw_cost(server, ITEMS, WIDTH)),
                )
            )
            began_at = job_cost(server, spec).began_at
            ours = _first_at(server) - began_at
            began_at = raw_cost(server, ITEMS, WIDTH).began_at
            warm.append((ours, _first_at(server) - began_at))
    cells = 10 ** len(HUGE_AXES)
    for since, pairs in (("process start", cold), ("imports", warm)):
        our, raw = (median(column) for column in zip(*pairs, strict=True))
        yield Row(
            f"first call after {since}, {cells:.0e} cells",
            f"{our:.3f} s",
            f"raw loop {raw:.3f} s",
            our / raw,
            f"<= {SECONDS_MOST} s",
            our <= SECONDS_MOST,
        )


def _after_start(server: Server, run: Callable[[], object]) -> float:
    server.statistics()
    started_at = time.monotonic()
    run()
    return _first_at(server) - started_at


def _first_at(server: Server) -> float:
    first_at = server.statistics().first_at
    if first_at is None:
        raise RuntimeError("no call came")
    return first_at
