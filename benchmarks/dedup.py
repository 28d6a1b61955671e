"""Near duplicates: found or not, against all pairs; what a text costs, in time and memory; how long a rebuild takes.

Ours is the whole of what the engine does with a text: fingerprint, look up, shingles, keys, look up, compare, add.
"""

import gc
import time
from array import array
from collections.abc import Iterator

import numpy as np

from benchmarks.near_duplicates import AllPairs, made_texts
from benchmarks.sizes import Sizes
from benchmarks.table import Row
from corpusmill.dedup.bands import plan_for
from corpusmill.dedup.exact import ExactIndex
from corpusmill.dedup.fingerprint import fingerprint
from corpusmill.dedup.near import NearIndex
from corpusmill.dedup.shingles import Shingles
from corpusmill.dedup.sketch import nearest, sketch_of

THRESHOLD = 0.8
BATCH = 500_000
END_BYTES = 4
"""Of a row, in memory: where it ends in its file."""


class Stream:
    """Texts, one after the other, each kept if it is new."""

    def __init__(self, expected: int) -> None:
        self.plan = plan_for(THRESHOLD)
        self.exact, self.near = ExactIndex(), NearIndex(self.plan, expected)
        self.kept: list[Shingles] = []
        self.compared = 0

    def is_new(self, text: str) -> bool:
        """Keep a text, or say that it is not new."""
        mark = fingerprint(text)
        sketch = sketch_of(text, self.plan)
        if sketch is None or self.exact.holder(mark) is not None:
            return False
        if nearest(self.near, sketch, self._read, THRESHOLD) is not None:
            return False
        self.exact.add(mark, len(self.kept))
        self.near.add(sketch.keys)
        self.kept.append(sketch.shingles)
        return True

    def _read(self, row: int) -> Shingles:
        self.compared += 1
        return self.kept[row]


def dedup(sizes: Sizes) -> Iterator[Row]:
    """Measure near deduplication."""
    yield from _quality(sizes.dedup_texts // 4)
    yield _speed("470-word texts", sizes.dedup_texts, 0.0)
    yield _speed("65 % of each is the same", sizes.dedup_texts, 0.65)
    yield from _rebuild(sizes.dedup_rows)


def _quality(count: int) -> Iterator[Row]:
    stream, pairs = Stream(count), AllPairs()
    found = missed = wrong = 0
    for text in made_texts(count, seed=1):
        is_near = pairs.most_similar(text) >= THRESHOLD
        new = stream.is_new(text)
        found, missed = found + (is_near and not new), missed + (is_near and new)
        wrong += not is_near and not new
        if new:
            pairs.add(text)
    recall, precision = found / (found + missed), found / (found + wrong)
    what = f"{found + missed:,} of {count:,}, exactly"
    yield Row("near duplicates: recall", f"{recall:.4f}", what, recall, ">= 0.99", recall >= 0.99)
    yield Row("near duplicates: precision", f"{precision:.4f}", what, precision, ">= 0.995", precision >= 0.995)


def _speed(what: str, count: int, shared: float) -> Row:
    texts = list(made_texts(count, seed=2, shared=shared))
    stream = Stream(count)
    began = time.process_time()
    for text in texts:
        stream.is_new(text)
    rate = count / (time.process_time() - began)
    note = f"{stream.compared / count:.2f} texts compared for each; {len(stream.kept):,} of {count:,} kept"
    bar = ">= 5,000" if not shared else ""
    return Row(f"near dedup, {what}", f"{rate:,.0f}/CPU s", "5,000", rate / 5000, bar, rate >= 5000, note)


def _rebuild(rows: int) -> Iterator[Row]:
    plan, rng = plan_for(THRESHOLD), np.random.default_rng(1)
    exact, near = ExactIndex(), NearIndex(plan, rows)
    all_marks, all_holders = array("Q"), array("Q")
    seconds = 0.0
    gc.collect()
    for first in range(0, rows, BATCH):
        count = min(BATCH, rows - first)
        keys = rng.integers(1, 2**32, (count, plan.bands), np.uint32)
        all_marks.frombytes(rng.integers(1, 2**64, count, np.uint64).tobytes())
        all_holders.frombytes(np.arange(first, first + count, dtype=np.uint64).tobytes())
        began = time.process_time()
        near.load(keys)
        seconds += time.process_time() - began
    began = time.process_time()
    exact.load(all_marks, all_holders)
    seconds += time.process_time() - began
    size = (near.size_bytes + exact.size_bytes) / rows + END_BYTES
    scaled = seconds * 10_000_000 / rows
    note = "" if rows >= 10_000_000 else f"scaled from {rows:,} rows in {seconds:.1f} s"
    yield Row(
        "index rebuilt, 10,000,000 rows", f"{scaled:.0f} CPU s", "60 s", scaled / 60, "<= 60 s", scaled <= 60, note
    )
    yield Row(f"memory a text, of {rows:,}", f"{size:.0f} bytes", "150", size / 150, "<= 150", size <= 150)
