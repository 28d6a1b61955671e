"""Near duplicates are found: as sets of words tell it, whatever the index was built from, and within its bounds."""

import random
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.near_duplicates import AllPairs, made_texts, triples
from corpusmill.chain.words import word_numbers
from corpusmill.dedup import near
from corpusmill.dedup.bands import Plan, band_keys, plan_for
from corpusmill.dedup.near import CANDIDATES, SHARING, NearIndex
from corpusmill.dedup.shingles import MOST, Shingles, shingles, similarity
from corpusmill.dedup.sketch import nearest, sketch_of

PLAN = plan_for(0.8)
words = st.lists(st.text(string.ascii_letters + string.digits, min_size=1, max_size=8), max_size=60)


@given(words, words, st.sampled_from([" ", "  ", ", ", ".\n", " - ", "'"]))
def test_similarity_is_that_of_the_sets_of_word_triples(one: list[str], other: list[str], gap: str) -> None:
    first, second = gap.join(one), gap.join(other + one)
    shared, either = triples(first) & triples(second), triples(first) | triples(second)
    assert len(shingles(first)) == len(triples(first))
    assert similarity(shingles(first), shingles(second)) == (len(shared) / len(either) if shared else 0)


@given(st.text())
def test_any_text_has_shingles_or_none_and_case_and_punctuation_do_not_count(text: str) -> None:
    found = shingles(text)
    assert list(found) == sorted(set(found.tolist()))
    assert similarity(found, found) == bool(len(found))
    ascii_only = "".join(each for each in text if each.isascii())
    assert similarity(shingles(ascii_only), shingles(f" ({ascii_only.upper()})!")) == bool(len(shingles(ascii_only)))


def test_a_word_is_the_same_word_wherever_it_stands() -> None:
    numbers = word_numbers("dog " + "x" * 3000 + " Dog, «dog» hotdog")
    assert numbers[0] == numbers[2] == numbers[3] != numbers[4]


def test_in_scripts_without_spaces_a_character_is_a_word() -> None:
    assert len(word_numbers("映画の物語。")) == 5
    assert len(word_numbers("ผีเสื้อ")) == 7
    assert len(word_numbers("Kim의 이야기 two")) == 3


def test_sketches_never_change() -> None:
    """They are stored beside journals for good."""
    found = shingles("The film opens on a grey harbour at dawn; «Où es-tu?» she asks.")
    assert found.tolist()[:3] == [396478646, 500984887, 562038433]
    assert band_keys(found, PLAN).tolist()[:3] == [1315012269, 3731475745, 1187668257]


def test_a_long_text_has_a_bounded_sketch_that_still_tells_its_copies() -> None:
    rng = random.Random(2)
    text = [str(rng.randrange(10**6)) for _ in range(5 * MOST)]
    other = [str(rng.randrange(10**6)) if rng.random() < 0.01 else word for word in text]
    found, near_copy = shingles(" ".join(text)), shingles(" ".join(other))
    assert len(found) == len(near_copy) == MOST
    assert similarity(found, near_copy) > 0.9


@pytest.mark.parametrize(("threshold", "plan"), [(0.5, (83, 4)), (0.7, (20, 4)), (0.8, (14, 5)), (0.95, (14, 22))])
def test_plans_are_those_that_were_measured(threshold: float, plan: tuple[int, int]) -> None:
    assert plan_for(threshold) == Plan(*plan)


@pytest.mark.parametrize("threshold", [0.6, 0.8, 0.9])
def test_recall_and_precision_against_all_pairs(threshold: float) -> None:
    found = missed = wrong = 0
    plan = plan_for(threshold)
    index, kept, pairs = NearIndex(plan, 1000), list[Shingles](), AllPairs()
    for text in made_texts(1500, seed=4, words=120):
        sketch = sketch_of(text, plan)
        assert sketch is not None
        match = nearest(index, sketch, kept.__getitem__, threshold)
        is_near = pairs.most_similar(text) >= threshold
        found, missed = found + (match is not None and is_near), missed + (match is None and is_near)
        wrong += match is not None and not is_near
        if match is None:
            index.add(sketch.keys)
            kept.append(sketch.shingles)
            pairs.add(text)
    assert found > 60
    assert found / (found + missed) >= 0.99
    assert wrong == 0


def test_boilerplate_that_all_share_makes_no_text_slower_than_the_bound() -> None:
    index, kept, reads = NearIndex(PLAN, 1000), list[Shingles](), list[int]()

    def read(row: int) -> Shingles:
        reads.append(row)
        return kept[row]

    for text in made_texts(800, seed=5, words=150, shared=0.65):
        sketch = sketch_of(text, PLAN)
        assert sketch is not None
        before = len(reads)
        if nearest(index, sketch, read, 0.8) is None:
            index.add(sketch.keys)
            kept.append(sketch.shingles)
        assert len(reads) - before <= CANDIDATES
    assert len(reads) > 800


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=120), st.integers(1, 50))
def test_the_index_is_the_same_whether_texts_were_added_or_loaded(texts: list[tuple[int, int]], chunk: int) -> None:
    """Few different keys, so that all share many; and parts so small that they are tidied."""
    plan = Plan(2, 1)
    keys = np.array([[one + 1, (other + 1) << 20] for one, other in texts], np.uint32).reshape(-1, 2)
    added, loaded = NearIndex(plan, 1), NearIndex(plan, 10**6)
    for row in keys:
        added.add(row)
    for begin in range(0, len(keys), chunk):
        loaded.load(keys[begin : begin + chunk])
    assert len(added) == len(loaded) == len(keys)
    for asked in np.array([[1, 1 << 20], [3, 2 << 20], [6, 6 << 20]], np.uint32):
        holders: dict[int, int] = {}
        for column in (0, 1):
            for row in np.flatnonzero(keys[:, column] == asked[column])[:SHARING].tolist():
                holders[row] = holders.get(row, 0) + 1
        expected = sorted(holders, key=lambda row: (-holders[row], row))[:CANDIDATES]
        assert added.candidates(asked) == loaded.candidates(asked) == expected


def test_keys_that_very_many_share_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "TIDY_KEYS", 64)
    keys = np.tile(np.arange(1, PLAN.bands + 1, dtype=np.uint32), (5000, 1))
    added, loaded = NearIndex(PLAN, 100), NearIndex(PLAN, 100)
    for row in keys:
        added.add(row)
    loaded.load(keys)
    assert added.candidates(keys[0]) == loaded.candidates(keys[0]) == list(range(SHARING))
    assert max(added.size_bytes, loaded.size_bytes) < 20_000, "of 420,000 bytes of keys"


def test_texts_without_shingles_are_counted_and_never_found() -> None:
    index = NearIndex(PLAN, 10)
    index.load(np.zeros((3, PLAN.bands), np.uint32))
    index.add(np.empty(0, np.uint32))
    assert len(index) == 4
    assert index.candidates(np.zeros(PLAN.bands, np.uint32)) == []


def test_a_text_takes_at_most_150_bytes() -> None:
    index = NearIndex(PLAN, 200_000)
    rng = np.random.default_rng(1)
    index.load(rng.integers(1, 2**32, (200_000, PLAN.bands), np.uint32))
    assert index.size_bytes / len(index) + 4 < 150 - 33, "beside the exact index and the ends of rows"
