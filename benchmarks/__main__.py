"""`python -m benchmarks`: prints a table of ratios, each of two things that were measured in the same run.

What is compared takes turns and medians are compared, so that a noisy machine spoils both alike. It asserts nothing: a
bar that is not reached is printed as `short`, and the exit code tells only whether everything ran.
"""

import argparse
import time
from collections.abc import Callable, Iterator

from benchmarks.chain import chain
from benchmarks.dedup import dedup
from benchmarks.filters import filters
from benchmarks.first_call import first_call
from benchmarks.grounding import grounding
from benchmarks.memory import memory
from benchmarks.rates import rates
from benchmarks.resume import resume
from benchmarks.sizes import LONG, NORMAL, QUICK, Sizes
from benchmarks.table import Row, print_heading, print_row
from benchmarks.windows import waiting, wide

PARTS: dict[str, Callable[[Sizes], Iterator[Row]]] = {
    "rates": rates,
    "waiting": waiting,
    "wide": wide,
    "memory": memory,
    "first-call": first_call,
    "resume": resume,
    "chain": chain,
    "grounding": grounding,
    "dedup": dedup,
    "filters": filters,
}


def main() -> None:
    """Measure the parts that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"which: {', '.join(PARTS)}; default: all")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="small sizes, for CI: under a minute")
    length.add_argument("--long", action="store_true", help="memory at 1,000,000 items")
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"no part {unknown[0]!r}; there are: {', '.join(PARTS)}")
    sizes = QUICK if options.quick else LONG if options.long else NORMAL
    began = time.monotonic()
    print_heading()
    for part in options.parts or PARTS:
        for row in PARTS[part](sizes):
            print_row(row)
    print(f"measured in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
