"""The source of a template to Jinja2's syntax tree.

Jinja2's lexer and parser define the language; how large and how deeply nested a source may be is bounded here.

Rule of this file: whatever the source is, the outcome is a tree or a TemplateError, in bounded time.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser

from corpusmill.spec.errors import TemplateError
from corpusmill.spec.wording import quoted

MAX_SOURCE_CHARS = 1_000_000
MAX_TOKENS = 20_000
MAX_DEPTH = 100

NodeT = TypeVar("NodeT", bound=nodes.Node)


class _TokenBound(Extension):
    """Stops at a source with too many tokens, through the hook that Jinja2 has for extensions."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        for count, token in enumerate(stream):
            if count == MAX_TOKENS:
                raise TemplateSyntaxError(f"more than {MAX_TOKENS:,} words and signs", token.lineno)
            yield token


_ENVIRONMENT = Environment(extensions=[_TokenBound], keep_trailing_newline=True, autoescape=False)  # noqa: S701  # not HTML


def parse_template(source: str) -> nodes.Template:
    """The tree of a template.

    Raises:
        TemplateError: the source is malformed, too long, or nested deeper than 100 levels.
    """
    return _bounded(source, lambda: Parser(_ENVIRONMENT, source).parse())


def parse_expression(source: str) -> nodes.Expr:
    """The tree of a single expression, without braces around it.

    Raises:
        TemplateError: as `parse_template`.
    """

    def parse() -> nodes.Expr:
        parser = Parser(_ENVIRONMENT, source, state="variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            found = parser.stream.current
            advice = "; to compare, write `==`" if found.type == "assign" else " after the end of the expression"
            parser.fail(f"unexpected {quoted(str(found.value))}{advice}")
        return expression

    return _bounded(source, parse)


def _bounded(source: str, parse: Callable[[], NodeT]) -> NodeT:
    if len(source) > MAX_SOURCE_CHARS:
        raise TemplateError(f"longer than {MAX_SOURCE_CHARS:,} characters", 1)
    try:
        tree = parse()
    except TemplateSyntaxError as error:
        raise TemplateError(_sentence(error.message or "malformed"), error.lineno) from None
    except RecursionError:
        raise TemplateError(f"nested deeper than {MAX_DEPTH} levels", 1) from None
    except ValueError:
        raise TemplateError("a number has too many digits", 1) from None
    _check_depth(tree)
    return tree


def _sentence(message: str) -> str:
    """Jinja2's message in the manner of ours: one line, no capital first, no full stop."""
    line = " ".join(message.split()).rstrip(".")
    return line[:1].lower() + line[1:]


def _check_depth(tree: nodes.Node) -> None:
    level: list[nodes.Node] = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return
    raise TemplateError(f"nested deeper than {MAX_DEPTH} levels", level[0].lineno)
