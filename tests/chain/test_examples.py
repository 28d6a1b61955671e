"""Examples: one record or many of an item, in every form, and what does not fit one."""

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.bootstrap.assembly import space_of
from corpusmill.chain.filters import Rejection
from corpusmill.chain.records import RecordWriter
from corpusmill.spec.errors import RenderError
from tests.sim.world import make_spec

TALK = [
    {"speaker": "PUPIL", "text": "What is a fold?"},
    {"speaker": "TUTOR", "text": "A step with a memory."},
    {"speaker": "PUPIL", "text": "And a walk?"},
    {"speaker": "TUTOR", "text": "An item's way."},
]
ROLES = {"PUPIL": "user", "TUTOR": "assistant"}
PREFERENCE = {
    "name": "pair",
    "prompt": "{{ genre }}:",
    "chosen": "{{ better }}",
    "rejected": "{{ worse }}",
    "pairs": {"of": "plot", "by": "score", "most": 2},
}


def records_of(example: dict[str, Any], index: int = 0, **outputs: object) -> list[dict[str, Any]]:
    """The records of one example for an item whose steps gave these outputs."""
    writer, item, values = _written(example, index, outputs)
    count = writer.count(values)
    if isinstance(count, Rejection):
        assert count.reason == "no_example"
        count = 0
    records = [msgspec.json.decode(line) for line in writer.corpus_lines(item, values)]
    assert len(records) == count
    return records


def rejection_of(example: dict[str, Any], **outputs: object) -> Rejection:
    writer, _, values = _written(example, 0, outputs)
    rejection = writer.count(values)
    assert isinstance(rejection, Rejection)
    return rejection


def _written(example: dict[str, Any], index: int, outputs: dict[str, object]) -> tuple[RecordWriter, Any, Any]:
    steps = [
        {"name": "plot", "prompt": "{{ genre }}", "parse": "json"},
        {"name": "score", "prompt": "{{ genre }}", "parse": "json"},
    ]
    spec = make_spec(steps=steps, filters=[], examples=[{"name": "row", **example}])
    item = space_of(spec).item(index)
    return RecordWriter(spec), item, {**item.values, "index": index, "draw": 0, "nonce": "n", **outputs}


def test_each_element_of_a_list_is_a_record_with_an_id_of_its_own() -> None:
    example = {"each": "plot", "prompt": "{{ genre }}, {{ position + 1 }}:", "completion": " {{ element }}"}
    records = records_of(example, plot=["one", "two", "three"])
    assert [record["id"] for record in records] == ["job:0:row.0", "job:0:row.1", "job:0:row.2"]
    assert [record["completion"] for record in records] == [" one", " two", " three"]


def test_when_leaves_out_a_record_and_the_places_of_the_others_stay() -> None:
    example = {
        "each": "plot",
        "when": "element.speaker == 'TUTOR'",
        "prompt": "{% for turn in plot[:position] %}{{ turn.speaker }}: {{ turn.text }}\n{% endfor %}TUTOR:",
        "completion": " {{ element.text }}",
    }
    records = records_of(example, plot=TALK)
    assert [record["id"] for record in records] == ["job:0:row.1", "job:0:row.3"]
    assert records[0]["prompt"] == "PUPIL: What is a fold?\nTUTOR:"
    assert records[1]["completion"] == " An item's way."


def test_a_dialogue_is_a_chat_with_the_roles_that_the_spec_names() -> None:
    example = {
        "each": "plot",
        "when": "element.speaker == 'TUTOR'",
        "conversation": "plot[:position + 1]",
        "roles": ROLES,
        "messages": [{"role": "system", "content": "You teach."}],
    }
    messages = [record["messages"] for record in records_of(example, plot=TALK)]
    assert [[each["role"] for each in chat] for chat in messages] == [
        ["system", "user", "assistant"],
        ["system", "user", "assistant", "user", "assistant"],
    ]
    assert messages[1][-1]["content"] == "An item's way."


