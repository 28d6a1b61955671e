"""The statements of a template as Python functions: text, `{{ }}`, `if`, `for` and `set`.

Rule of this file: as for expressions, but a function writes to the budget instead of giving a value. A `for` gives its
body a copy of the names, so what the body sets ends with its turn, as in Jinja2.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from jinja2 import nodes

from corpusmill.spec.errors import RenderError, TemplateError
from corpusmill.spec.wording import kind_of

from .budget import NODE_WORK, Budget
from .expressions import attempt, compile_value
from .scope import Scope
from .values import elements_of, text_of

Execute = Callable[[dict[str, object], Budget], None]
Bind = Callable[[dict[str, object], object], None]
Select = Callable[[Any, dict[str, object], Budget], Sequence[object]]
Compile = Callable[[Any, Scope], Execute]
CompileT = TypeVar("CompileT", bound=Compile)

_COMPILERS: dict[type[nodes.Node], Compile] = {}
_TAGS: dict[type[nodes.Node], str] = {
    nodes.AssignBlock: "set ... endset",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter",
    nodes.FromImport: "from",
    nodes.ScopedEvalContextModifier: "autoescape",
}


def compile_block(statements: Iterable[nodes.Node], scope: Scope) -> Execute:
    """A function that executes statements one after another.

    Raises:
        TemplateError: a statement is not part of the language.
    """
    steps = [_compile_statement(statement, scope) for statement in statements]

    def execute(names: dict[str, object], budget: Budget) -> None:
        for step in steps:
            step(names, budget)

    return execute


def _compile_statement(node: nodes.Node, scope: Scope) -> Execute:
    if isinstance(node, nodes.Scope):  # the parser's wrapping of `autoescape`, without a line of its own
        node = node.body[0]
    compiler = _COMPILERS.get(type(node))
    if compiler is None:
        tag = _TAGS.get(type(node), type(node).__name__.lower())
        raise TemplateError(f"`{{% {tag} %}}` is not offered in templates; there are if, for and set", node.lineno)
    scope.uses.nodes += 1
    return compiler(node, scope)


def _compiles(kind: type[nodes.Node]) -> Callable[[CompileT], CompileT]:
    def register(function: CompileT) -> CompileT:
        _COMPILERS[kind] = function
        return function

    return register


@_compiles(nodes.Output)
def _output(node: nodes.Output, scope: Scope) -> Execute:
    scope.uses.nodes += len(node.nodes)
    parts = [
        (part.data, None) if isinstance(part, nodes.TemplateData) else ("", compile_value(part, scope))
        for part in node.nodes
    ]

    def execute(names: dict[str, object], budget: Budget) -> None:
        for text, value in parts:
            budget.write(text if value is None else text_of(budget, value(names, budget)))

    return execute


@_compiles(nodes.If)
def _if(node: nodes.If, scope: Scope) -> Execute:
    tests = []
    scopes = []
    for branch in (node, *node.elif_):
        test = compile_value(branch.test, scope)
        scopes.append(scope.inner())
        tests.append((test, compile_block(branch.body, scopes[-1])))
    scopes.append(scope.inner())
    otherwise = compile_block(node.else_, scopes[-1])
    scope.bind_common(scopes)

    def execute(names: dict[str, object], budget: Budget) -> None:
        for test, body in tests:
            if test(names, budget):
                return body(names, budget)
        return otherwise(names, budget)

    return execute


@_compiles(nodes.Assign)
def _set(node: nodes.Assign, scope: Scope) -> Execute:
    value = compile_value(node.node, scope)
    bind = _target(node.target, scope)
    return lambda names, budget: bind(names, value(names, budget))


@_compiles(nodes.For)
def _for(node: nodes.For, scope: Scope) -> Execute:
    if node.recursive:
        raise TemplateError("`recursive` is not offered in templates", node.lineno)
    iterable = compile_value(node.iter, scope)
    inner = scope.inner()
    bind = _target(node.target, inner)
    select = _selection(node, bind, inner)
    inner.bind("loop")
    nodes_before = scope.uses.nodes
    body = compile_block(node.body, inner)
    turn_work = NODE_WORK * (1 + scope.uses.nodes - nodes_before)
    otherwise = compile_block(node.else_, scope.inner())

    def execute(names: dict[str, object], budget: Budget) -> None:
        elements = select(attempt("for", elements_of, budget, iterable(names, budget)), names, budget)
        for position, element in enumerate(elements):
            budget.spend(turn_work + len(names))
            visible = dict(names)
            bind(visible, element)
            visible["loop"] = _loop(position, len(elements))
            body(visible, budget)
        if not elements:
            otherwise(dict(names), budget)

    return execute


def _selection(node: nodes.For, bind: Bind, inner: Scope) -> Select:
    """The `if` of a `for`: which elements it goes through."""
    if node.test is None:
        return lambda elements, _names, _budget: elements
    nodes_before = inner.uses.nodes
    test = compile_value(node.test, inner)
    test_work = NODE_WORK * (1 + inner.uses.nodes - nodes_before)

    def select(elements: Sequence[object], names: dict[str, object], budget: Budget) -> list[object]:
        selected = []
        visible = dict(names)
        for element in elements:
            budget.spend(test_work)
            bind(visible, element)
            if test(visible, budget):
                selected.append(element)
        return selected

    return select


def _loop(position: int, length: int) -> dict[str, object]:
    """What `loop` is in a turn of a `for`."""
    return {
        "index": position + 1,
        "index0": position,
        "revindex": length - position,
        "revindex0": length - position - 1,
        "first": position == 0,
        "last": position == length - 1,
        "length": length,
    }


def _target(node: nodes.Node, scope: Scope) -> Bind:
    """A function that gives a value to the name, or its elements to the names, on the left of a `set` or `for`."""
    if isinstance(node, nodes.Name):
        name = node.name
        scope.bind(name)
        return lambda names, value: names.__setitem__(name, value)
    if not isinstance(node, nodes.Tuple):
        raise TemplateError("only names can be set", node.lineno)
    binds = [_target(element, scope) for element in node.items]

    def bind(names: dict[str, object], value: object) -> None:
        if not isinstance(value, list | tuple) or len(value) != len(binds):
            raise RenderError(f"{kind_of(value)} does not give {len(binds)} values to {len(binds)} names")
        for bind_element, element in zip(binds, value, strict=True):
            bind_element(names, element)

    return bind
