"""Our evaluation of Jinja2's trees against Jinja2's own: where ours gives text, it is the same text."""

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jinja2 import StrictUndefined, TemplateError, pass_environment
from jinja2.filters import do_unique
from jinja2.sandbox import SandboxedEnvironment

from corpusmill.spec.errors import RenderError
from corpusmill.spec.template import Template, compile_template
from tests.spec.test_template import Labelled

JINJA = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
# Jinja2 gives a generator, which is of use only inside another filter; here it is a list.
JINJA.filters["unique"] = pass_environment(lambda *arguments, **options: list(do_unique(*arguments, **options)))
VALUES: dict[str, object] = {
    "a": "Some text, or other",
    "b": "x",
    "n": 3,
    "f": 2.5,
    "t": True,
    "xs": ["b", "A", "b", "c d"],
    "ns": [3, 1, 2],
    "m": {"k": "v", "l": 2},
}

TEXTS = st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]), max_size=12)
SCALARS = TEXTS | st.integers(-(2**63), 2**63) | st.floats() | st.booleans() | st.none() | TEXTS.map(Labelled)


@given(
    st.lists(TEXTS | st.sampled_from(["{{ a }}", "{{ b }}", "{{b}}", "{{- c -}}", "{{ a }}\n"]), max_size=8),
    st.fixed_dictionaries(dict.fromkeys("abc", SCALARS | st.lists(SCALARS, max_size=3))),
)
def test_text_and_plain_variables_are_joined_as_jinja_does(parts: list[str], values: dict[str, Any]) -> None:
    source = "".join(parts)
    assert compile_template(source).render(values) == JINJA.from_string(source).render(values)


ATOMS = st.sampled_from(
    ["a", "b", "n", "f", "t", "xs", "ns", "m", "m.k", "m['l']", "missing", "m.missing", "xs[1]", "a[2:5]", "xs[::-1]",
     "''", "'Some'", "0", "2", "1.5", "-1", "none", "true", "[]", "['x', n]", "{'k': b}", "(n, 1)", "a.upper()",
     "a.split(',')"]
)  # fmt: skip
BINARY = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", ">=", "in", "not in", "and", "or"]
FILTERS = ["upper", "lower", "capitalize", "title", "trim", "trim('xS')", "replace('e', 'EE')", "replace('', '-', 2)",
           "truncate(8)", "truncate(9, true, '!')", "wordcount", "string", "abs", "round", "round(1)", "int", "int(7)",
           "float", "length", "first", "last", "join", "join('-')", "sort", "sort(true)", "sort(case_sensitive=true)",
           "unique", "list", "sum", "min", "max", "default('d')", "default('d', true)"]  # fmt: skip
TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "true", "false", "mapping",
         "sequence", "iterable", "even", "odd", "divisibleby 2", "eq 2", "in xs", "lt 3", "ge 2", "ne 'x'"]  # fmt: skip

EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(BINARY), inner)
        | st.builds("({} | {})".format, inner, st.sampled_from(FILTERS))
        | st.builds("({} is {})".format, inner, st.sampled_from(TESTS))
        | st.builds("(not {})".format, inner)
        | st.builds("(-{})".format, inner)
        | st.builds("({} if {} else {})".format, inner, inner, inner)
        | st.builds("({} < {} <= {})".format, inner, inner, inner)
    ),
    max_leaves=6,
)
TARGETS = st.sampled_from(["a", "n", "i", "x"])
STATEMENTS = st.recursive(
    st.builds("{{{{ {} }}}}".format, EXPRESSIONS | TARGETS) | st.sampled_from(["text\n", " ", "{# remark #}"]),
    lambda inner: (
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, EXPRESSIONS, inner, inner)
        | st.builds("{{% if {} %}}{}{{% elif {} %}}{}{{% endif %}}".format, EXPRESSIONS, inner, EXPRESSIONS, inner)
        | st.builds("{{% for {} in {} %}}{}{{{{ loop.index }}}}{{% endfor %}}".format, TARGETS, EXPRESSIONS, inner)
        | st.builds("{{% for {0} in {1} if {0} %}}{2}{{% else %}}-{{% endfor %}}".format, TARGETS, EXPRESSIONS, inner)
        | st.builds("{{% set {} = {} %}}{}".format, TARGETS, EXPRESSIONS, inner)
        | st.builds("{}{}".format, inner, inner)
    ),
    max_leaves=5,
)


@settings(max_examples=150)
@given(STATEMENTS)
def test_what_renders_here_renders_alike_in_jinja(source: str) -> None:
    try:
        rendered = compile_template(source).render(VALUES)
    except RenderError:
        assume(False)
    assert rendered == JINJA.from_string(source).render(VALUES)


REASONS = (
    "cannot take",
    "no elements",
    "no length",
    "takes text",
    "takes a number",
    "takes a list",
    "cannot look for",
    "the result of `",
)


@settings(max_examples=150)
@given(STATEMENTS)
def test_what_jinja_renders_is_refused_only_for_its_types(source: str) -> None:
    """Jinja2 gives some operators to more types than we do; for nothing else may its text be refused here."""
    assume("missing" not in source)  # Jinja2 does not look at some operands, such as those of `%` on text
    try:
        JINJA.from_string(source).render(VALUES)
    except (TemplateError, TypeError, ValueError, ArithmeticError, AttributeError, AssertionError):
        assume(False)
    try:
        compile_template(source).render(VALUES)
    except RenderError as error:
        problem = str(error)
    else:
        return
    assert any(reason in problem for reason in REASONS), problem


@settings(max_examples=150)
@given(STATEMENTS)
def test_the_names_that_a_template_reads_are_enough_to_render_it(source: str) -> None:
    template = compile_template(source)
    few = {name: value for name, value in VALUES.items() if name in template.variables}
    assert outcome(template, few) == outcome(template, VALUES)


def outcome(template: Template, values: dict[str, object]) -> str:
    try:
        return template.render(values)
    except RenderError as error:
        return f"refused: {error}"
