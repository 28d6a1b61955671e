"""Filters judge by their condition alone, and the first that fails names the reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.chain.filters import Subject, compile_checks, first_rejection
from corpusmill.chain.filters.refusal import is_refusal
from corpusmill.spec.schema import Filter


def reason(*filters: Filter, text: str, finish_reason: str = "stop") -> str | None:
    checks = compile_checks(list(filters), "plot")
    rejection = first_rejection(checks.of_text, Subject(text, finish_reason, text, None, {}))
    return rejection.reason if rejection else None


@given(st.text(), st.integers(0, 50), st.integers(0, 50))
def test_lengths_are_inclusive_bounds(text: str, low: int, high: int) -> None:
    chars = reason(Filter("plot", min_chars=low, max_chars=high), text=text)
    assert chars == ("min_chars" if len(text) < low else "max_chars" if len(text) > high else None)
    words = len(text.split())
    told = reason(Filter("plot", min_words=low, max_words=high), text=text)
    assert told == ("min_words" if words < low else "max_words" if words > high else None)


@pytest.mark.parametrize(
    ("filter_", "text", "finish_reason", "expected"),
    [
        (Filter("plot", finish_reason=["stop"]), "x", "stop", None),
        (Filter("plot", finish_reason=["stop"]), "x", "length", "finish_reason"),
        (Filter("plot", finish_reason=["stop", "length"]), "x", "length", None),
        (Filter("plot", finish_reason=["stop"]), "x", "", "finish_reason"),
        (Filter("plot", matching=r"\bend\b"), "the end", "stop", None),
        (Filter("plot", matching=r"\bend\b"), "the ending", "stop", "matching"),
        (Filter("plot", not_matching="(?i)as an ai"), "Well, As An AI I", "stop", "not_matching"),
        (Filter("plot", no_refusal=True), "I'm sorry, but I can't help with that.", "stop", "no_refusal"),
        (Filter("other", min_chars=100), "x", "stop", None),
    ],
)
def test_each_condition_names_its_reason(filter_: Filter, text: str, finish_reason: str, expected: str | None) -> None:
    assert reason(filter_, text=text, finish_reason=finish_reason) == expected


def test_the_first_failing_filter_in_the_order_of_the_spec_counts() -> None:
    first, second = Filter("plot", min_chars=10), Filter("plot", matching="z")
    assert reason(first, second, text="x") == "min_chars"
    assert reason(second, first, text="x") == "matching"


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that request.",
        "I\u2019m sorry, but as an AI I do not write such things.",
        "As an AI language model, I cannot write this.",
        "Sorry, I cannot provide that kind of story.",
        "Unfortunately, I'm unable to do this for you.",
        "I cannot create content that promotes violence.",
        "This goes against my guidelines, so let us talk of something else.",
    ],
)
def test_refusals_are_recognised(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "I can't help but smile as the train leaves the station.",
        'The film opens in Lyon. "I\'m sorry," says the baker, and closes his shop for good.',
        "Nobody in the village can assist the stranger, and nobody wants to.",
        "The android, an artificial mind, was built to refuse.",
        "",
    ],
)
def test_stories_that_only_sound_like_refusals_are_kept(text: str) -> None:
    assert not is_refusal(text)
