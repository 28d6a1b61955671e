"""`python -m benchmarks.limits`: the gate beside three of the field's algorithms, in virtual time; and what it costs.

Rule of this file: it prints what was measured and exits with 1 if the gate misses a bar.
"""

import argparse
import sys

from rich.console import Console
from rich.table import Table

from benchmarks.limits import litellm
from benchmarks.limits.batch import run_batch_row
from benchmarks.limits.cost import acquire_microseconds, grant_cost, header_microseconds
from benchmarks.limits.scenarios import SCENARIOS, STRATEGIES, Row, Scenario, misses, run_row
from benchmarks.limits.sockets import SERVERS, run_socket_row
from tests.sim.loop import run_sim

BATCHES: tuple[tuple[str, str, int | None, int | None], ...] = (
    ("fixed width 32", "fixed", 32, None),
    ("fixed width 256 (best)", "fixed", 256, None),
    ("fixed width 1000", "fixed", 1000, None),
    ("gate, by /metrics", "metrics", None, None),
    ("gate, by what is delivered", "search", None, None),
    ("AIMD on 429", "AIMD on 429", None, None),
    ("gate, 503 beyond 300 waiting", "search", None, 300),
    ("AIMD on 429, 503 beyond 300 waiting", "AIMD on 429", None, 300),
)


def main() -> int:
    """Print the tables; return 1 if the gate misses a bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="virtual minutes measured after two to settle in")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="scenarios whose name contains this")
    parser.add_argument("--sockets", type=float, default=0.0, metavar="SECONDS", help="also over real sockets, each")
    arguments = parser.parse_args()
    console = Console(width=150)
    missed = rate_limits(console, arguments.minutes, arguments.seed, arguments.only)
    if not arguments.only:
        missed += batches(console, arguments.minutes, arguments.seed)
        cost(console)
    if arguments.sockets:
        missed += sockets(console, arguments.sockets)
    for line in missed:
        console.print(f"missed: {line}")
    return 1 if missed else 0


def rate_limits(console: Console, minutes: float, seed: int, only: str) -> list[str]:
    """Print utilisation, refusals and answers of every strategy on every server."""
    table = Table(title=f"utilisation · refused · answers per minute, over {minutes:g} virtual minutes")
    table.add_column("server")
    for name in STRATEGIES:
        table.add_column(name, justify="right")
    missed = []
    for scenario in SCENARIOS:
        if only not in scenario.name:
            continue
        cells = []
        for name in STRATEGIES:
            row = measure(scenario, name, seed, minutes)
            cells.append("-" if row is None else cell(row))
            if row is not None and name == "corpusmill":
                missed += [f"{scenario.name}: {what}" for what in misses(scenario, row)]
        table.add_row(scenario.name, *cells)
    console.print(table)
    return missed


def measure(scenario: Scenario, name: str, seed: int, minutes: float) -> Row | None:
    """Run one cell; None where a strategy that knows no limits would only storm the server."""
    if not scenario.limits.rows() and name in ("aiolimiter", "cookbook"):
        return None
    return run_sim(run_row(scenario, name, seed, minutes * 60), seed=None)


def cell(row: Row) -> str:
    """Write one cell."""
    text = f"{row.utilisation:.1%} · {row.refused_share:.2%} · {row.rows_per_minute:,.0f}"
    if len(row.shares) > 1:
        text += f" ({'/'.join(f'{share * 100:.0f}' for share in row.shares)})"
    return text


def batches(console: Console, minutes: float, seed: int) -> list[str]:
    """Print what a server without limits delivers."""
    table = Table(
        "sender", "tokens/s", "of best", "waiting in the server", "refused", title="batch server, 256 at once"
    )
    rows = {
        title: run_sim(run_batch_row(name, seed, minutes * 60, width, most), seed=None)
        for title, name, width, most in BATCHES
    }
    best = max(row.tokens_per_second for title, row in rows.items() if title.startswith("fixed"))
    for title, row in rows.items():
        share = row.tokens_per_second / best
        table.add_row(title, f"{row.tokens_per_second:,.0f}", f"{share:.1%}", f"{row.waiting:.0f}", str(row.refused))
    console.print(table)
    return [
        f"{title}: {row.tokens_per_second / best:.1%} of the best width"
        for title, row in rows.items()
        if title.startswith("gate") and row.tokens_per_second < 0.95 * best
    ]


def sockets(console: Console, seconds: float) -> list[str]:
    """Print what the gate reaches over real sockets."""
    table = Table(
        "server",
        "utilisation",
        "refused",
        "requests",
        title=f"real sockets, {seconds:g} s each; LiteLLM's proxy two of its minutes",
    )
    missed = []
    rows = [(name, run_socket_row(name, seconds)) for name in SERVERS]
    if litellm.is_installed():
        rows += [(name, litellm.run_litellm_row(name)) for name in litellm.SERVERS]
    else:
        console.print("LiteLLM's proxy is left out: `make litellm` installs it")
    for name, row in rows:
        table.add_row(name, f"{row.utilisation:.1%}", str(row.refused), str(row.requests))
        if row.utilisation < 0.98 or row.refused > 0.005 * row.requests:
            missed.append(f"{name} over sockets: {row.utilisation:.1%}, {row.refused} refused")
    console.print(table)
    return missed


def cost(console: Console) -> None:
    """Print what the gate costs in real time on uvloop."""
    console.print(f"ticket taken and settled, nobody waiting: {acquire_microseconds():.1f} us")
    console.print(f"rate-limit headers read, when they are: {header_microseconds():.1f} us")
    table = Table("grants/s", "reached", "of one core", "CPU a grant", title="10,000 waiters on uvloop")
    for rate in (167, 500, 2000):
        reached, share = grant_cost(rate, seconds=5.0)
        table.add_row(f"{rate:,}", f"{reached / rate:.1%}", f"{share:.1%}", f"{share / reached * 1e6:.0f} us")
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
