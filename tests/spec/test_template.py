"""Templates: what they render, what they read, and how they refuse."""

import pytest

from corpusmill.spec.errors import RenderError, TemplateError
from corpusmill.spec.template import compile_expression, compile_template


class Labelled(str):
    """An axis value as the space gives it."""

    __slots__ = ()

    @property
    def label(self) -> str:
        return self.partition(": ")[0]

    @property
    def definition(self) -> str:
        return self.partition(": ")[2]


VALUES: dict[str, object] = {
    "genre": "western",
    "place": Labelled("Rome: a city"),
    "draw": 3,
    "tags": ["b", "A", "c", "a"],
    "notes": {"mood": "grim", "items": "many"},
}

RENDERED = {
    "": "",
    "plain {text}\n": "plain {text}\n",
    "{{ genre }}\n": "western\n",
    "{# a remark #}{{ genre }} {% raw %}{{ genre }}{% endraw %}": "western {{ genre }}",
    "<b>{{ '<i>' }}": "<b><i>",
    "{{ place }}|{{ place.label }}|{{ place.definition }}|{{ place['label'] }}": "Rome: a city|Rome|a city|Rome",
    "{{ place | upper }}": "ROME: A CITY",
    "{{ notes.mood }} {{ notes.items }} {{ notes['mood'] }}": "grim many grim",
    "{{ notes.items() | length }} {{ notes.get('x', 'none') }}": "2 none",
    "{% for k, v in notes.items() %}{{ k }}={{ v }};{% endfor %}": "mood=grim;items=many;",
    "{% if draw > 2 and genre == 'western' %}yes{% else %}no{% endif %}": "yes",
    "{% if draw == 1 %}a{% elif draw == 3 %}b{% else %}c{% endif %}": "b",
    "{% for t in tags if t != 'c' %}{{ loop.index }}{{ t }}{% if not loop.last %},{% endif %}{% endfor %}": "1b,2A,3a",
    "{% for t in [] %}x{% else %}empty{% endfor %}": "empty",
    "{% set x = 1 %}{% for t in tags %}{{ x }}{% set x = x + 1 %}{{ x }} {% endfor %}{{ x }}": "12 12 12 12 1",
    "{% if draw %}{% set x = 'set' %}{% endif %}{{ x }}": "set",
    "{% set a, b = [1, 2] %}{{ b }}{{ a }}": "21",
    "{{ 'a' if draw == 3 else 'b' }}{{ 'x' if draw == 4 else 'y' }}": "ay",
    "{{ genre ~ draw ~ none }}": "western3None",
    "{{ 1 + 2 * 3 - 4 / 2 }} {{ 7 // 2 }} {{ 7 % 4 }} {{ -draw }} {{ 'ab' * 2 }}": "5.0 3 3 -3 abab",
    "{{ tags[0] }}{{ tags[-1] }}{{ tags[1:3] | join }}{{ genre[:4] }}{{ genre[::-1] }}": "baAcwestnretsew",
    "{{ tags | sort | join(', ') }} {{ tags | unique | join }}": "A, a, b, c bAc",
    "{{ tags | first }}{{ tags | last }}{{ tags | min }}{{ tags | max }}{{ [1, 2] | sum }}": "baAc3",
    "{{ 'one two  three' | truncate(7) }}|{{ 'one two' | wordcount }}|{{ \"don't go\" | title }}": "one...|2|Don't Go",
    "{{ ' x ' | trim }}{{ 'x--' | trim('-') }}{{ 'aXbX' | replace('X', '.', 1) }}": "xxa.bX",
    "{{ '7.9' | int }} {{ 'x' | int(5) }} {{ '1.5' | float }} {{ 2.567 | round(1) }} {{ (-3) | abs }}": "7 5 1.5 2.6 3",
    "{{ missing | default('none') }} {{ notes.x | d('y') }} {{ '' | default('z', true) }}": "none y z",
    "{{ missing is defined }} {{ genre is string }} {{ 4 is even }} {{ 9 is divisibleby 3 }}": "False True True True",
    "{{ 'es' in genre }} {{ 'b' not in tags }} {{ 'mood' in notes }} {{ 1 < 2 < 3 }}": "True False True True",
    "{{ {'a': [1, none, true], 'b': 'é<'} | tojson }}": '{"a": [1, null, true], "b": "é<"}',
    "{{ 'a b c'.split(' ') | length }} {{ 'abc'.removeprefix('a') }} {{ ','.join(tags) }}": "3 bc b,A,c,a",
    "{% for i in range(3) %}{{ i }}{% endfor %}": "012",
    "{%- set x = 1 -%}\n  {{ x }}\n  {%- if x %} y {%- endif %}": "1 y",
}