def test_turns_of_one_role_in_a_row_become_one_message() -> None:
    twice = [TALK[0], TALK[2], TALK[1]]
    (record,) = records_of({"conversation": "plot", "roles": ROLES}, plot=twice)
    assert [message["role"] for message in record["messages"]] == ["user", "assistant"]
    assert record["messages"][0]["content"] == "What is a fold?\nAnd a walk?"


def test_a_dialogue_that_ends_with_the_wrong_side_or_has_a_stranger_does_not_fit() -> None:
    example = {"conversation": "plot", "roles": ROLES}
    assert rejection_of(example, plot=TALK[:3]).reason == "format"
    stranger = rejection_of(example, plot=[{"speaker": "DOG", "text": "Woof."}])
    assert (stranger.reason, "DOG" in stranger.detail) == ("format", True)


@pytest.mark.parametrize("plot", [3, {"a": 1}, "text", [["deep"]]])
def test_what_is_no_conversation_is_an_error_of_the_spec(plot: object) -> None:
    writer, _, values = _written({"conversation": "plot", "roles": ROLES}, 0, {"plot": plot})
    with pytest.raises(RenderError, match="conversation"):
        writer.count(values)


def test_an_item_that_no_example_takes_is_rejected() -> None:
    example = {"when": "plot == 'never'", "prompt": "", "completion": "{{ plot }}"}
    assert rejection_of(example, plot="x").reason == "no_example"


@given(st.integers(2, 7), st.integers(0, 110))
def test_forms_come_equally_often_in_any_run_of_items_that_begins_at_a_whole_round(count: int, items: int) -> None:
    example = {"forms": [f"form {number}" for number in range(count)], "completion": "{{ plot }}"}
    shown = Counter(record["prompt"] for index in range(items) for record in records_of(example, index, plot="x"))
    assert max(shown.values(), default=0) - min((shown[f"form {n}"] for n in range(count)), default=0) <= 1


def test_forms_do_not_follow_an_axis_whose_values_take_turns_likewise() -> None:
    example = {"forms": ["a", "b", "c"], "completion": "{{ plot }}"}
    pairs = Counter(
        (record["prompt"], record["index"] % 3)
        for index in range(120)
        for record in records_of(example, index, plot="")
    )
    assert len(pairs) == 9


def test_a_form_can_stand_in_a_message() -> None:
    example = {
        "forms": ["Write about {{ genre }}.", "{{ genre }}, please."],
        "messages": [{"role": "user", "content": "Hello. {{ form }}"}, {"role": "assistant", "content": "{{ plot }}"}],
    }
    (record,) = records_of(example, plot="x")
    assert record["messages"][0]["content"].startswith("Hello. ")
    assert record["values"]["genre"] in record["messages"][0]["content"]


def test_a_class_is_thinned_out_the_same_way_each_time() -> None:
    example = {"keep": 0.25, "prompt": "", "completion": "{{ plot }}"}
    kept = [index for index in range(120) if records_of(example, index, plot="x")]
    assert kept == [index for index in range(120) if records_of(example, index, plot="y")]
    assert 15 <= len(kept) <= 45


def test_the_best_is_paired_with_the_worst() -> None:
    records = records_of(PREFERENCE, plot=["meh", "good", "bad", "fine"], score=[3, 5, 1, 4])
    assert [(each["chosen"], each["rejected"]) for each in records] == [("good", "bad"), ("fine", "meh")]
    assert [each["id"] for each in records] == ["job:0:pair.0", "job:0:pair.1"]
    assert list(records[0]) == ["id", "index", "example", "values", "prompt", "chosen", "rejected"]


def test_what_is_scored_alike_or_says_the_same_makes_no_pair() -> None:
    assert not records_of(PREFERENCE, plot=["a", "b"], score=[4, 4])
    assert not records_of(
        {**PREFERENCE, "pairs": {"of": "plot", "by": "score", "margin": 3}}, plot=["a", "b"], score=[4, 2]
    )
    assert not records_of(PREFERENCE, plot=["a", "a"], score=[5, 1])
    assert not records_of(PREFERENCE, plot=["a"], score=[5])


