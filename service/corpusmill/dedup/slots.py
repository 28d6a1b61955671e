"""Lays out millions of fingerprints at once as the slots of an empty index, in numpy.

Rules of this file: what is found afterwards is the same as if they had been added one by one, in their order. It is
loaded only where there are so many, because numpy takes a tenth of a second to load.
"""

from array import array
from collections.abc import Callable, Iterator

import msgspec
import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.uint64]
Sizes = npt.NDArray[np.int64]

AT_ONCE = 1 << 16
"""Fingerprints that are laid out together, about: their slots should fit the processor's caches."""


class Part(msgspec.Struct, frozen=True):
    """The slots of one part of an index: which part, its keys and their holders, and how many slots are taken."""

    number: int
    keys: "array[int]"
    holders: "array[int]"
    taken: int


def laid_out(
    fingerprints: "array[int]", holders: "array[int]", parts: int, slots_for: Callable[[int], int]
) -> Iterator[Part]:
    """Yield all parts of an index that holds these fingerprints.

    Args:
        fingerprints: of 64 bits; of equal ones the first counts.
        holders: as many, of 64 bits too.
        parts: how many there are, 65,536 at most; a fingerprint's part is its remainder.
        slots_for: how many slots a part has for so many fingerprints, a power of two.
    """
    keys, held = np.frombuffer(fingerprints, np.uint64), np.frombuffer(holders, np.uint64)
    of_part = (keys % np.uint64(parts)).astype(np.uint16)
    counts = np.bincount(of_part, minlength=parts)
    order = np.argsort(of_part, kind="stable")
    keys, held, ends = keys[order], held[order], [0, *np.cumsum(counts).tolist()]
    step = max(parts * AT_ONCE // max(len(keys), 1), 1)
    for first in range(0, parts, step):
        own = slice(first, first + step)
        rows = slice(ends[first], ends[min(first + step, parts)])
        sizes = np.array([slots_for(count) for count in counts[own].tolist()])
        tables = _tables(keys[rows], held[rows], counts[own], sizes, parts)
        for place, end in enumerate(np.cumsum(sizes).tolist()):
            taken, holding = (table[end - int(sizes[place]) : end] for table in tables)
            used = int(np.count_nonzero(taken))
            yield Part(first + place, array("Q", taken.tobytes()), array("Q", holding.tobytes()), used)


def _tables(keys: Numbers, held: Numbers, counts: Sizes, sizes: Sizes, parts: int) -> tuple[Numbers, Numbers]:
    """Return the slots of several parts, one part behind the other.

    All keys try their first slot, those that found it taken their next, and so on. A slot that is taken stays so:
    whoever looks for a key finds no empty slot before it.
    """
    taken, holding = np.zeros(sizes.sum(), np.uint64), np.zeros(sizes.sum(), np.uint64)
    base, mask = np.repeat(np.cumsum(sizes) - sizes, counts), np.repeat(sizes - 1, counts)
    slot = (keys // np.uint64(parts)).astype(np.int64) & mask
    while len(keys):
        place = base + slot
        free = np.flatnonzero(taken[place] == 0)[::-1]  # of several that want a slot, the first is written last
        taken[place[free]], holding[place[free]] = keys[free], held[free]
        left = taken[place] != keys
        keys, held, base, mask = keys[left], held[left], base[left], mask[left]
        slot = (slot[left] + 1) & mask
    return taken, holding
