import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from corpusmill.jobs.tallies import Frequent, Lengths


@given(st.lists(st.integers(0, 300), min_size=1, max_size=500))
def test_quantiles_are_those_of_the_sorted_list(lengths: list[int]) -> None:
    tally = Lengths()
    for length in lengths:
        tally.add(length)
    ordered = sorted(lengths)

    def nearest_rank(share: float) -> int:
        return ordered[math.ceil(round(share * len(ordered), 9)) - 1]

    found = tally.quantiles()
    assert (found.min, found.max) == (ordered[0], ordered[-1])
    assert (found.p5, found.median, found.p95) == (nearest_rank(0.05), nearest_rank(0.5), nearest_rank(0.95))


@given(st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), max_size=300))
def test_counts_are_exact_until_something_is_forgotten_and_never_too_high(letters: list[str]) -> None:
    small, ample = Frequent(tracked=3), Frequent(tracked=26)
    for letter in letters:
        small.add(letter)
        ample.add(letter)
    truth = Counter(letters)
    assert dict(ample.most(26)) == truth
    kept = small.most(26)
    assert len(kept) <= 6
    assert all(count <= truth[letter] for letter, count in kept)


def test_what_comes_often_is_found_among_any_number_of_rare_things() -> None:
    frequent = Frequent(tracked=10)
    for number in range(2_000):
        frequent.add(f"rare {number}")
        if number % 4 == 0:
            frequent.add("often")
        if number % 5 == 0:
            frequent.add("quite often")
    assert frequent.most(2) == [("often", 500), ("quite often", 400)]


def test_equal_counts_come_in_the_order_of_the_alphabet() -> None:
    frequent = Frequent()
    for word in ("pear", "apple", "pear", "fig", "apple"):
        frequent.add(word)
    assert frequent.most(3) == [("apple", 2), ("pear", 2), ("fig", 1)]