@given(st.lists(st.tuples(st.text(max_size=5), st.integers(0, 5)), max_size=8), st.integers(0, 4), st.integers(1, 6))
def test_the_better_text_of_a_pair_is_scored_higher_by_the_margin(
    scored: list[tuple[str, int]], margin: int, most: int
) -> None:
    example = {
        **PREFERENCE,
        "pairs": {"of": "plot", "by": "score", "margin": margin, "most": most},
        "chosen": "{{ better_score }} {{ better }}",
        "rejected": "{{ worse_score }} {{ worse }}",
    }
    texts, scores = [text for text, _ in scored], [score for _, score in scored]
    records = records_of(example, plot=texts, score=scores)
    assert len(records) <= min(most, len(scored) // 2)
    for record in records:
        high, low = int(record["chosen"].partition(" ")[0]), int(record["rejected"].partition(" ")[0])
        assert high > low
        assert high - low >= margin


MISFITS: list[dict[str, object]] = [
    {"plot": ["a", "b"], "score": [1]},
    {"plot": ["a"], "score": ["x"]},
    {"plot": "a", "score": [1]},
]


@pytest.mark.parametrize("outputs", MISFITS)
def test_scores_that_do_not_belong_to_the_texts_are_an_error(outputs: dict[str, object]) -> None:
    writer, _, values = _written(PREFERENCE, 0, outputs)
    with pytest.raises(RenderError, match="pairs"):
        writer.count(values)


def test_a_preference_can_follow_a_chat() -> None:
    example = {
        "messages": [{"role": "user", "content": "A {{ genre }} plot."}],
        "chosen": "{{ plot }}",
        "rejected": "{{ score }}",
    }
    (record,) = records_of(example, plot="yes", score="no")
    assert list(record)[4:] == ["messages", "chosen", "rejected"]


def test_the_format_owns_every_mark() -> None:
    example = {"prompt": "{{ genre }}  \n", "completion": "\n {{ plot }} ", "format": {}}
    (record,) = records_of(example, plot="A plot.")
    assert record["prompt"].endswith("\n\n###\n\n")
    assert not record["prompt"].removesuffix("\n\n###\n\n")[-1].isspace()
    assert record["completion"] == " A plot. END"


@given(st.text(max_size=20), st.sampled_from(["\n\n###\n\n", "->", "\nSYNOPSIS:"]), st.sampled_from(["", " END", "<<"]))
def test_a_mark_never_stands_in_what_a_record_says(plot: str, separator: str, stop: str) -> None:
    marks = {"separator": separator, "stop": stop}
    writer, item, values = _written({"prompt": "Q", "completion": "{{ plot }}", "format": marks}, 0, {"plot": plot})
    if isinstance(writer.count(values), Rejection):
        assert not plot.strip() or separator.strip() in plot or (stop and stop in plot)
        return
    record = msgspec.json.decode(writer.corpus_lines(item, values)[0])
    assert record["prompt"].count(separator) == 1
    assert separator not in record["completion"]
    assert record["completion"].removesuffix(stop) == f" {plot.strip()}"


@pytest.mark.parametrize("plot", ["a ### b", "the story, THE END", "  \n "])
def test_a_completion_that_holds_a_mark_or_nothing_does_not_fit(plot: str) -> None:
    assert rejection_of({"prompt": "Q", "completion": "{{ plot }}", "format": {}}, plot=plot).reason == "format"


def test_more_elements_than_a_step_may_have_are_an_error() -> None:
    writer, _, values = _written({"each": "plot", "prompt": "", "completion": "x"}, 0, {"plot": ["x"] * 1001})
    with pytest.raises(RenderError, match="1,001"):
        writer.count(values)
