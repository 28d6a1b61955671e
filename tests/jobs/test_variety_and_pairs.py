"""How varied texts are, and which pairs of values a corpus has: against the plain definitions."""

import zlib
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from corpusmill.jobs.pairs import MOST_CELLS, MOST_PAIRS, PairTally
from corpusmill.jobs.tallies import BINS, Lengths
from corpusmill.jobs.variety import CUT_CHARS, TextSample

TEXTS = st.lists(st.text("ab c\n", max_size=40), min_size=1, max_size=30)
ITEMS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.booleans()), max_size=60)


@given(TEXTS)
def test_a_sample_that_holds_all_texts_gives_the_figures_of_all(texts: list[str]) -> None:
    sample = TextSample()
    for number, text in enumerate(texts):
        sample.add(f"job:{number}", text)
    found = sample.variety()
    assert found.sampled == len(texts)
    for run, share in ((1, found.distinct_1), (2, found.distinct_2), (3, found.distinct_3)):
        runs = [tuple(words[n : n + run]) for words in map(str.split, texts) for n in range(len(words) - run + 1)]
        assert share == (round(len(set(runs)) / len(runs), 6) if runs else None)


def test_what_repeats_itself_compresses_more_than_what_does_not() -> None:
    alike, varied = TextSample(), TextSample()
    for number in range(200):
        alike.add(str(number), "The film opens with a wide shot of the sea.")
        varied.add(str(number), f"{zlib.crc32(str(number).encode()):x} {zlib.crc32(str(-number).encode()):x}")
    assert alike.variety().compression_ratio > 10 * varied.variety().compression_ratio
    assert (alike.variety().distinct_2 or 0) < 0.01 < (varied.variety().distinct_2 or 0)


@given(st.randoms(use_true_random=False))
def test_a_sample_is_bounded_and_the_same_in_any_order(chance: object) -> None:
    texts = [(f"job:{number}", f"text {number} " * 1000) for number in range(100)]
    first, second = TextSample(10), TextSample(10)
    for name, text in texts:
        first.add(name, text)
    chance.shuffle(texts)  # type: ignore[attr-defined] # a random.Random, which hypothesis does not say
    for name, text in texts:
        second.add(name, text)
    assert first.variety() == second.variety()
    assert first.variety().sampled == 10
    assert sum(len(text) for _, text in first._heap) <= 10 * CUT_CHARS


@given(ITEMS)
def test_the_cells_of_a_pair_count_the_items(items: list[tuple[str, str, bool]]) -> None:
    tally = PairTally({"one": list("ab"), "other": list("xyz")})
    for one, other, kept in items:
        tally.add({"one": one, "other": other}, kept=kept)
    (pair,) = tally.coverage()
    decided = Counter((one, other) for one, other, _ in items)
    kept_items = Counter((one, other) for one, other, kept in items if kept)
    assert pair.decided == [[decided[one, other] for other in "xyz"] for one in "ab"]
    assert pair.kept == [[kept_items[one, other] for other in "xyz"] for one in "ab"]
    assert (pair.cells, pair.decided_cells, pair.kept_cells) == (6, len(decided), len(kept_items))
    assert all(cell.kept <= min(kept_items.get(each, 0) for each in decided) for cell in pair.lacking[:1])


def test_pairs_that_could_not_be_read_are_left_out() -> None:
    wide = {f"axis{number}": [str(value) for value in range(number + 2)] for number in range(80)}
    pairs = PairTally(wide).coverage()
    assert len(pairs) == MOST_PAIRS
    assert all(pair.cells <= MOST_CELLS for pair in pairs)
    assert not PairTally({"a": ["x"] * 60, "b": ["y"] * 60}).coverage()


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=200))
def test_a_histogram_counts_each_length_in_its_bin(lengths: list[int]) -> None:
    tally = Lengths()
    for length in lengths:
        tally.add(length)
    drawn = tally.histogram()
    assert len(drawn.counts) <= BINS
    bins = Counter((length - drawn.start) // drawn.width for length in lengths)
    assert drawn.counts == [bins[place] for place in range(len(drawn.counts))]
    assert drawn.start == min(lengths)
