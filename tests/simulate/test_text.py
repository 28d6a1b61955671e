import itertools
import json
import statistics
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.simulate.brief import read_brief
from corpusmill.simulate.chance import prompt_key
from corpusmill.simulate.grammar import Grammar, with_article
from corpusmill.simulate.kinds import Kind
from corpusmill.simulate.text import DUPLICATES_POOL, invent, pooled, refusal, reworded
from corpusmill.simulate.wire import ResponseFormat

MEAN_CHARS = 2_500
GENRE = st.sampled_from(["horror & thriller", "high fantasy", "romance & comedy", "sci-fi", "noir", "western"])
PLACE = st.sampled_from(["Peru", "South Africa", "the Hebrides", "New York City", "a town without a name"])
PERIOD = st.sampled_from(["the Renaissance", "the 1920s", "1871", "the near future"])
TONE = st.sampled_from(["gritty & dark", "cerebral", "action-packed & exciting", "slow, but never dull"])


def written(prompt: str, seed: int = 0) -> str:
    return invent(read_brief(prompt), prompt_key(seed, prompt), MEAN_CHARS)


def plot_prompts(count: int) -> list[str]:
    return [f"{number}\nImagine a plot outline for a horror film set in Kyoto." for number in range(count)]


def three_grams(text: str) -> set[tuple[str, str, str]]:
    words = text.lower().split()
    return set(zip(words, words[1:], words[2:], strict=False))


def test_the_same_prompt_and_seed_give_the_same_text_and_another_seed_another() -> None:
    prompt = plot_prompts(1)[0]
    assert written(prompt) == written(prompt)
    assert written(prompt) != written(prompt, seed=1)


@settings(deadline=None)
@given(genre=GENRE, place=PLACE, period=PERIOD, tone=TONE)
def test_a_plot_is_set_where_and_when_the_prompt_says(genre: str, place: str, period: str, tone: str) -> None:
    prompt = f"Write a plot for a {genre} film set in {place} during {period}. The story should be {tone}."
    brief = read_brief(prompt)
    assert brief.kind is Kind.PLOT
    assert brief.values == {"genre": genre, "place": place, "period": period, "tone": tone, "film": "film"}
    assert place.lower() in written(prompt).lower()
    assert period.lower() in written(prompt).lower()


def test_labelled_lines_give_values_as_well_as_sentences_do() -> None:
    brief = read_brief("Genre: science fiction\nLocation: Japan\nPeriod: the 1960s\nModifier: grim\n\nPLOT OUTLINE:")
    assert brief.kind is Kind.PLOT
    assert brief.values == {"genre": "science fiction", "place": "Japan", "period": "the 1960s", "tone": "grim"}


def test_plots_are_as_long_as_asked_for_and_a_few_break_off_early() -> None:
    lengths = [len(written(prompt)) for prompt in plot_prompts(1_500)]
    short = sum(length < 1_000 for length in lengths) / len(lengths)
    assert 0.02 <= short <= 0.04
    assert statistics.mean(lengths) == pytest.approx(MEAN_CHARS, rel=0.03)
    assert all(1_400 <= length <= 3_900 for length in lengths if length >= 1_000)


@pytest.mark.parametrize("chars", [100, 500, 40_000])
def test_plots_follow_the_asked_for_length_to_its_extremes(chars: int) -> None:
    texts = [invent(read_brief(prompt), prompt_key(0, prompt), chars) for prompt in plot_prompts(60)]
    assert statistics.median(map(len, texts)) == pytest.approx(chars, rel=0.1, abs=120)


