"""Whether memory grows with the number of items, the index of `dedup` apart."""

import random
from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.children import job_cost, serving
from benchmarks.sizes import Sizes
from benchmarks.specs import plots
from benchmarks.table import Row
from corpusmill.dedup.exact import ExactIndex

WIDTH = 256
SMALL_ROUNDS = 3
SHARDS = 4
FLAT = 1.10
MEGABYTE = 1e6


def memory(sizes: Sizes) -> Iterator[Row]:
    """Compare the peak of a large job with that of a small one."""
    few, many = sizes.items
    with serving() as server:
        small = median(job_cost(server, _job(few, few)).peak_bytes for _ in range(SMALL_ROUNDS))
        large = job_cost(server, _job(many, few)).peak_bytes
    small_index, large_index = dedup_bytes(few), dedup_bytes(many)
    ratio = (large - large_index) / (small - small_index)
    grown = large - small - (large_index - small_index)
    yield Row(
        f"peak resident memory, {many:,} items",
        f"{(large - large_index) / MEGABYTE:.1f} MB",
        f"{few:,}: {(small - small_index) / MEGABYTE:.1f} MB",
        ratio,
        f"<= {FLAT:.2f}",
        ratio <= FLAT,
        f"besides dedup's {large_index / many:.0f} bytes an item; everything else grew by {grown / (many - few):.0f} "
        "bytes an item",
    )


def _job(items: int, few: int) -> dict[str, Any]:
    """Return a job whose shards are so small that the small job seals some too: what that takes, it takes once."""
    return plots(items, WIDTH, shard_records=few // SHARDS)


def dedup_bytes(texts: int) -> int:
    """Return what the index of so many texts takes."""
    index, fingerprints = ExactIndex(), random.Random(0)
    for number in range(texts):
        index.add(fingerprints.getrandbits(64), number)
    return index.size_bytes
