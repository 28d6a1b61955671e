"""Walks: which completions an item asks for, in what order, and what comes of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.spec.errors import RenderError
from tests.chain.walking import Answer, walked

PLOT: dict[str, object] = {"name": "plot", "prompt": "plot"}
PAIR = {"turns": 2, "speakers": [{"name": "A"}, {"name": "B"}]}


def scripted(*answers: str) -> Answer:
    """Answers one after the other."""
    left = list(answers)
    return lambda _prompt: left.pop(0)


def test_a_later_step_sees_what_earlier_ones_gave_as_their_parsers_read_it() -> None:
    done = walked(
        lambda prompt: "Yes, it is." if prompt == "?" else f"<{prompt}>",
        {"name": "good", "prompt": "?", "parse": "yes_no"},
        {"name": "told", "prompt": "{{ 'fine' if good else 'poor' }}"},
    )
    assert (done.output("good"), done.output("told")) == (True, "<fine>")
    assert [ask.final for ask in done.asks] == [False, True]


@pytest.mark.parametrize(("said", "calls", "output"), [("yes", 2, "list: plot"), ("No.", 1, "None found in 0")])
def test_a_step_whose_when_is_false_makes_no_call_and_has_its_constant(said: str, calls: int, output: str) -> None:
    done = walked(
        lambda prompt: said if prompt == "any?" else prompt,
        {"name": "any", "prompt": "any?", "parse": "yes_no"},
        {"name": "found", "prompt": "list: plot", "when": "any", "otherwise": "None found in {{ draw }}"},
    )
    assert (len(done.asks), done.output("found")) == (calls, output)
    assert done.verdict.outcome == "kept"


def test_a_failed_parse_is_a_reject_with_the_text_kept() -> None:
    done = walked(lambda _: "no idea", {"name": "grade", "prompt": "g", "parse": "number"}, PLOT)
    assert (done.verdict.outcome, done.verdict.reason, len(done.asks)) == ("rejected", "parse", 1)
    assert done.walk.answers["grade"][0].text == "no idea"


def test_each_asks_for_every_element_and_gives_the_list_of_what_passes() -> None:
    done = walked(
        lambda prompt: "a, b, c" if prompt == "list" else prompt.upper(),
        {"name": "all", "prompt": "list", "clean": {"replace": {", ": "\n"}}, "parse": "list"},
        {"name": "part", "prompt": "{{ position }}{{ element }}", "each": "all"},
        {"name": "whole", "prompt": "{{ part | join('+') }}"},
        filters=[{"of": "part", "not_matching": "B"}],
    )
    assert done.output("part") == ["0A", "2C"]
    assert done.prompts[-1] == "0A+2C"
    assert done.places == [(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 2, 0), (2, 0, 0)]


@pytest.mark.parametrize(("require", "outcome"), [("any", "kept"), ("all", "rejected")])
def test_one_rejected_element_is_left_out_or_rejects_the_item(require: str, outcome: str) -> None:
    step = {"name": "part", "prompt": "{{ element }}", "each": "['a', 'b']", "require": require}
    done = walked(lambda prompt: prompt, step, filters=[{"of": "part", "matching": "a"}])
    assert done.verdict.outcome == outcome
    assert walked(lambda _: "c", step, filters=[{"of": "part", "matching": "a"}]).verdict.reason == "matching"


def test_an_empty_list_has_no_parts_and_no_calls() -> None:
    done = walked(lambda prompt: prompt, {"name": "part", "prompt": "x", "each": "[]"})
    assert (done.verdict.outcome, done.output("part"), done.asks) == ("kept", [], [])


@pytest.mark.parametrize(("each", "problem"), [("genre", "not a list"), ("range(1001) | list", "1,001 elements")])
def test_each_takes_a_list_of_bounded_length(each: str, problem: str) -> None:
    with pytest.raises(RenderError, match=problem):
        walked(lambda prompt: prompt, {"name": "part", "prompt": "x", "each": each})


def test_a_fold_sees_what_it_gave_before_and_gives_all_of_it() -> None:
    done = walked(
        lambda prompt: prompt,
        {"name": "sum", "prompt": "{{ previous }}{{ element }}", "fold": "['a', 'b', 'c']"},
    )
    assert done.output("sum") == ["a", "ab", "abc"]
    assert done.walk.answers["sum"][0].text == "abc"
    stopped = walked(
        lambda prompt: prompt,
        {"name": "sum", "prompt": "{{ previous }}{{ element }}", "fold": "['a', 'b', 'c']"},
        filters=[{"of": "sum", "max_chars": 1}],
    )
    assert (stopped.verdict.reason, len(stopped.asks)) == ("max_chars", 2)


def test_a_step_that_is_asked_again_is_told_why() -> None:
    done = walked(
        scripted("x", "long enough"),
        {"name": "plot", "prompt": "{{ attempt }}|{{ rejection }}|{{ rejected }}|{{ nonce }}", "attempts": 3},
        filters=[{"of": "plot", "min_chars": 5}],
    )
    first, second = (prompt.split("|") for prompt in done.prompts)
    assert first[:3] == ["0", "", ""]
    assert second[:3] == ["1", "1 chars; at least 5 wanted", "x"]
    assert first[3] != second[3]
    assert [ask.final for ask in done.asks] == [False, False]


def test_a_judge_sends_the_chain_back_with_what_he_said_so_often_and_no_more() -> None:
    steps = (
        {"name": "plot", "prompt": "plot {{ attempt }} {{ critique }}"},
        {"name": "title", "prompt": "title of {{ plot }}"},
        {"name": "grade", "prompt": "grade {{ title }}", "parse": "number", "attempts": 3, "back_to": "plot"},
    )
    grades = iter(["Dull. GRADE: 2", "GRADE: 5"])
    good = walked(
        lambda prompt: next(grades) if prompt.startswith("grade") else prompt,
        *steps,
        filters=[{"of": "grade", "matching": "5"}],
    )
    assert good.verdict.outcome == "kept"
    assert good.output("plot") == "plot 1 Dull. GRADE: 2"
    assert good.places == [(0, 0, 0), (1, 0, 0), (2, 0, 0), (0, 0, 1), (1, 0, 1), (2, 0, 1)]
    bad = walked(
        lambda prompt: "GRADE: 1" if prompt.startswith("grade") else prompt,
        *steps,
        filters=[{"of": "grade", "matching": "5"}],
    )
    assert (bad.verdict.reason, len(bad.asks)) == ("matching", 9)
    assert [ask.final for ask in bad.asks] == [*[False] * 8, True]


def test_a_list_is_topped_up_until_it_is_long_enough() -> None:
    step: dict[str, object] = {
        "name": "asked", "prompt": "{{ so_far | join(',') }}", "parse": "lines", "top_up": {"items": 4, "calls": 5},
    }  # fmt: skip
    done = walked(scripted("a?\nb?", "A?\nc?", "d?\ne?"), step)
    assert done.output("asked") == ["a?", "b?", "c?", "d?", "e?"]
    assert done.prompts == ["", "a?,b?", "a?,b?,c?"]
    assert len(walked(lambda _: "same", step).asks) == 5
    assert walked(lambda _: "", step).verdict.reason == "parse"


def test_two_speakers_take_turns_and_see_each_other_as_the_user() -> None:
    done = walked(
        scripted("Hello.\nTIM: hi", "TIM: Hi, what is it?", "Fractions."),
        {
            "name": "talk", "prompt": "You are {{ speaker }}.", "system": "Talk.",
            "rounds": {"turns": 9, "speakers": [{"name": "PUPIL"}, {"name": "TIM"}], "until": "history | length == 3"},
        },
    )  # fmt: skip
    assert done.output("talk") == [
        {"speaker": "PUPIL", "text": "Hello."},
        {"speaker": "TIM", "text": "Hi, what is it?"},
        {"speaker": "PUPIL", "text": "Fractions."},
    ]
    last = done.asks[-1].prompt
    assert (last.system, last.text) == ("Talk.", "Hi, what is it?")
    assert [(message.role, message.text) for message in last.history] == [
        ("user", "You are PUPIL."),
        ("assistant", "Hello."),
    ]
    assert done.asks[1].prompt.text == "You are TIM.\n\nHello."


def test_a_dialogue_that_its_filters_reject_is_held_again() -> None:
    done = walked(
        scripted("a", "b", "c", "d"),
        {
            "name": "talk",
            "prompt": "x",
            "attempts": 2,
            "rounds": {"turns": 2, "speakers": [{"name": "A"}, {"name": "B"}]},
        },
        filters=[{"of": "talk", "matching": "d"}],
    )
    assert done.verdict.outcome == "kept"
    assert done.places == [(0, 0, 0), (0, 1, 0), (0, 0, 1), (0, 1, 1)]


def test_all_choices_that_pass_are_there_for_later_steps() -> None:
    done = walked(
        lambda prompt: ["first", "x", "third"] if prompt == "plot" else prompt,
        {**PLOT, "parameters": {"n": 3}},
        {"name": "best", "prompt": "{{ plot }} of {{ plot_choices | join(' ') }}"},
        filters=[{"of": "plot", "min_chars": 3}],
    )
    assert done.output("best") == "first of first third"


def test_a_call_that_is_given_up_fails_the_item_and_one_element_only_itself() -> None:
    assert walked(lambda _: None, PLOT).verdict.reason == "bad_request"
    step = {"name": "part", "prompt": "{{ element }}", "each": "['a', 'b']"}
    assert walked(lambda prompt: None if prompt == "a" else prompt, step).output("part") == ["b"]


@given(st.lists(st.sampled_from(["yes", "no", "GRADE: 1", "GRADE: 5", "- a\n- b", "", "??"]), min_size=60, max_size=60))
def test_whatever_is_answered_a_walk_ends_and_takes_the_same_way_again(answers: list[str]) -> None:
    def walk() -> tuple[object, ...]:
        left = iter([*answers, *["GRADE: 1"] * 500])
        done = walked(
            lambda _: next(left),
            {"name": "any", "prompt": "A{{ nonce }}", "parse": "yes_no", "attempts": 2},
            {"name": "items", "prompt": "B{{ nonce }}", "parse": "list", "when": "any", "otherwise": ["x"]},
            {"name": "part", "prompt": "C{{ nonce }}{{ element }}", "each": "items", "attempts": 2},
            {"name": "state", "prompt": "D{{ nonce }}{{ previous }}", "fold": "part"},
            {"name": "grade", "prompt": "E{{ nonce }}", "parse": "number", "attempts": 3, "back_to": "items"},
            filters=[{"of": "grade", "matching": "5"}, {"of": "part", "min_chars": 1}],
        )
        assert len(set(done.places)) == len(done.places), "no place is asked for twice"
        assert len(set(done.prompts)) == len(done.prompts), "every ask of a step has a nonce of its own"
        return done.verdict, done.places, done.prompts

    assert walk() == walk()