def test_plots_are_pairwise_different() -> None:
    grams = [three_grams(written(prompt)) for prompt in plot_prompts(250)]
    similarities = [len(a & b) / len(a | b) for a, b in itertools.combinations(grams, 2)]
    assert max(similarities) < 0.3
    assert statistics.mean(similarities) < 0.08


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("Write a synopsis of a noir mystery.", Kind.PLOT),
        ("Brainstorm seven ideas about tea.", Kind.LIST),
        ("Here is a patient's record.\nList all medications:", Kind.LIST),
        ("Here is a plot.\nIs it any good? Yes or no:", Kind.YES_NO),
        ("A note.\nWas a test done? Yes or no: Yes\nList all tests:", Kind.LIST),
        ("Name all tests.\nList them: a, b\nIs that all of them? Yes or no:", Kind.YES_NO),
        ("Here is a story.\nGrade it on a scale of 1 to 7.", Kind.NUMBER),
        ("Describe a bridge as JSON.", Kind.JSON),
        ("Write a conversation between a customer and a painter.", Kind.DIALOGUE),
        ("Write a clinical note about asthma.", Kind.NOTE),
        ("Describe the next scene.", Kind.PROSE),
        ("Go on.", Kind.PROSE),
    ],
)
def test_the_kind_follows_what_the_prompt_asks_for(prompt: str, kind: Kind) -> None:
    assert read_brief(prompt).kind is kind


@pytest.mark.parametrize(
    ("prompt", "count", "mark"),
    [
        ("List 7 questions about bees.", 7, "7. "),
        ("Suggest three ideas as bullets.", 3, "- "),
        ("Give 40 names", 40, "40"),
    ],
)
def test_a_list_has_as_many_items_as_asked_for(prompt: str, count: int, mark: str) -> None:
    lines = written(prompt).split("\n")
    assert len(lines) == count
    assert len(set(lines)) == count
    assert lines[-1].startswith(mark)
    assert "question" not in prompt or all(line.endswith("?") for line in lines)


def test_a_dialogue_alternates_between_the_speakers_of_the_prompt() -> None:
    turns = written("Write a dialogue between a customer and the TIM about owls.").split("\n")
    assert len(turns) >= 4
    assert {turn.split(":")[0] for turn in turns[::2]} == {"Customer"}
    assert {turn.split(":")[0] for turn in turns[1::2]} == {"TIM"}


def test_short_answers_are_bare() -> None:
    assert {written(f"{n}: a diagnosis? Yes or no") for n in range(30)} == {"Yes", "No"}
    assert {written(f"{n}: rate it on a scale of 2 to 4") for n in range(60)} == {"2", "3", "4"}


def test_json_has_the_keys_that_the_prompt_quotes() -> None:
    assert set(json.loads(written('Reply in JSON with the keys "title" and "author".'))) == {"title", "author"}


def test_json_fits_the_schema_of_the_response_format() -> None:
    schema = {
        "type": "object",
        "properties": {
            "kind": {"enum": ["a", "b"]},
            "score": {"type": "integer", "minimum": 3, "maximum": 4},
            "share": {"type": "number"},
            "true": {"type": "boolean"},
            "cast": {"type": "array", "minItems": 2, "maxItems": 3, "items": {"$ref": "#/$defs/person"}},
            "end": {"anyOf": [{"type": "null"}, {"type": "string"}]},
            "fixed": {"const": 7},
        },
        "$defs": {"person": {"type": "object", "properties": {"name": {"type": ["string", "null"], "maxLength": 5}}}},
    }
    asked = ResponseFormat("json_schema", {"name": "x", "schema": schema})
    value = json.loads(invent(read_brief("Anything.", asked), 1, MEAN_CHARS))
    assert list(value) == ["kind", "score", "share", "true", "cast", "end", "fixed"]
    assert value["kind"] in ("a", "b")
    assert value["score"] in (3, 4)
    assert isinstance(value["share"], float)
    assert isinstance(value["true"], bool)
    assert 2 <= len(value["cast"]) <= 3
    assert all(0 < len(person["name"]) <= 5 for person in value["cast"])
    assert value["end"] is None
    assert value["fixed"] == 7


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "items", "enum", "anyOf", "$ref", "minItems", "maxLength", "minimum"]
            ),
            inner | st.sampled_from(["object", "array", "string", "integer", "#"]),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(schema=st.dictionaries(st.sampled_from(["type", "properties", "items", "$ref", "enum", "maximum"]), JSON))