@pytest.mark.parametrize("source", RENDERED, ids=str)
def test_a_template_renders(source: str) -> None:
    assert compile_template(source).render(VALUES) == RENDERED[source]


READS: dict[str, tuple[set[str], set[tuple[str, str]]]] = {
    "text": (set(), set()),
    "{{ a }}{{ b.c }}{{ d['e'] }}{{ f[0] }}": ({"a", "b", "d", "f"}, {("b", "c"), ("d", "e")}),
    "{{ a.b.c }}": ({"a"}, {("a", "b")}),
    "{% for x in xs if x.y %}{{ x.z }}{{ loop.index }}{{ w }}{% endfor %}{{ x }}": ({"xs", "w", "x"}, set()),
    "{% set a = b %}{{ a.c }}": ({"b"}, set()),
    "{% if t %}{% set a = 1 %}{% endif %}{{ a }}": ({"t", "a"}, set()),
    "{% if t %}{% set a = 1 %}{% else %}{% set a = 2 %}{% endif %}{{ a }}": ({"t"}, set()),
    "{{ a | default(b) }}{{ c is defined }}": ({"a", "b", "c"}, set()),
    "{{ range(n) }}{{ t.upper() }}": ({"n", "t"}, set()),
    "{{ loop }}": ({"loop"}, set()),
}


@pytest.mark.parametrize("source", READS, ids=str)
def test_a_template_tells_what_it_reads(source: str) -> None:
    template = compile_template(source)
    assert (set(template.variables), set(template.attributes)) == READS[source]


MALFORMED = {
    "a\n{{ b": "line 2: unexpected end of template, expected 'end of print statement'",
    "{{ a ! }}": "line 1: unexpected char '!' at 5",
    "{% for %}": "line 1: expected an expression, got 'end of statement block'",
    "{{ a.__class__ }}": "line 1: `__class__` is not offered: names that begin with _ are closed",
    "\n{{ 2 ** 3 }}": "line 2: `**` is not offered in templates",
    "{% macro m() %}{% endmacro %}": "line 1: `{% macro %}` is not offered in templates; there are if, for and set",
    "{% set a %}x{% endset %}": "line 1: `{% set ... endset %}` is not offered in templates; there are if, for and set",
    "{% autoescape 1 %}{% endautoescape %}": "line 1: `{% autoescape %}` is not offered in templates; there are if, "
    "for and set",
    "{{ a | uppr }}": "line 1: the filter `uppr` is not offered; did you mean `upper`?",
    "{{ a is strange }}": "line 1: the test `strange` is not offered; did you mean `string`?",
    "{{ a.format(1) }}": "line 1: the method `format` is not offered; known here: `capitalize`, `endswith`, `join`, "
    "`lower`, `lstrip`, `removeprefix`, `removesuffix`, `replace`, `rstrip`, `split`, `startswith`, `strip`, ...",
    "{{ lipsum() }}": "line 1: only `range` and methods of values can be called",
    "{{ 'x' if a }}": "line 1: an `if` inside an expression needs an `else`",
    "{{ a | replace('x') }}": "line 1: `replace`: missing a required argument: 'new'",
    "{{ range(*a) }}": "line 1: arguments with * or ** are not offered",
    "{{ " + "(" * 200 + "1" + ")" * 200 + " }}": "line 1: nested deeper than 100 levels",
    "{{ 99999999999999999999 }}": "line 1: an integer of more than 64 bits",
}  # fmt: skip


@pytest.mark.parametrize("source", MALFORMED, ids=str)
def test_a_malformed_template_is_told_with_its_line(source: str) -> None:
    with pytest.raises(TemplateError) as raised:
        compile_template(source)
    assert str(raised.value) == MALFORMED[source]


