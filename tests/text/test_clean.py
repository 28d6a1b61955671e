"""Cleaning: what is taken off a text, and what never changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.spec.checks.patterns import check_cleaning
from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import Clean, Cleaning
from corpusmill.text.clean import compile_clean


@pytest.mark.parametrize(
    ("cleaning", "text", "cleaned"),
    [
        (None, " as it is ", " as it is "),
        (Clean(strip=True), " a  b\n", "a  b"),
        (Clean(collapse=True), " a \n\n b\tc ", "a b c"),
        (Clean(collapse="lines"), "a  b \n\n\n\n c\td\n", "a b\n\nc d\n"),
        (Clean(begin_after="Ideas.*:"), "Sure!\nIdeas for you:\n- one", "\n- one"),
        (Clean(begin_after="nowhere"), "whole", "whole"),
        (Clean(cut_at="(?m)^END"), "plot\nEND and more\nEND", "plot\n"),
        (Clean(remove=["SYNOPSIS", ":"]), "SYNOPSIS: a:b", " ab"),
        (Clean(replace={"\n": ". "}), "one\ntwo", "one. two"),
        (Clean(replace={"(a)": r"\1$0"}), "xax", r"x\1$0x"),
        (Clean(keep_lines=r"\?$"), "Why?\nBecause.\nHow?", "Why?\nHow?"),
        (Clean(drop_lines=r"^\s*$"), "a\n\n \nb", "a\nb"),
        (Clean(lower=True), "ABC é", "abc é"),
        ([Clean(strip=True), Clean(cut_at=" ")], " one two", "one"),
        (Clean(remove="x*"), "axb", "ab"),
        (Clean(remove="ü"), "für über", "fr ber"),
    ],
)
def test_a_cleaning_does_what_it_says(cleaning: Cleaning | None, text: str, cleaned: str) -> None:
    assert compile_clean(cleaning)(text) == cleaned


@given(st.text())
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    for cleaning in (Clean(strip=True), Clean(collapse=True), Clean(collapse="lines"), Clean(drop_lines="a")):
        clean = compile_clean(cleaning)
        assert clean(clean(text)) == clean(text)


@given(st.text(), st.sampled_from([Clean(collapse=True), Clean(collapse="lines"), Clean(strip=True)]))
def test_white_space_is_all_that_white_space_cleaning_takes(text: str, cleaning: Clean) -> None:
    assert compile_clean(cleaning)(text).split() == text.split()


@given(st.text(alphabet="ab\n"))
def test_lines_are_kept_or_dropped(text: str) -> None:
    kept = compile_clean(Clean(keep_lines="a"))(text).split("\n")
    dropped = compile_clean(Clean(drop_lines="a"))(text).split("\n")
    assert [line for line in kept if line] == [line for line in text.split("\n") if "a" in line]
    assert [line for line in dropped if line] == [line for line in text.split("\n") if line and "a" not in line]


@pytest.mark.parametrize(
    ("cleaning", "path"),
    [
        (Clean(), "x"),
        ([Clean(strip=True), Clean(cut_at="(")], "x[1].cut_at"),
        (Clean(remove=["a", "(?<=b)"]), "x.remove"),
        (Clean(replace={"(": ""}), "x.replace"),
    ],
)
def test_a_cleaning_that_cannot_be_is_refused_where_it_stands(cleaning: Cleaning, path: str) -> None:
    with pytest.raises(SpecError) as caught:
        check_cleaning(cleaning, "x")
    assert caught.value.path == path