def test_any_schema_at_all_gives_some_json(schema: dict[str, Any]) -> None:
    asked = ResponseFormat("json_schema", {"schema": schema})
    json.loads(invent(read_brief("x", asked), 1, MEAN_CHARS))


def test_a_schema_that_contains_itself_gives_json_of_bounded_size() -> None:
    tree = {"type": "array", "minItems": 100, "items": {"$ref": "#"}}
    text = invent(read_brief("x", ResponseFormat("json_schema", {"schema": tree})), 1, MEAN_CHARS)
    assert len(text) < 100_000


@settings(max_examples=60, deadline=None)
@given(prompt=st.text(max_size=300))
def test_every_prompt_has_an_answer(prompt: str) -> None:
    assert written(prompt)


def test_a_long_document_in_the_middle_gives_no_cues() -> None:
    assert read_brief("Summarise." + " json yes or no plot" * 500 + " " * 900 + "Go on.").kind is Kind.JSON
    assert read_brief("Summarise." + " " * 900 + "json yes or no plot" * 500 + " " * 900 + "Go on.").kind is Kind.PROSE


def test_duplicates_come_from_a_small_pool_whatever_the_prompt_says() -> None:
    brief = read_brief(plot_prompts(1)[0])
    texts = {pooled(brief, 5, key, MEAN_CHARS) for key in range(500)}
    assert 2 <= len(texts) <= DUPLICATES_POOL


def test_near_duplicates_differ_in_one_to_three_words_of_a_hundred() -> None:
    brief = read_brief("Write a plot.")
    for key in range(100):
        original = pooled(brief, 5, key, MEAN_CHARS).split(" ")
        changed = reworded(" ".join(original), key).split(" ")
        share = sum(a != b for a, b in zip(original, changed, strict=True)) / len(original)
        assert 0.005 <= share <= 0.031


def test_refusals_are_varied() -> None:
    assert len({refusal(key) for key in range(100)}) == 8


def test_a_grammar_that_names_an_undefined_symbol_is_refused() -> None:
    with pytest.raises(ValueError, match="plum"):
        Grammar({"cake": ["a {plum} cake with {icing}"], "icing": ["icing"]}, ())


def test_articles_follow_the_first_letter() -> None:
    assert with_article("ordinary day") == "an ordinary day"
    assert with_article("Renaissance") == "a Renaissance"


@pytest.mark.parametrize(("asked", "low", "high"), [("about 100 words", 60, 150), ("200 to 300 words", 200, 320)])
def test_a_text_is_as_long_as_its_prompt_asks_for(asked: str, low: int, high: int) -> None:
    counts = [len(written(f"{number}\nWrite an essay of {asked} on bridges.").split()) for number in range(50)]
    assert low <= min(counts)
    assert max(counts) <= high


def test_what_should_have_a_few_words_has() -> None:
    assert all(len(written(f"{number}\nName one river. At most 10 words.").split()) <= 10 for number in range(50))
    assert all(written(f"{number}\nWrite one sentence in which it rains.").count(".") <= 3 for number in range(50))


def test_a_grade_is_told_in_the_form_that_the_prompt_shows() -> None:
    text = written("Say what is weak, then grade it from 1 (drop it) to\n5 (print it). End with GRADE: n.")
    assert text.splitlines()[-1] in {f"GRADE: {grade}" for grade in range(1, 6)}
    assert len(text.splitlines()) == 2


def test_a_script_has_headings_and_speakers() -> None:
    lines = written("Write the first pages of a film script, about 300 words.").splitlines()
    assert lines[0].startswith(("INT. ", "EXT. "))
    assert sum(line.isupper() and " - " not in line for line in lines) >= 4


def test_a_speaker_may_take_leave_in_the_words_he_was_given() -> None:
    prompt = 'You are a customer. Say nothing but your next words; when you are content, say "ALL DONE".'
    assert "ALL DONE" not in {written(f"{number}\n{prompt}") for number in range(60)}
    prompt += "\n\nAnything else?"
    turns = {written(f"{number}\n{prompt}") for number in range(60)}
    assert "ALL DONE" in turns
    assert len(turns) > 20
