"""Orders: a bijection each; the balanced one balanced in any prefix and in any draw, its pairs met early."""

import itertools
from collections import Counter
from collections.abc import Sequence
from math import gcd, lcm, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.space.balanced import Balanced
from corpusmill.space.keys import mixed, subkey
from corpusmill.space.order import Order, Random, Sequential
from corpusmill.space.permutation import Permutation

KEYS = st.binary(min_size=16, max_size=16)
SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=6).filter(lambda sizes: prod(sizes) <= 4000)
DRAWS = st.integers(0, 10**9)
HUGE = st.lists(st.integers(1, 1000) | st.sampled_from([6, 10, 100, 720]), min_size=12, max_size=14)


def cells(order: Order, draw: int = 0) -> list[tuple[int, ...]]:
    return [tuple(order.cell(position, draw)) for position in range(order.size)]


def product(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    return list(itertools.product(*map(range, sizes)))


@given(sizes=SIZES, draw=DRAWS)
def test_sequential_is_nested_loops(sizes: list[int], draw: int) -> None:
    assert cells(Sequential(sizes), draw) == product(sizes)


@given(sizes=SIZES, key=KEYS, draw=DRAWS)
@settings(max_examples=30, deadline=None)
def test_random_meets_every_cell_once(sizes: list[int], key: bytes, draw: int) -> None:
    assert sorted(cells(Random(sizes, key), draw)) == product(sizes)


@given(sizes=SIZES, key=KEYS, draw=DRAWS)
@settings(max_examples=300, deadline=None)
def test_balanced_meets_every_cell_once(sizes: list[int], key: bytes, draw: int) -> None:
    assert sorted(cells(Balanced(sizes, key), draw)) == product(sizes)


@given(sizes=SIZES, key=KEYS, first_draw=DRAWS)
@settings(max_examples=100, deadline=None)
def test_balanced_counts_differ_by_at_most_one_in_any_prefix(sizes: list[int], key: bytes, first_draw: int) -> None:
    order = Balanced(sizes, key)
    counts = [[0] * size for size in sizes]
    for draw in (first_draw, first_draw + 1):
        for cell in cells(order, draw):
            for seen, place in zip(counts, cell, strict=True):
                seen[place] += 1
                assert seen[place] <= min(seen) + 1


def inverse(order: Balanced, sizes: Sequence[int], cell: Sequence[int]) -> int:
    """Find the position of a cell in draw 0, as the proof of the bijection does: step first, then the pass."""
    step, modulus, offsets = 0, 1, []
    for size, place in zip(sizes, cell, strict=True):
        radix = gcd(modulus, size)
        offsets.append((place - step) % radix)
        # The step is known modulo `modulus`, and now modulo `size` too: the Chinese remainder theorem joins the two.
        difference = (place - offsets[-1] - step) // radix
        step += modulus * (difference * pow(modulus // radix, -1, size // radix) % (size // radix))
        modulus = lcm(modulus, size)
    number, weight = 0, 1
    for (size, radix, hash_word), offset in zip(order._dimensions, offsets, strict=True):
        number += weight * ((offset - mixed(step // size, hash_word)) % radix)
        weight *= radix
    passes = order.size // modulus
    return (number - order._start) * pow(order._stride, -1, passes) % passes * modulus + step


@given(sizes=HUGE, key=KEYS, data=st.data())
@settings(max_examples=25, deadline=None)
def test_balanced_can_be_undone_in_spaces_too_large_to_list(sizes: list[int], key: bytes, data: st.DataObject) -> None:
    order = Balanced(sizes, key)
    position = data.draw(st.integers(0, order.size - 1))
    cell = order.cell(position)
    assert all(0 <= place < size for place, size in zip(cell, sizes, strict=True))
    assert inverse(order, sizes, cell) == position


@given(sizes=HUGE, key=KEYS, draw=DRAWS, data=st.data())
@settings(max_examples=25, deadline=None)
def test_huge_spaces_are_balanced_block_by_block(sizes: list[int], key: bytes, draw: int, data: st.DataObject) -> None:
    order = Balanced(sizes, key)
    dimension = data.draw(st.integers(0, len(sizes) - 1))
    size = sizes[dimension]
    block = data.draw(st.integers(0, order.size // size - 1))
    places = [order.cell(block * size + position, draw)[dimension] for position in range(size)]
    assert sorted(places) == list(range(size))


@given(key=KEYS)
@settings(max_examples=20, deadline=None)
def test_random_reaches_far_into_huge_spaces(key: bytes) -> None:
    sizes = [10] * 40
    order = Random(sizes, key)
    found = [tuple(order.cell(position)) for position in range(order.size - 100, order.size)]
    assert len(set(found)) == 100
    assert {place for cell in found for place in cell} == set(range(10))


def test_a_draw_is_more_than_the_one_before_moved_along() -> None:
    sizes = (6, 6, 9, 6)
    order = Balanced(sizes, subkey(7))
    moves = {
        tuple((b - a) % size for a, b, size in zip(before, after, sizes, strict=True))
        for before, after in zip(cells(order), cells(order, 1), strict=True)
    }
    assert len(moves) > 10


def pair_statistics(met: Sequence[Sequence[int]], sizes: Sequence[int]) -> list[float]:
    """The chi-square statistic per degree of freedom of each pair of dimensions; independent draws have about 1."""
    statistics = []
    for first, second in itertools.combinations(range(len(sizes)), 2):
        counts = Counter((cell[first], cell[second]) for cell in met)
        kinds = sizes[first] * sizes[second]
        squares = sum(count * count for count in counts.values())
        statistics.append((squares * kinds / len(met) - len(met)) / (kinds - 1))
    return statistics


@pytest.mark.parametrize(
    ("sizes", "length", "bound"),
    [
        ((6, 6, 9, 6), 108, 0.6),
        ((6, 6, 9, 6), 501, 0.3),
        ((6, 6, 6, 6, 6), 200, 0.4),
        ((4, 4, 4, 4), 64, 0.4),
        ((2,) * 10, 100, 0.6),
        ((12, 8, 10, 6), 500, 0.8),
        ((100, 100, 100), 10_000, 0.4),
        ((192, 53, 30, 3, 11, 25, 34, 39), 2000, 0.9),
    ],
)
def test_balanced_meets_pairs_more_evenly_than_random_draws(sizes: tuple[int, ...], length: int, bound: float) -> None:
    seeds = range(4)
    statistics = [
        statistic
        for seed in seeds
        for order in [Balanced(sizes, subkey(seed, "order"))]
        for statistic in pair_statistics([order.cell(position) for position in range(length)], sizes)
    ]
    assert sum(statistics) / len(statistics) <= bound


def test_random_draws_would_score_one() -> None:
    """The measure itself: what the bounds above are to be compared with."""
    sizes = (6, 6, 9, 6)
    draws = [Permutation(prod(sizes), subkey(number)) for number in range(501)]
    met = [Sequential(sizes).cell(permutation(0)) for permutation in draws]
    statistics = pair_statistics(met, sizes)
    assert 0.8 < sum(statistics) / len(statistics) < 1.2
