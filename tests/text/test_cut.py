"""Cutting: nothing but white space is ever lost between chunks, and no cut text is longer than it may be."""

from hypothesis import given
from hypothesis import strategies as st

from corpusmill.text.cut import chunk_spans, truncated

TEXTS = st.text(alphabet="ab \n\t\u00a0é", max_size=300)


@st.composite
def sizes(draw: st.DrawFn) -> tuple[int, int]:
    chars = draw(st.integers(1, 40))
    return chars, draw(st.integers(0, chars // 2))


@given(TEXTS, sizes())
def test_chunks_with_their_overlap_taken_off_and_the_gaps_put_back_are_the_text(
    text: str, size: tuple[int, int]
) -> None:
    whole, reached = "", 0
    for start, end in chunk_spans(text, *size):
        gap = text[reached:start]
        assert not gap.strip()
        whole += gap + text[max(start, reached) : end]
        reached = end
    assert whole + text[reached:] == text
    assert not text[reached:].strip()


@given(TEXTS, sizes())
def test_a_chunk_is_short_has_ink_at_both_ends_and_reaches_further(text: str, size: tuple[int, int]) -> None:
    chars, overlap = size
    reached = 0
    for start, end in chunk_spans(text, chars, overlap):
        assert 0 < end - start <= chars
        assert text[start:end].strip() == text[start:end]
        assert end > reached
        assert reached - start <= overlap
        reached = end


@given(st.lists(st.text(alphabet="ab", min_size=1, max_size=8), max_size=60), st.integers(8, 40))
def test_words_that_fit_are_never_cut(words: list[str], chars: int) -> None:
    text = " ".join(words)
    assert [word for start, end in chunk_spans(text, chars, 0) for word in text[start:end].split()] == words
    for _, end in chunk_spans(text, chars, chars // 2):
        assert end == len(text) or text[end] == " "


def test_an_overlap_repeats_whole_words() -> None:
    text = "one two three four five six seven"
    chunks = [text[start:end] for start, end in chunk_spans(text, 14, 6)]
    assert chunks == ["one two three", "three four", "four five six", "six seven"]


@given(TEXTS, st.integers(1, 60), st.text(max_size=5))
def test_what_is_truncated_is_a_beginning_and_the_marker(text: str, chars: int, marker: str) -> None:
    cut = truncated(text, chars, marker)
    if len(text) <= chars:
        assert cut == text
    else:
        kept = cut[: len(cut) - len(marker)]
        assert cut == kept + marker
        assert text.startswith(kept)
        assert len(kept) <= chars


def test_truncation_keeps_whole_words_where_it_can() -> None:
    assert truncated("a story of two cities", 14, " [CUT]") == "a story of two [CUT]"
    assert truncated("a story of two cities", 13, " [CUT]") == "a story of [CUT]"
    assert truncated("x" * 20, 5, "...") == "xxxxx..."
