"""Templates of prompts and examples: Jinja2's syntax, no access to Python, bounded work.

A template reads the values it is given and nothing else: no files, no clock, no randomness. A rendering ends after at
most 100,000 evaluated nodes, 10,000,000 characters read or made, and 1,000,000 characters of output, whichever comes
first. A template of only text and `{{ name }}` is a join of its parts.
"""

from collections.abc import Callable, Mapping

import msgspec
from jinja2 import nodes

from corpusmill.spec.errors import RenderError

from .budget import MAX_OUTPUT_CHARS, MAX_WORK, NODE_WORK, Budget, weight
from .expressions import compile_value
from .reference import Reference
from .scope import Scope, Uses
from .statements import compile_block
from .syntax import parse_expression, parse_template
from .values import AXIS_VALUE_ATTRIBUTES, text_of

__all__ = [
    "AXIS_VALUE_ATTRIBUTES",
    "Expression",
    "Reference",
    "Template",
    "Values",
    "compile_expression",
    "compile_template",
    "require_readable",
]

Values = Mapping[str, object]
"""What a template reads: name -> text, number, boolean, None, list, mapping, or a reference to a text."""


class Template(msgspec.Struct, frozen=True):
    """A compiled template.

    Attributes:
        variables: the names it reads.
        attributes: (name, attribute) for each attribute it reads of such a name.
        render: values -> text; raises RenderError where a name is not among the values, an operation does not fit its
            operands, or a bound is reached. The text is as written, a newline at its end included.
    """

    variables: frozenset[str]
    attributes: frozenset[tuple[str, str]]
    render: Callable[[Values], str]


class Expression(msgspec.Struct, frozen=True):
    """A compiled expression.

    Attributes:
        variables: the names it reads.
        attributes: (name, attribute) for each attribute it reads of such a name.
        evaluate: values -> what the expression tells; raises RenderError as `Template.render`.
    """

    variables: frozenset[str]
    attributes: frozenset[tuple[str, str]]
    evaluate: Callable[[Values], object]


def compile_template(source: str) -> Template:
    """A template from its source.

    Raises:
        TemplateError: the source is malformed, too large, or uses what templates here do not offer.
    """
    tree = parse_template(source)
    uses = Uses()
    execute = compile_block(tree.body, Scope(uses))
    parts = _plain_parts(tree)
    render = _joining(parts) if parts is not None else _executing(execute, NODE_WORK * uses.nodes)
    return Template(frozenset(uses.variables), frozenset(uses.attributes), render)


def compile_expression(source: str) -> Expression:
    """An expression, such as `genre == "western" and place in ("Rome", "Paris")`, from its source.

    Raises:
        TemplateError: as `compile_template`.
    """
    tree = parse_expression(source)
    uses = Uses()
    compute = compile_value(tree, Scope(uses))
    work = NODE_WORK * uses.nodes

    def evaluate(values: Values) -> object:
        budget = Budget()
        budget.spend(work)
        return compute(values, budget)

    return Expression(frozenset(uses.variables), frozenset(uses.attributes), evaluate)


def require_readable(value: object) -> None:
    """Refuse what no template could read as a whole: what is nested too deeply, too large, or of no type of theirs.

    Raises:
        RenderError: it is one of these.
    """
    if weight(value) > MAX_WORK:
        raise RenderError("it is too large to be read as a whole")


def _executing(execute: Callable[[dict[str, object], Budget], None], work: int) -> Callable[[Values], str]:
    def render(values: Values) -> str:
        budget = Budget()
        budget.spend(work)
        execute(dict(values), budget)
        return budget.output()

    return render


def _plain_parts(tree: nodes.Template) -> list[nodes.TemplateData | nodes.Name] | None:
    """The parts of a template that is only text and `{{ name }}`; None for any other."""
    parts: list[nodes.TemplateData | nodes.Name] = []
    for statement in tree.body:
        if not isinstance(statement, nodes.Output):
            return None
        for part in statement.nodes:
            if not isinstance(part, nodes.TemplateData | nodes.Name):
                return None
            parts.append(part)
    return parts


def _joining(parts: list[nodes.TemplateData | nodes.Name]) -> Callable[[Values], str]:
    texts = [part.data if isinstance(part, nodes.TemplateData) else "" for part in parts]
    slots = [(position, part.name) for position, part in enumerate(parts) if isinstance(part, nodes.Name)]

    def render(values: Values) -> str:
        pieces = texts.copy()
        for position, name in slots:
            try:
                value = values[name]
            except KeyError:
                raise RenderError(f"`{name}` is not defined") from None
            if isinstance(value, Reference):
                value = value.text()
            pieces[position] = value if isinstance(value, str) else text_of(Budget(), value)
        if sum(map(len, pieces)) > MAX_OUTPUT_CHARS:
            raise RenderError(f"the output is longer than {MAX_OUTPUT_CHARS:,} characters")
        return "".join(pieces)

    return render
