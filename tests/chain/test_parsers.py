"""Parsers: what answers of common forms say, and that no text does worse than being refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.chain.parsers import (
    ParseError,
    Parser,
    compile_parser,
    parse_dialogue,
    parse_json,
    parse_list,
    parse_number,
    parse_yes_no,
)
from corpusmill.spec.schema import Step
from corpusmill.spec.schemas import compile_schema
from corpusmill.spec.template import compile_template, require_readable

KINDS = ("lines", "list", "json", "yes_no", "number", "dialogue")


@pytest.mark.parametrize(
    "text",
    [
        "- one\n- two words",
        "* one\n\n* two words",
        "1. one\n2. two words",
        "Here are two:\n\n1) one\n2) two\n   words\n\nI hope that helps!",
        '["one", "two words"]',
        '```json\n["one", "two words"]\n```',
        "one\n\ntwo words",
        "(a) one\n(b) two words",
        "\u2022 one\n\u2022 two words",
    ],
)
def test_lists_of_all_forms_say_the_same(text: str) -> None:
    assert parse_list(text) == ["one", "two words"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes.", True),
        ("No, it is not; yes would be wrong.", False),
        ("**TRUE**", True),
        ("It mentions a fall.\nAnswer: no", False),
        ("I would say yes", True),
        ("Yesterday", None),
        ("yes and no", True),
        ("It may be yes, it may be no", None),
        ("", None),
    ],
)
def test_yes_and_no(text: str, expected: bool | None) -> None:
    if expected is None:
        with pytest.raises(ParseError):
            parse_yes_no(text)
    else:
        assert parse_yes_no(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GRADE: 4", 4),
        ("4", 4),
        ("4/5", 4),
        ("I give it 4 out of 5.", 4),
        ("The 3 acts hold, the 2 leads do not.\n\n**Score:** 4.5", 4.5),
        ("Rating: 2 at first. Final rating: 4/5", 4),
        ("It costs 1,944", 1944),
        ("-3", -3),
        ("3 or 4", None),
        ("four", None),
    ],
)
def test_numbers(text: str, expected: float | None) -> None:
    if expected is None:
        with pytest.raises(ParseError):
            parse_number(text)
    else:
        assert parse_number(text) == expected


def test_a_number_out_of_range_is_none() -> None:
    assert parse_number("GRADE: 5", between=(1, 5)) == 5
    with pytest.raises(ParseError, match="6 is not between 1 and 5"):
        parse_number("GRADE: 6", between=(1, 5))


@pytest.mark.parametrize("text", ['{"a": 1}', '```json\n{"a": 1}\n```', 'Sure: {"a": 1} is it.', ' {"a": 1}'])
def test_json_is_found_where_it_stands(text: str) -> None:
    assert parse_json(text) == {"a": 1}


def test_json_that_does_not_follow_the_schema_says_where() -> None:
    schema = compile_schema({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}})
    assert parse_json('{"a": ["x"]}', validator=schema) == {"a": ["x"]}
    with pytest.raises(ParseError, match=r"\['a'\]\[1\]"):
        parse_json('{"a": ["x", 2]}', validator=schema)


def test_a_dialogue_is_its_turns() -> None:
    text = "A talk.\n\n**TIM:** Hello.\nWhat is it?\n\nUser: Note: fractions.\nRemember: I am nine.\nTIM: Fine."
    assert parse_dialogue(text) == [
        {"speaker": "TIM", "text": "Hello.\nWhat is it?"},
        {"speaker": "User", "text": "Note: fractions.\nRemember: I am nine."},
        {"speaker": "TIM", "text": "Fine."},
    ]


@pytest.mark.parametrize("name", ["TIM", "Dr. O'Neil", "Agnès", "Spieler 2", "客户", "a-b_c"])
def test_a_name_has_letters_of_any_script_and_the_parser_says_nothing(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert parse_dialogue(f"{name}: Yes.\n1/2: no name\n{name}: {'No. ' * 100}") == [
        {"speaker": name, "text": "Yes.\n1/2: no name"},
        {"speaker": name, "text": ("No. " * 100).strip()},
    ]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text() | st.text('0123456789:-,.\n []{}"yesno NAME', max_size=300))
def test_whatever_the_text_it_is_parsed_or_refused_and_templates_can_read_it(kind: str, text: str) -> None:
    parser: Parser | None = compile_parser(Step("x", "x", parse=kind))  # type: ignore[arg-type] # one of the kinds
    assert parser is not None
    try:
        value = parser(text)
    except ParseError:
        return
    require_readable(value)
    compile_template("{{ value }}").render({"value": value})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unit", ["[", "{", "- a\n", "a: b\n", "1,", "yes no ", "```", "\\", '"', "1/", "\n", " "])
def test_long_texts_take_linear_time(kind: str, unit: str) -> None:
    parser = compile_parser(Step("x", "x", parse=kind))  # type: ignore[arg-type] # one of the kinds
    assert parser is not None
    with contextlib.suppress(ParseError):
        parser(unit * (200_000 // len(unit)))
