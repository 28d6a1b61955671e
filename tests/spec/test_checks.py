"""What must hold between the fields of a spec: each fault has its line, and sound specs pass."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.spec.checks import check_spec
from corpusmill.spec.errors import SpecError
from tests.spec.documents import DELETE, spec

FAULTS: dict[str, list[tuple[dict[str, Any], str]]] = {
    "names": [
        ({"steps.1.name": "premise"}, "steps[1].name: `premise` is the name of steps[0] already"),
        ({"steps.1.name": "genre"}, "steps[1].name: `genre` is the name of an axis; choose another"),
        (
            {"steps.1.name": "nonce"},
            "steps[1].name: `nonce` is reserved: every template can read it already; choose another name",
        ),
        (
            {"space.axes.draw": ["a"]},
            "space.axes.draw: `draw` is reserved: every template can read it already; choose another name",
        ),
        ({"space.axes.not": ["a"]}, "space.axes.not: `not` is a word of the template language; choose another name"),
        (
            {"examples.1": {"name": "outline", "prompt": "", "completion": "x"}},
            "examples[1].name: `outline` is the name of examples[0] already",
        ),
    ],
    "axes": [
        ({"space.axes.genre": []}, "space.axes.genre: an axis has at least one value"),
        ({"space.axes.genre": {"values": {}}}, "space.axes.genre.values: an axis has at least one value"),
        ({"space.axes.genre": ["a", " "]}, "space.axes.genre[1]: expected text that is not empty"),
        (
            {"space.axes.genre": ["a", "b", "a"]},
            "space.axes.genre: the value `a` stands twice; give it a weight of 2 to have it twice",
        ),
        (
            {"space.axes.genre": {"values": [1, "1"]}},
            "space.axes.genre.values: the value `1` stands twice; give it a weight of 2 to have it twice",
        ),
        ({"space.axes.genre": {}}, "space.axes.genre: has neither `values` nor `file`; an axis has one of them"),
        (
            {"space.axes.genre": {"values": ["a"], "file": "x"}},
            "space.axes.genre: has both `values` and `file`; an axis has one of them",
        ),
        (
            {"space.axes.genre": {"values": {"a": ["b"]}}},
            "space.axes.genre.values.a: a list needs `within`, the axis it depends on; a weight is an integer",
        ),
        (
            {"space.axes.city": {"within": "genre", "values": ["a"]}},
            "space.axes.city: with `within`, `values` maps each value of `genre` to a list",
        ),
        (
            {"space.axes.city": {"within": "genre", "file": "cities.txt"}},
            "space.axes.city: with `within`, `values` maps each value of `genre` to a list",
        ),
        (
            {"space.axes.city": {"within": "genre", "values": {"western": 3, "horror": ["a"]}}},
            "space.axes.city.values.western: with `within`, expected the list of values that go with it, not a weight",
        ),
        (
            {"space.axes.city": {"within": "genre", "values": {"western": [], "horror": ["a"]}}},
            "space.axes.city.values.western: an axis has at least one value",
        ),
        (
            {"space.axes.city": {"within": "gener", "values": {"western": ["a"]}}},
            "space.axes.city.within: there is no axis `gener`; did you mean `genre`?",
        ),
        (
            {"space.axes.city": {"within": "city", "values": {"western": ["a"]}}},
            "space.axes.city.within: axes cannot depend on each other in a circle: `city` within `city`",
        ),
        (
            {
                "space.axes.a": {"within": "b", "values": {"x": ["y"]}},
                "space.axes.b": {"within": "c", "values": {"x": ["x"]}},
                "space.axes.c": {"within": "b", "values": {"x": ["x"]}},
            },
            "space.axes.a.within: axes cannot depend on each other in a circle: `b` within `c` within `b`",
        ),
        (
            {"space.axes.city": {"within": "genre", "values": {"western": ["a"], "horor": ["b"]}}},
            "space.axes.city.values.horor: `horor` is not a value of `genre`; did you mean `horror`?",
        ),
        (
            {"space.axes.city": {"within": "genre", "values": {"western": ["a"]}}},
            "space.axes.city.values: the value `horror` of `genre` is missing",
        ),
        (
            {"space.axes.flag": [True, 1.5], "space.axes.sub": {"within": "flag", "values": {"true": ["a"]}}},
            "space.axes.sub.values: the value `1.5` of `flag` is missing",
        ),
    ],
    "templates": [
        ({"steps.0.prompt": "A {{ gnere }}"}, "steps[0].prompt: `gnere` is not defined; did you mean `genre`?"),
        ({"steps.0.system": "{{ plce }}"}, "steps[0].system: `plce` is not defined; did you mean `place`?"),
        (
            {"steps.0.prompt": "{{ zzzzzz }}"},
            "steps[0].prompt: `zzzzzz` is not defined; known here: `genre`, `place`, `nonce`, `index`, `draw`",
        ),
        (
            {"steps.0.prompt": "{% if plot %}x{% endif %}"},
            "steps[0].prompt: `plot` is a later step; a prompt reads the steps before its own",
        ),
        (
            {"steps.1.system": "{{ plot }}"},
            "steps[1].system: `plot` is this step itself; a prompt reads the steps before its own",
        ),
        (
            {"steps.1.prompt": "a\nb {% endif %}"},
            "steps[1].prompt: line 2: encountered unknown tag 'endif'",
        ),
        (
            {"steps.1.prompt": "{{ premise | uper }}"},
            "steps[1].prompt: line 1: the filter `uper` is not offered; did you mean `upper`?",
        ),
        (
            {"steps.1.prompt": "{{ premise.title }}"},
            "steps[1].prompt: `premise.title` is not defined: `premise` is plain text",
        ),
        (
            {"examples.0.completion": "{{ plto }}"},
            "examples[0].completion: `plto` is not defined; did you mean `plot`?",
        ),
        (
            {"examples.0.prompt": "\n\n{{ }}"},
            "examples[0].prompt: line 3: expected an expression, got 'end of print statement'",
        ),
        (
            {
                "examples.0": {
                    "name": "chat",
                    "messages": [{"role": "user", "content": "{{ gnre }}"}, {"role": "assistant", "content": "a"}],
                }
            },
            "examples[0].messages[0].content: `gnre` is not defined; did you mean `genre`?",
        ),
        ({"space.where": "genre = 'a'"}, "space.where: line 1: unexpected `=`; to compare, write `==`"),
        ({"space.where": "genre 7"}, "space.where: line 1: unexpected `7` after the end of the expression"),
        ({"space.where": "gnere == 'a'"}, "space.where: `gnere` is not defined; did you mean `genre`?"),
        (
            {"space.where": "plot == 'a'"},
            "space.where: `plot` is not an axis: combinations are chosen by their axes alone",
        ),
        (
            {"space.where": "index < 3"},
            "space.where: `index` is not an axis: combinations are chosen by their axes alone",
        ),
        (
            {"steps.0.prompt": "{{ genre.label }}"},
            "steps[0].prompt: `genre.label` needs values such as `label: definition`, but `western` has no `: `",
        ),
        (
            {"space.axes.city": {"within": "genre", "values": {"western": ["a: b"], "horror": [7]}},
             "space.where": "city['label'] == 'a'"},
            "space.where: `city.label` needs values such as `label: definition`, but `7` has no `: `",
        ),
        (
            {"steps.0.prompt": "{{ place.defintion }}"},
            "steps[0].prompt: `place.defintion` is not defined; did you mean `definition`?",
        ),
    ],
    "parameters": [
        (
            {"steps.0.parameters": {"model": "x"}},
            "steps[0].parameters.model: cannot be set: the engine sets it, from the step's `model`",
        ),
        (
            {"steps.0.parameters": {"messages": []}},
            "steps[0].parameters.messages: cannot be set: the engine sets it, from `prompt` and `system`",
        ),
        (
            {"steps.0.parameters": {"prompt": "x"}},
            "steps[0].parameters.prompt: cannot be set: the engine sets it, from the step's `prompt`",
        ),
        (
            {"steps.1.parameters": {"stream": False}},
            "steps[1].parameters.stream: cannot be set: streams are not read",
        ),
        (
            {"steps.1.parameters": {"stream_options": {}}},
            "steps[1].parameters.stream_options: cannot be set: streams are not read",
        ),
        ({"steps.1.parameters": {"n": 0}}, "steps[1].parameters.n: expected at least 1, got 0"),
        ({"steps.1.parameters": {"n": 129}}, "steps[1].parameters.n: expected at most 128, got 129"),
        ({"steps.1.parameters": {"n": 2.0}}, "steps[1].parameters.n: expected an integer, got 2.0"),
        ({"steps.1.parameters": {"n": True}}, "steps[1].parameters.n: expected an integer, got true"),
        ({"steps.0.parameters": {"max_tokens": 0}}, "steps[0].parameters.max_tokens: expected at least 1, got 0"),
        ({"steps.0.parameters": {"temperature": -1}}, "steps[0].parameters.temperature: expected at least 0, got -1"),
        ({"steps.0.parameters": {"top_p": 1.5}}, "steps[0].parameters.top_p: expected at most 1, got 1.5"),
        (
            {"steps.0.parameters": {"temperature": "hot"}},
            "steps[0].parameters.temperature: expected a number, got text `hot`",
        ),
    ],
    "filters": [
        ({"filters.0.of": "plto"}, "filters[0].of: there is no step `plto`; did you mean `plot`?"),
        ({"dedup": {"of": "genre"}}, "dedup.of: there is no step `genre`; known here: `premise`, `plot`, `record`"),
        (
            {"filters.0.min_chars": DELETE},
            "filters[0]: judges nothing: give it a condition, such as `min_chars` or `no_refusal: true`",
        ),
        (
            {"filters.0.max_chars": 99},
            "filters[0].max_chars: 99 is less than `min_chars`, 100: nothing would be kept",
        ),
        (
            {"filters.0.min_words": 5, "filters.0.max_words": 4},
            "filters[0].max_words: 4 is less than `min_words`, 5: nothing would be kept",
        ),
        (
            {"filters.0.matching": "(abc"},
            "filters[0].matching: not a regular expression in RE2's syntax: missing ): (abc",
        ),
        (
            {"filters.0.not_matching": "a(?=b)"},
            "filters[0].not_matching: not a regular expression in RE2's syntax: invalid perl operator: (?=",
        ),
    ],
    "outputs": [
        (
            {"split": {"validation": 0.1, "by": "gerne"}},
            "split.by: expected `item` or an axis, got `gerne`; did you mean `genre`?",
        ),
        ({"examples.0.completion": DELETE}, "examples[0].completion: missing: a `prompt` needs its `completion`"),
        (
            {"examples.0.prompt": DELETE},
            'examples[0].prompt: missing: a `completion` needs its `prompt`, which may be ""',
        ),
        (
            {"examples.0": {"name": "outline"}},
            "examples[0]: needs `messages`, or `prompt` and `completion`",
        ),
        (
            {"examples.0.messages": [{"role": "assistant", "content": "a"}]},
            "examples[0]: has both `messages` and `prompt` or `completion`; an example has one form",
        ),
        (
            {"examples.0": {"name": "chat", "messages": [{"role": "user", "content": "a"}]}},
            "examples[0].messages: the last message is the user's; an example ends with the assistant's",
        ),
        (
            {"examples.0.chosen": "a", "examples.0.rejected": "b"},
            "examples[0]: has both `completion` and `chosen` or `rejected`; an example has one form",
        ),
        (
            {"examples.0": {"name": "pair", "prompt": "", "chosen": "a"}},
            "examples[0].rejected: missing: `chosen` needs a text that it is compared with",
        ),
        (
            {"examples.0": {"name": "pair", "chosen": "a", "rejected": "b"}},
            'examples[0].prompt: missing: a `chosen` needs its `prompt`, which may be ""',
        ),
        (
            {"examples.0.pairs": {"of": "plot", "by": "plot"}},
            "examples[0].pairs: is for `chosen` and `rejected`",
        ),
        (
            {"examples.0.roles": {"A": "user"}},
            "examples[0].roles: is for `conversation`",
        ),
        (
            {"examples.0.forms": ["a", "b"]},
            "examples[0].forms: nothing reads `form`; leave `prompt` out, or write {{ form }} in it",
        ),
        (
            {"examples.0.when": "element == 1"},
            ("examples[0].when: `element` is not defined; known here: `genre`, `place`, `nonce`, `index`, `draw`, "
            "`premise`, `plot`"),
        ),
        (
            {"examples.0": {"name": "chat", "conversation": "plot", "format": {}}},
            "examples[0].format: is for `prompt` and `completion`; a chat has its template's marks",
        ),
        (
            {"space.limit": 5, "target": {"kept": 6}},
            "target.kept: 6 items cannot be kept of the 5 of `space.limit`",
        ),
    ],
}  # fmt: skip
CASES = [(changes, message) for cases in FAULTS.values() for changes, message in cases]


@pytest.mark.parametrize(("changes", "message"), CASES, ids=[message for _, message in CASES])
def test_a_fault_is_told_in_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as raised:
        check_spec(spec(changes))
    assert str(raised.value) == message


SOUND: list[dict[str, Any]] = [
    {},
    {"steps.0.prompt": "{% for i in range(3) %}{{ loop.index }}{% endfor %}{{ place.definition }}{{ index }}"},
    {"steps.0.prompt": "{% set label = place.label %}{{ label.upper() }}"},
    {"space.axes.city": {"within": "genre", "values": {"western": ["a", "b"], "horror": ["a"]}}},
    {"space.axes.flag": [True, False], "space.axes.sub": {"within": "flag", "values": {"true": [1], "false": [2]}}},
    {"space.axes.where": {"file": "w.txt"}, "space.axes.sub": {"within": "where", "values": {"any": [1]}}},
    {"space.axes.where": {"file": "w.txt"}, "steps.0.prompt": "{{ where.definition }}"},
    {"space.where": "not (genre == 'western' and place.label in ['Fuji'])"},
    {"steps.1.parameters": {"n": 128, "temperature": 0, "top_p": 1, "frequency_penalty": -2, "stop": ["END"]}},
    {"steps.0.parameters": {"n": 1}},
    {"filters.0.not_matching": "(?i)as an ai"},
    {"dedup": {"of": "premise"}, "split": {"validation": 0.1, "by": "place"}, "space.limit": 5, "target": {"kept": 5}},
    {"examples.0": {"name": "chat", "messages": [{"role": "assistant", "content": "{{ nonce }} {{ premise }}"}]}},
]  # fmt: skip


@pytest.mark.parametrize("changes", SOUND, ids=str)
def test_a_sound_spec_passes(changes: dict[str, Any]) -> None:
    check_spec(spec(changes))


@given(st.sampled_from(CASES), st.sampled_from(CASES))
def test_two_faults_are_still_one_line(first: tuple[dict[str, Any], str], second: tuple[dict[str, Any], str]) -> None:
    places = [tuple(path.split(".")) for path in (*first[0], *second[0])]
    clash = any(a != b and (a == b[: len(a)] or b == a[: len(b)]) for a in places for b in places)
    if clash:
        return
    with pytest.raises(SpecError) as raised:
        check_spec(spec(second[0] | first[0]))
    assert str(raised.value).isprintable()


def test_a_step_that_goes_back_to_no_step_is_refused_like_any_other_wrong_name() -> None:
    with pytest.raises(SpecError, match=r"^steps\[1\]\.back_to: there is no step `prelude`"):
        check_spec(spec({"steps.1.back_to": "prelude"}))


def test_text_of_a_wrong_form_is_told_whatever_the_form() -> None:
    with pytest.raises(SpecError, match=r"^filters\[0\]\.language\[0\]: expected .*, got text `English`"):
        spec({"filters.0.language": ["English"]})
