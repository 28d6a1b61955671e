"""Fingerprints and their index."""

import random
import string
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.dedup.exact import MANY, ExactIndex
from corpusmill.dedup.fingerprint import fingerprint

marks = st.integers(1, 2**64 - 1)


@given(st.text())
def test_case_spacing_and_punctuation_do_not_count(text: str) -> None:
    spaced = "  " + text.replace(" ", " \n\t") + " ...!"
    assert fingerprint(text) == fingerprint(spaced) == fingerprint(spaced)
    ascii_only = "".join(each for each in text if each.isascii())
    assert fingerprint(ascii_only) == fingerprint(ascii_only.upper()) == fingerprint(ascii_only.lower())


@given(st.text(string.ascii_lowercase + "äöüß日本", min_size=1), st.text(string.ascii_lowercase, min_size=1))
def test_other_letters_are_another_text(text: str, more: str) -> None:
    assert fingerprint(text) != fingerprint(text + more)


def test_compatible_forms_are_one_text() -> None:
    assert fingerprint("\ufb01lm") == fingerprint("film")
    assert fingerprint("Stra\u00dfe") == fingerprint("STRASSE")


def test_a_fingerprint_never_changes() -> None:
    """It is stored in journals for good."""
    assert fingerprint("The end.") == 7932146077717423114
    assert fingerprint("Über uns") == 16780965249843387358
    assert fingerprint("") == 13020603013274838756


@given(st.lists(marks, max_size=300))
def test_the_index_remembers_the_first_holder_like_a_dictionary(keys: list[int]) -> None:
    index, model = ExactIndex(), dict[int, int]()
    for number, key in enumerate(keys):
        assert index.add(key, number) == (key not in model)
        model.setdefault(key, number)
    assert len(index) == len(model)
    assert all(index.holder(key) == number for key, number in model.items())
    assert index.holder(max(keys, default=0) // 2 + 1) == model.get(max(keys, default=0) // 2 + 1)


@pytest.mark.parametrize("count", [50, MANY + 500])
@pytest.mark.parametrize("crowded", [False, True])
def test_an_index_that_is_loaded_finds_what_one_that_grew_finds(count: int, crowded: bool) -> None:
    """Many are laid out by other code than few; crowded ones lie in few parts and repeat."""
    rng = random.Random(count)
    keys = [rng.randrange(count) * 4096 + rng.choice((1, 7)) if crowded else rng.getrandbits(64) for _ in range(count)]
    keys = [key or 1 for key in keys]
    holders = array("Q", rng.sample(range(10 * count), count))
    grown, loaded = ExactIndex(), ExactIndex()
    for key, holder in zip(keys, holders, strict=True):
        grown.add(key, holder)
    loaded.load(array("Q", keys), holders)
    assert len(loaded) == len(grown) == len(set(keys))
    assert all(loaded.holder(key) == grown.holder(key) for key in keys)
    assert all(loaded.holder(key + 4096) == grown.holder(key + 4096) for key in keys[:1000])
    more = [rng.getrandbits(64) or 1 for _ in range(count)]
    assert [loaded.add(key, 5) for key in more] == [grown.add(key, 5) for key in more]
    assert all(loaded.holder(key) == grown.holder(key) for key in (*keys, *more))


def test_the_index_stays_small() -> None:
    index = ExactIndex()
    for number in range(200_000):
        index.add(number * 0x9E3779B97F4A7C15 % 2**64 or 1, number)
    assert len(index) == 200_000
    assert 16 <= index.size_bytes / len(index) <= 50
