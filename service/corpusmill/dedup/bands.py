"""Band keys: a few numbers for a set of shingles, such that similar sets are likely to share one (MinHash, LSH).

Rules of this file: keys are stored beside journals, so these functions never change their answers. A band is one
number made of `rows` minima; two sets share a minimum with the probability of their Jaccard similarity s, so they share
at least one of `bands` keys with 1 - (1 - s**rows)**bands (Broder 1997; Indyk and Motwani 1998).
"""

import functools
import math

import msgspec
import numpy as np
import numpy.typing as npt

from corpusmill.dedup.shingles import Shingles

Keys = npt.NDArray[np.uint32]

MISSED = 0.005
"""Of pairs exactly at the threshold, the share that may share no key; of pairs above it far fewer."""

BANDS = 14
"""Bands that are wanted at most: each takes about 7 bytes of memory a text."""

LEAST_ROWS = 4
"""Fewer minima in a key and unrelated texts begin to share keys, which costs time: a low threshold takes more bands."""


class Plan(msgspec.Struct, frozen=True):
    """How many band keys a text has, and of how many minima each is made."""

    bands: int
    rows: int


def plan_for(threshold: float) -> Plan:
    """Return the plan for a threshold between 0 and 1: at 0.8, 14 keys of 5 minima."""
    rows = LEAST_ROWS
    while bands_needed(threshold, rows + 1) <= BANDS:
        rows += 1
    return Plan(bands_needed(threshold, rows), rows)


def bands_needed(threshold: float, rows: int) -> int:
    """Return how many bands find all but `MISSED` of the pairs at the threshold."""
    return math.ceil(math.log(MISSED) / math.log1p(-(threshold**rows)))


def band_keys(shingles: Shingles, plan: Plan) -> Keys:
    """Return the keys of a set that is not empty, one of each band."""
    minima = np.minimum.reduce(_multipliers(plan)[:, None] * shingles, axis=1)
    sums: npt.NDArray[np.uint64] = (minima.reshape(plan.bands, plan.rows) * _weights(plan)).sum(axis=1)
    sums ^= sums >> np.uint64(32)
    sums *= np.uint64(0x9FB21C651E98DF25)
    return (sums >> np.uint64(32)).astype(np.uint32)


@functools.cache
def _multipliers(plan: Plan) -> npt.NDArray[np.uint32]:
    """Return odd numbers; multiplying by one modulo 2**32 orders the (already random) shingles in a way of its own."""
    return (_odd_numbers(plan.bands * plan.rows, 0x243F6A8885A308D3) >> np.uint64(32)).astype(np.uint32) | np.uint32(1)


@functools.cache
def _weights(plan: Plan) -> npt.NDArray[np.uint64]:
    """Return a multiplier for each minimum of each band: what tells bands of the same minima apart."""
    return _odd_numbers(plan.bands * plan.rows, 0x13198A2E03707344).reshape(plan.bands, plan.rows)


def _odd_numbers(count: int, state: int) -> npt.NDArray[np.uint64]:
    found = []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        found.append((state ^ state >> 32) | 1)
    return np.array(found, np.uint64)
