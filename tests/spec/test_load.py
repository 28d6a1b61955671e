"""Reading a spec: what the three forms mean, and that whatever is wrong is told in one line with its place."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.spec.errors import SpecError
from corpusmill.spec.load import Form, load_spec, parse_spec
from corpusmill.spec.schema import Axis, JobSpec
from tests.spec.documents import DELETE, DOCUMENT, changed

YAML = """
name: plots
space: {axes: {genre: [western]}}
steps: [{name: plot, prompt: Write.}]
examples: [{name: outline, prompt: "", completion: "{{ plot }}"}]
"""


def problem(text: str | bytes, form: Form = "yaml") -> str:
    with pytest.raises(SpecError) as raised:
        parse_spec(text.encode() if isinstance(text, str) else text, form)
    return str(raised.value)


def axis_of(yaml: str) -> Any:
    text = YAML.replace("{genre: [western]}", "{genre: " + yaml + "}")
    return parse_spec(text.encode(), "yaml").space.axes["genre"]


IDENTIFIER = "a letter, then letters, digits or _, at most 63 of them"

FIELD_PROBLEMS: list[tuple[dict[str, Any], str]] = [
    ({"nmae": "x"}, "nmae: unknown key; did you mean `name`?"),
    ({"steps.1.promt": "x"}, "steps[1].promt: unknown key; did you mean `prompt`?"),
    (
        {"split": {"validation": 0.1, "zzz": 1}},
        "split.zzz: unknown key; known here: `validation`, `by`",
    ),
    ({"space.axes.genre": {"valeus": ["x"]}}, "space.axes.genre.valeus: unknown key; did you mean `values`?"),
    ({"name": DELETE}, "name: missing"),
    ({"steps.1.prompt": DELETE}, "steps[1].prompt: missing"),
    ({"name": 5}, "name: expected text, got 5"),
    ({"seed": "many"}, "seed: expected an integer, got text `many`"),
    ({"seed": 1.5}, "seed: expected an integer, got 1.5"),
    ({"seed": True}, "seed: expected an integer, got true"),
    ({"seed": None}, "seed: expected an integer, got nothing (null)"),
    ({"seed": 2**63}, "seed: an integer of more than 64 bits; put it in quotes to mean its digits"),
    ({"split": {"validation": "a lot"}}, "split.validation: expected a number, got text `a lot`"),
    ({"split": {"validation": 1}}, "split.validation: expected less than 1, got 1"),
    ({"split": {"validation": 0}}, "split.validation: expected more than 0, got 0"),
    ({"steps": {}}, "steps: expected a list, got a mapping"),
    ({"steps": []}, "steps: expected at least 1 element, got none"),
    ({"space.axes": {}}, "space.axes: expected at least 1 entry, got none"),
    ({"space.limit": 0}, "space.limit: expected at least 1, got 0"),
    ({"space.draws": 2_000_000_000}, "space.draws: expected at most 1,000,000,000, got 2000000000"),
    (
        {"space.order": "shuffled"},
        "space.order: expected one of `balanced`, `random`, `sequential`, got text `shuffled`",
    ),
    ({"dedup": {"of": "plot", "exact": False}}, "dedup.exact: expected true, got false"),
    ({"steps.0.prompt": ""}, "steps[0].prompt: expected text that is not empty"),
    ({"steps.0.model": "m" * 201}, "steps[0].model: expected at most 200 characters, got 201"),
    ({"filters.0.no_refusal": "yes"}, "filters[0].no_refusal: expected true/false, got text `yes`"),
    ({"filters.0.min_chars": -1}, "filters[0].min_chars: expected at least 0, got -1"),
    ({"space.axes.genre": "western"}, "space.axes.genre: expected a list or a mapping, got text `western`"),
    (
        {"space.axes.genre": ["a", None]},
        "space.axes.genre[1]: expected text, an integer, a number or true/false, got nothing (null)",
    ),
    (
        {"space.axes.genre": {"values": {"very grim": 0}}},
        'space.axes.genre.values["very grim"]: expected at least 1, got 0',
    ),
    (
        {"space.axes": {"my axis": ["a"]}},
        f'space.axes["my axis"]: as a name, expected {IDENTIFIER}, got text `my axis`',
    ),
    (
        {"name": "Plots\n"},
        "name: expected lower-case letters, digits and -, at most 63 of them, the first not a -, got text `Plots\\n`",
    ),
    (
        {"name": "plots\n"},
        "name: expected lower-case letters, digits and -, at most 63 of them, the first not a -, got text `plots\\n`",
    ),
]


@pytest.mark.parametrize(("changes", "message"), FIELD_PROBLEMS, ids=[message for _, message in FIELD_PROBLEMS])
def test_a_field_that_does_not_fit_is_told_with_its_path(changes: dict[str, Any], message: str) -> None:
    assert problem(json.dumps(changed(changes)), "json") == message


SYNTAX_PROBLEMS: list[tuple[Form, str | bytes, str]] = [
    ("yaml", "a: b: c", "line 1, column 5: mapping values are not allowed in this context"),
    ("yaml", "name: x\nname: y", "line 2, column 1: the key `name` stands twice in one mapping"),
    ("yaml", "a:\n  - {b: 1, b: 2}", "line 2, column 12: the key `b` stands twice in one mapping"),
    ("yaml", "a: 1\n---\nb: 1", "line 2, column 1: a second document starts here; a spec is one document"),
    ("yaml", "a: !!map [x]", "line 1, column 4: tags such as `tag:yaml.org,2002:map` are not offered"),
    ("yaml", "a: *x", "line 1, column 4: the alias `*x` has no anchor before it"),
    ("yaml", "? [a]\n: b", "line 1, column 3: a key must be plain text"),
    ("yaml", "[" * 100_000, "line 1, column 65: nested deeper than 64 levels"),
    ("yaml", "a: \x01", "line 1, column 4: YAML does not allow the character U+0001"),
    ("yaml", b"name: \xff", "line 1: not UTF-8 text (byte 0xff)"),
    ("yaml", "", "expected a mapping, got nothing (null)"),
    ("yaml", "plots", "expected a mapping, got text `plots`"),
    ("json", '{"a": 1,\n "b" 2}', "line 2, column 6: Expecting ':' delimiter"),
    ("json", '{"a": {"b": 1, "b": 2}}', "the key `b` stands twice in one object"),
    ("json", '{"a": NaN}', "`NaN` is not a number of JSON"),
    ("json", '{"name": "\\ud800"}', "name: text with half of a surrogate pair, which is no character"),
    ("json", '{"seed": 1e999}', "seed: a number beyond the range of floating point"),
    ("json", "[" * 100_000, "nested deeper than 64 levels"),
    ("json", "[" * 70 + "]" * 70, "nested deeper than 64 levels"),
    ("json", '{"seed": ' + "9" * 5000 + "}", "an integer has too many digits"),
    ("toml", "a = ", "Invalid value (at end of document)"),
    ("toml", "a = 1\na = 2\n", "Cannot overwrite a value (at line 2, column 6)"),
    ("toml", "name = 2024-05-01", "name: a date is not a value of a spec; put it in quotes to mean text"),
    ("toml", "a" + ".a" * 100_000 + " = 1", "a dotted key has 64 parts or more"),
    ("toml", "a = " + "[" * 100_000, "nested deeper than 64 levels"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "text", "message"), SYNTAX_PROBLEMS, ids=[message for *_, message in SYNTAX_PROBLEMS])
def test_bad_syntax_is_told_with_its_place(form: Form, text: str | bytes, message: str) -> None:
    assert problem(text, form) == message


def test_a_tab_that_indents_is_called_one() -> None:
    assert problem("name:\n\t- x").endswith("indent with spaces, not with a tab")


def test_aliases_that_expand_without_end_are_refused() -> None:
    levels = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)]
    bomb = "\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x, x]", *levels])
    assert problem(bomb) == "line 6, column 55: more than 1,000,000 values, aliases written out"


def test_an_alias_is_its_anchor_again() -> None:
    text = YAML + "shards: &s {records: 7}\n"
    text = text.replace("genre: [western]", "genre: &g [western], other: *g")
    assert parse_spec(text.encode(), "yaml").space.axes == {"genre": ["western"], "other": ["western"]}


def test_yaml_scalars_are_what_a_person_means() -> None:
    values = (
        "[no, yes, off, ON, 12:30, 2024-05-01, 1_000, .inf, true, False, 7, -7, 0o17, 0x1F, 1.5, 1e3, 1.0e3, '7', =]"
    )
    read = axis_of(values)
    expected = ["no", "yes", "off", "ON", "12:30", "2024-05-01", "1_000", ".inf", True, False]
    expected += [7, -7, 15, 31, 1.5, 1000, 1000.0, "7", "="]
    assert read == expected
    assert [type(value) for value in read] == [type(value) for value in expected]


def test_a_tag_makes_text_of_a_number() -> None:
    assert axis_of("[!!str 7, ! 8]") == ["7", "8"]


def test_yaml_keys_are_text_as_written() -> None:
    assert axis_of("{values: {1: 3, 1.50: 1, yes: 2, null: 4, '2': 5}}") == Axis(
        values={"1": 3, "1.50": 1, "yes": 2, "null": 4, "2": 5}
    )


def test_a_byte_order_mark_is_no_part_of_the_spec() -> None:
    assert parse_spec(b"\xef\xbb\xbf" + YAML.encode(), "yaml") == parse_spec(YAML.encode(), "yaml")


def test_the_three_forms_tell_one_spec() -> None:
    toml = """
        name = "plots"
        seed = 1e3
        [space.axes]
        genre = ["western"]
        [[steps]]
        name = "plot"
        prompt = "Write."
        [[examples]]
        name = "outline"
        prompt = ""
        completion = "{{ plot }}"
    """
    document = {
        "name": "plots",
        "space": {"axes": {"genre": ["western"]}},
        "steps": [{"name": "plot", "prompt": "Write."}],
        "examples": [{"name": "outline", "prompt": "", "completion": "{{ plot }}"}],
    }
    yaml = parse_spec((YAML + "seed: 1e3").encode(), "yaml")
    assert yaml.seed == 1000
    assert parse_spec(toml.encode(), "toml") == yaml
    assert parse_spec((json.dumps(document)[:-1] + ', "seed": 1e3}').encode(), "json") == yaml


@pytest.mark.parametrize("name", ["plots.yaml", "plots.yml", "PLOTS.YAML"])
def test_a_file_is_read_by_its_suffix(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(YAML, encoding="utf-8")
    assert load_spec(tmp_path / name).name == "plots"


def test_troubles_of_a_file_name_the_file(tmp_path: Path) -> None:
    def trouble(name: str, content: bytes | None = None) -> str:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(SpecError) as raised:
            load_spec(path)
        return str(raised.value).replace(str(tmp_path), "HERE")

    assert trouble("plots.txt") == "HERE/plots.txt: the name of a spec ends in one of `.yaml`, `.yml`, `.json`, `.toml`"
    assert trouble("none.yaml") == "HERE/none.yaml: cannot be read: No such file or directory"
    assert trouble("latin.yaml", b"a: \xe9") == "HERE/latin.yaml: line 1: not UTF-8 text (byte 0xe9)"
    assert trouble("broken.json", b"{") == (
        "HERE/broken.json: line 1, column 2: Expecting property name enclosed in double quotes"
    )
    assert trouble("big.yaml", b"#" * (16 * 2**20 + 1)) == (
        "HERE/big.yaml: larger than 16 MiB; long axes belong in files of their own"
    )
    assert trouble("field.yaml", b"name: 7") == "name: expected text, got 7"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PLACES = [
    "name", "space", "space.axes", "space.axes.genre", "space.axes.place.0", "space.where", "space.limit",
    "steps", "steps.0", "steps.0.name", "steps.0.prompt", "steps.1.parameters", "steps.1.attempts", "space.order",
    "space.draws", "filters.0.min_chars",
    "filters.0.matching", "examples.0", "examples.0.messages", "examples.1", "split", "dedup", "budget.usd", "limits",
    "shards.compress", "target", "seed", "other", "space.axes.genre",
]  # fmt: skip


def outcome(text: bytes, form: Form) -> JobSpec | str:
    """The spec or the one line that says why there is none; any other exception fails the test."""
    try:
        return parse_spec(text, form)
    except SpecError as error:
        message, problem = str(error), error.problem
    assert message.isprintable()
    assert not problem.startswith(("Expected `", "Invalid enum", "Object "))  # msgspec's own words
    return message


@given(st.dictionaries(st.sampled_from(PLACES), JSON_VALUES, max_size=3))
def test_any_mapping_gives_a_spec_or_one_line(changes: dict[str, Any]) -> None:
    try:
        text = json.dumps(changed(changes))
    except (TypeError, KeyError, IndexError, AttributeError):  # a change has taken away the place of the next one
        return
    as_json, as_yaml = outcome(text.encode(), "json"), outcome(text.encode(), "yaml")
    if isinstance(as_json, JobSpec) and isinstance(as_yaml, JobSpec):
        assert as_json == as_yaml


@given(JSON_VALUES)
def test_any_document_gives_a_spec_or_one_line(document: object) -> None:
    assert isinstance(outcome(json.dumps(document).encode(), "json"), str)


@given(
    st.binary() | st.text(alphabet="ab:-[]{}&*!|>'\"#%?,\n\t .0e=").map(str.encode),
    st.sampled_from(["yaml", "json", "toml"]),
)
def test_any_bytes_give_one_line(text: bytes, form: Form) -> None:
    assert isinstance(outcome(text, form), str)


def test_the_document_of_these_tests_is_valid() -> None:
    assert parse_spec(json.dumps(DOCUMENT).encode(), "json").name == "plots"
