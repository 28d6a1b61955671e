"""Seeded shuffles: bijections at any size, without a trace of where a position came from."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.space.permutation import Permutation, shuffled

KEYS = st.binary(min_size=16, max_size=16)


def key(number: int) -> bytes:
    return number.to_bytes(16, "little")


def deviation(values: Iterable[int], kinds: int) -> float:
    """How many standard deviations the chi-square statistic of values below `kinds` lies off an even spread."""
    counts = Counter(values)
    expected = counts.total() / kinds
    chi_square = sum((counts[kind] - expected) ** 2 for kind in range(kinds)) / expected
    return (chi_square - (kinds - 1)) / sqrt(2 * (kinds - 1))


@pytest.mark.parametrize("size", [*range(1, 130), 1000, 1944])
def test_every_position_is_met_once(size: int) -> None:
    for number in range(3):
        permutation = Permutation(size, key(number))
        assert sorted(map(permutation, range(size))) == list(range(size))


@given(size=st.integers(1, 3000), key=KEYS, tweak=st.integers(0, 2**64 - 1))
@settings(max_examples=50, deadline=None)
def test_every_position_is_met_once_with_any_key_and_tweak(size: int, key: bytes, tweak: int) -> None:
    permutation = Permutation(size, key)
    assert len({permutation(position, tweak) for position in range(size)}) == size


@given(size=st.integers(10**30, 10**36) | st.integers(10**300, 10**301), key=KEYS, data=st.data())
@settings(max_examples=50, deadline=None)
def test_large_sizes_stay_in_range_and_collide_nowhere(size: int, key: bytes, data: st.DataObject) -> None:
    permutation = Permutation(size, key)
    start = data.draw(st.integers(0, size - 200))
    images = [permutation(position) for position in range(start, start + 200)]
    assert all(0 <= image < size for image in images)
    assert len(set(images)) == 200


@pytest.mark.parametrize("size", [7, 64, 1944])
def test_a_position_may_go_anywhere(size: int) -> None:
    for position in (0, 1, size - 1):
        images = [Permutation(size, key(number))(position) for number in range(20 * min(size, 100))]
        assert abs(deviation((image * 7 // size for image in images), 7)) < 5


@pytest.mark.parametrize("spacing", [1, 2, 1000, 10**6, 10**6 + 1])
def test_evenly_spaced_positions_go_to_unrelated_places(spacing: int) -> None:
    size = 10**12
    permutation = Permutation(size, key(1))
    images = [permutation(spacing * number) for number in range(4001)]
    steps = [(after - before) % size for before, after in pairwise(images)]
    assert abs(deviation((image * 100 // size for image in images), 100)) < 5
    assert abs(deviation((step * 100 // size for step in steps), 100)) < 5


def test_keys_and_tweaks_are_independent() -> None:
    first, second = Permutation(1000, key(1)), Permutation(1000, key(2))
    agreements = sum(first(position) == second(position) for position in range(1000))
    tweaked = sum(first(position, 1) == first(position, 2) for position in range(1000))
    # Two unrelated permutations agree in one position on average, in more than ten once in 100 million times.
    assert agreements <= 10
    assert tweaked <= 10


@given(size=st.integers(1, 1000), key=KEYS)
def test_a_shuffled_list_has_every_number_once(size: int, key: bytes) -> None:
    assert sorted(shuffled(size, key)) == list(range(size))


def test_every_order_of_a_short_list_is_equally_likely() -> None:
    orders = [tuple(shuffled(4, key(number))) for number in range(4800)]
    kinds = {order: number for number, order in enumerate(sorted(set(orders)))}
    assert len(kinds) == 24
    assert abs(deviation((kinds[order] for order in orders), 24)) < 5
