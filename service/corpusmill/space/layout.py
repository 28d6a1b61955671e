"""Which value of an axis stands at which place of its dimension.

Rule of this file: a layout knows how many places each value takes, not the values. `slot(place)` tells whose place it
is and which of that value's places, counted from 0; it is a bijection from [0, sum of the sizes) to these pairs.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from math import gcd
from typing import Protocol

from corpusmill.space.permutation import Permutation, shuffled

MOST_PATTERN_PLACES = 2**17
"""The longest pattern that is kept in memory; a longer one is computed place by place, without an even spread."""


class Layout(Protocol):
    """A way to lay out the places of several values on one line."""

    def slot(self, place: int) -> tuple[int, int]:
        """Return the number of the value at a place, and which of the value's places it is."""


class Ranges:
    """All places of the first value, then all of the second, and so on: found in the prefix sums of the sizes."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self._starts = list(accumulate(sizes, initial=0))[:-1]

    def slot(self, place: int) -> tuple[int, int]:
        """Find the last value that starts at or before the place."""
        number = bisect_right(self._starts, place) - 1
        return number, place - self._starts[number]


class EqualRanges:
    """The same for values that all take `size` places, without a list."""

    def __init__(self, size: int) -> None:
        self._size = size

    def slot(self, place: int) -> tuple[int, int]:
        """Divide."""
        return divmod(place, self._size)


def in_order(sizes: Sequence[int]) -> Layout:
    """Return the layout that has the values one after the other."""
    return EqualRanges(sizes[0]) if min(sizes) == max(sizes) else Ranges(sizes)


class Shuffled:
    """The places of a layout in a seeded random order."""

    def __init__(self, layout: Layout, places: int, key: bytes) -> None:
        self._in_order = layout
        self._permutation = Permutation(places, key)

    def slot(self, place: int) -> tuple[int, int]:
        """Find the value in whose range the shuffled place lies."""
        return self._in_order.slot(self._permutation(place))


class Spread:
    """The places of each value spread evenly, in a pattern that repeats as often as the sizes have a common factor.

    Let g be the greatest common divisor of the sizes s_v, and a_v = s_v / g. The pattern is the pairs (v, k), k < a_v,
    sorted by (2 k + 1) / a_v, the middle of the k-th of a_v equal parts (the rule of Webster and Sainte-Lague), and in
    a seeded order of the values where these are equal. Lap l of the pattern has the places l * a_v + k of value v,
    so over g laps each place of each value comes once. Along the line, and around its end, a value's places come
    in their order, one after the other.

    **Spread.** Where a prefix of a lap ends at the key y, value v has come a_v * y times, give or take 1/2, so the
    prefix of all k values is A * y long, give or take k / 2, where A is the length of a lap. So in any prefix the count
    of v differs from its due share by at most 1/2 + (k / 2) * a_v / A. Where all sizes are equal, a lap has each value
    once: in any stretch of places, also around the end, counts differ by at most 1.
    """

    def __init__(self, sizes: Sequence[int], key: bytes) -> None:
        laps = gcd(*sizes)
        self._shares = [size // laps for size in sizes]
        ranks = shuffled(len(sizes), key)
        pattern = sorted(
            ((2 * part + 1) / share, rank, number, part)
            for number, (share, rank) in enumerate(zip(self._shares, ranks, strict=True))
            for part in range(share)
        )
        self._pattern = [(number, part) for _, _, number, part in pattern]

    def slot(self, place: int) -> tuple[int, int]:
        """Look the place up in its lap of the pattern."""
        lap, place_in_lap = divmod(place, len(self._pattern))
        number, part = self._pattern[place_in_lap]
        return number, lap * self._shares[number] + part


def spread(sizes: Sequence[int], key: bytes) -> Layout:
    """Return the even layout, or, where its pattern would be too long to keep, the shuffled one."""
    if sum(sizes) // gcd(*sizes) > MOST_PATTERN_PLACES:
        return Shuffled(in_order(sizes), sum(sizes), key)
    return Spread(sizes, key)


def one_each(count: int, key: bytes) -> Layout:
    """Return the even layout of so many values with one place each, without a list of them where there are many."""
    return spread([1] * count, key) if count <= MOST_PATTERN_PLACES else Shuffled(EqualRanges(1), count, key)
