"""Layouts: each place of each value once, and, in the spread one, never far from its due share."""

from collections import Counter
from math import gcd

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.space.layout import MOST_PATTERN_PLACES, Layout, Shuffled, Spread, in_order, spread

SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=8)
KEYS = st.binary(min_size=16, max_size=16)


def slots(layout: Layout, sizes: list[int]) -> list[tuple[int, int]]:
    return [layout.slot(place) for place in range(sum(sizes))]


def every_place(sizes: list[int]) -> list[tuple[int, int]]:
    return [(number, rank) for number, size in enumerate(sizes) for rank in range(size)]


@given(SIZES)
def test_in_order_is_one_value_after_the_other(sizes: list[int]) -> None:
    assert slots(in_order(sizes), sizes) == every_place(sizes)


@given(sizes=SIZES, key=KEYS)
def test_each_place_of_each_value_comes_once(sizes: list[int], key: bytes) -> None:
    assert sorted(slots(Spread(sizes, key), sizes)) == every_place(sizes)
    assert sorted(slots(Shuffled(in_order(sizes), sum(sizes), key), sizes)) == every_place(sizes)


@given(sizes=SIZES, key=KEYS)
def test_the_places_of_a_value_come_in_their_order(sizes: list[int], key: bytes) -> None:
    seen: Counter[int] = Counter()
    for number, rank in slots(Spread(sizes, key), sizes):
        assert rank == seen[number]
        seen[number] += 1


@given(sizes=SIZES, key=KEYS)
def test_in_any_prefix_a_value_has_about_its_share(sizes: list[int], key: bytes) -> None:
    seen: Counter[int] = Counter()
    for length, (value, _) in enumerate(slots(Spread(sizes, key), sizes), start=1):
        seen[value] += 1
        for number, size in enumerate(sizes):
            share = size / sum(sizes)
            assert abs(seen[number] - share * length) <= 0.5 + share * len(sizes) / 2 + 1e-9


@given(count=st.integers(1, 6), size=st.integers(1, 6), key=KEYS, data=st.data())
def test_values_of_one_size_are_balanced_in_any_stretch(count: int, size: int, key: bytes, data: st.DataObject) -> None:
    line = [number for number, _ in slots(Spread([size] * count, key), [size] * count)] * 2
    start = data.draw(st.integers(0, count * size))
    stretch = line[start : start + data.draw(st.integers(0, count * size))]
    counts = [stretch.count(number) for number in range(count)]
    assert max(counts) - min(counts) <= 1


@given(sizes=SIZES.filter(lambda sizes: len(sizes) > 1), lap=st.integers(0, 10**30), data=st.data())
def test_huge_sizes_with_a_short_pattern_stay_spread(sizes: list[int], lap: int, data: st.DataObject) -> None:
    shares = [size // gcd(*sizes) for size in sizes]
    huge = [share * (10**30 + 1) for share in shares]
    layout = spread(huge, b"key")
    assert isinstance(layout, Spread)
    found = [layout.slot(lap * sum(shares) + place) for place in range(sum(shares))]
    assert sorted(found) == [(n, lap * share + part) for n, share in enumerate(shares) for part in range(share)]


@pytest.mark.parametrize("sizes", [[10**40, 1], [1] * (MOST_PATTERN_PLACES + 1)])
def test_what_has_a_long_pattern_is_shuffled_without_one(sizes: list[int]) -> None:
    layout = spread(sizes, b"key")
    places = range(sum(sizes) - 200, sum(sizes))
    found = [layout.slot(place) for place in places]
    assert len(set(found)) == len(found)
    assert all(0 <= rank < sizes[number] for number, rank in found)
    assert found != [spread(sizes, b"other").slot(place) for place in places]