UNFIT = {
    "{{ missing }}": "`missing` is not defined",
    "{{ missing | upper }}": "`missing` is not defined",
    "{% for i in missing %}{% endfor %}": "`missing` is not defined",
    "{{ genre.label }}": "`genre.label` is not defined",
    "{{ genre.upper }}": "`genre.upper` is not defined",
    "{{ notes.nothing }}": "`notes.nothing` is not defined",
    "{{ notes['nothing'] }}": "`['nothing']` is not defined",
    "{{ tags[9] }}": "`[9]` is not defined",
    "{{ [] | first }}": "the result of `first` is not defined",
    "{{ genre + 1 }}": "`+`: cannot take text and an integer",
    "{{ 1 / 0 }}": "`/`: division by zero",
    "{{ '%d' % 1 }}": "`%`: cannot take text and an integer",
    "{{ 1 < 'a' }}": "`<`: '<' not supported between instances of 'int' and 'str'",
    "{{ tags.upper() }}": "`upper`: a list has no such method",
    "{% for i in 3 %}{% endfor %}": "`for`: an integer has no elements to go through",
    "{% for a, b in [[1]] %}{% endfor %}": "a list does not give 2 values to 2 names",
    "{{ genre[0:1:0] }}": "`[:]`: slice step cannot be zero",
    "{{ 9223372036854775807 * 9223372036854775807 }}": "an integer of more than 64 bits",
}


@pytest.mark.parametrize("source", UNFIT, ids=str)
def test_a_template_that_does_not_fit_its_values_is_told(source: str) -> None:
    template = compile_template(source)
    with pytest.raises(RenderError) as raised:
        template.render(VALUES)
    assert str(raised.value) == UNFIT[source]


class Opaque:
    """A value of no type that templates may see; touching it ends the test."""

    secret = 7

    def __str__(self) -> str:
        raise AssertionError("printed")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")

    __hash__ = None  # type: ignore[assignment]  # not to be used as a key either

    def __getitem__(self, key: object) -> object:
        raise AssertionError("subscribed")

    def __len__(self) -> int:
        raise AssertionError("measured")

    def __call__(self) -> object:
        raise AssertionError("called")


@pytest.mark.parametrize(
    "expression",
    ["x", "x.secret", "x['secret']", "x == x", "x in [1]", "1 in x", "x | length", "x | string", "x | list", "x[0]",
     "x[1:]", "[x] | tojson", "[x] | join", "{1: x} | string", "x ~ 'a'", "x + 1", "[x, x] | sort", "x | default('')"],
)  # fmt: skip
def test_objects_are_closed(expression: str) -> None:
    with pytest.raises(RenderError):
        compile_template("{{ " + expression + " }}").render({"x": Opaque()})


def test_an_expression_evaluates() -> None:
    expression = compile_expression("not (genre == 'western' and place.label in ('Rome', 'Paris'))")
    assert expression.variables == {"genre", "place"}
    assert expression.attributes == {("place", "label")}
    assert expression.evaluate(VALUES) is False
    assert expression.evaluate({**VALUES, "genre": "horror"}) is True
    with pytest.raises(RenderError, match="`place` is not defined"):
        expression.evaluate({"genre": "western"})


@pytest.mark.parametrize("source", ["", "a b", "a }}", "{{ a }}", "a = 1", "a if", "f(x)"])
def test_a_malformed_expression_is_told(source: str) -> None:
    with pytest.raises(TemplateError):
        compile_expression(source)


def test_rendering_leaves_the_values_as_they_are() -> None:
    values = {"xs": [2, 1]}
    compile_template("{% set ys = xs | sort %}{% for xs in ys %}{% endfor %}{% set xs = 3 %}{{ xs }}").render(values)
    assert values == {"xs": [2, 1]}


def test_the_output_is_bounded_where_it_is_only_joined() -> None:
    template = compile_template("{{ a }}{{ a }}")
    assert len(template.render({"a": "x" * 500_000})) == 1_000_000
    with pytest.raises(RenderError, match="longer than 1,000,000 characters"):
        template.render({"a": "x" * 500_001})
