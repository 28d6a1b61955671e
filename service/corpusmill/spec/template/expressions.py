"""The expressions of a template as Python functions.

Jinja2 itself compiles a tree to Python source, whose operators (`==`, `~`, slices, printing a list) pass no hook on
which a bound on work could stand. So its trees are evaluated here, closed by construction: what no function below is
registered for is not part of the language.

Rule of this file: one function for each kind of node. It compiles the node's parts, and gives a function of the visible
names and the budget that computes the value.
"""

import math
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, TypeVar

from jinja2 import nodes

from corpusmill.spec.errors import RenderError, TemplateError
from corpusmill.spec.wording import hint, kind_of, quoted

from .budget import ELEMENT_WORK, MAX_INTEGER_BITS, Budget
from .filters import FILTERS
from .methods import METHODS
from .operators import ARITHMETIC, COMPARISONS
from .predicates import PREDICATES, SEES_MISSING
from .reference import Reference
from .scope import Scope
from .values import MISSING, attribute_of, element_of, join_text, slice_of

Evaluate = Callable[[Mapping[str, object], Budget], object]
Compile = Callable[[Any, Scope], Evaluate]
CompileT = TypeVar("CompileT", bound=Compile)

_COMPILERS: dict[type[nodes.Node], Compile] = {}
_MAY_BE_MISSING = (nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Filter)
_SYMBOLS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "floordiv": "//", "mod": "%",
    "eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in",
}  # fmt: skip


def compile_value(node: nodes.Node, scope: Scope) -> Evaluate:
    """A function that computes what `node` tells, and raises RenderError where that is not defined.

    Raises:
        TemplateError: the expression uses what is not part of the language.
    """
    compute = _compile_optional(node, scope)
    if not isinstance(node, _MAY_BE_MISSING):
        return compute
    problem = f"{_described(node)} is not defined"

    def evaluate(names: Mapping[str, object], budget: Budget) -> object:
        value = compute(names, budget)
        if value is MISSING:
            raise RenderError(problem)
        return value

    return evaluate


def attempt(name: str, function: Callable[..., object], *arguments: object, **options: object) -> object:
    """Call a function on values of a template; what it says about them becomes a RenderError that names it."""
    try:
        return function(*arguments, **options)
    except (RenderError, TypeError, ValueError, ArithmeticError) as error:
        raise RenderError(f"`{name}`: {error}") from None


def _compile_optional(node: nodes.Node, scope: Scope) -> Evaluate:
    """As `compile_value`, but the function gives MISSING where the node itself is not defined."""
    compiler = _COMPILERS.get(type(node))
    if compiler is None:
        raise TemplateError(f"{_described(node)} is not offered in templates", node.lineno)
    scope.uses.nodes += 1
    return compiler(node, scope)


def _described(node: nodes.Node) -> str:
    if isinstance(node, nodes.Name):
        return f"`{node.name}`"
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return f"`{node.node.name}.{node.attr}`"
    if isinstance(node, nodes.Getattr):
        return f"`.{node.attr}`"
    if isinstance(node, nodes.Getitem):
        return f"`[{node.arg.value!r}]`" if isinstance(node.arg, nodes.Const) else "`[...]`"
    if isinstance(node, nodes.Filter):
        return f"the result of `{node.name}`"
    return "`**`" if isinstance(node, nodes.Pow) else type(node).__name__.lower()


def _compiles(*kinds: type[nodes.Node]) -> Callable[[CompileT], CompileT]:
    def register(function: CompileT) -> CompileT:
        _COMPILERS.update(dict.fromkeys(kinds, function))
        return function

    return register


@_compiles(nodes.Const)
def _const(node: nodes.Const, _: Scope) -> Evaluate:
    value = node.value
    if isinstance(value, int) and value.bit_length() > MAX_INTEGER_BITS:
        raise TemplateError(f"an integer of more than {MAX_INTEGER_BITS} bits", node.lineno)
    if isinstance(value, float) and not math.isfinite(value):
        raise TemplateError("a number beyond the range of floating point", node.lineno)
    return lambda _names, _budget: value


@_compiles(nodes.Name)
def _name(node: nodes.Name, scope: Scope) -> Evaluate:
    name = node.name
    scope.read(name)

    def evaluate(names: Mapping[str, object], _: Budget) -> object:
        value = names.get(name, MISSING)
        return value.text() if isinstance(value, Reference) else value

    return evaluate


def _compile_owner(node: nodes.Node, scope: Scope) -> Evaluate:
    """As `compile_value`, but a name that refers to a document gives the reference, not its text."""
    if not isinstance(node, nodes.Name):
        return compile_value(node, scope)
    name, plain = node.name, compile_value(node, scope)

    def evaluate(names: Mapping[str, object], budget: Budget) -> object:
        value = names.get(name)
        return value if isinstance(value, Reference) else plain(names, budget)

    return evaluate


@_compiles(nodes.Getattr)
def _getattr(node: nodes.Getattr, scope: Scope) -> Evaluate:
    name = node.attr
    if name.startswith("_"):
        raise TemplateError(f"{quoted(name)} is not offered: names that begin with _ are closed", node.lineno)
    if isinstance(node.node, nodes.Name):
        scope.read_attribute(node.node.name, name)
    owner = _compile_owner(node.node, scope)
    return lambda names, budget: attribute_of(owner(names, budget), name)


@_compiles(nodes.Getitem)
def _getitem(node: nodes.Getitem, scope: Scope) -> Evaluate:
    owner = compile_value(node.node, scope)
    if isinstance(node.arg, nodes.Slice):
        bounds = [
            compile_value(bound, scope) if bound is not None else _nothing
            for bound in (node.arg.start, node.arg.stop, node.arg.step)
        ]
        return lambda names, budget: attempt(
            "[:]", slice_of, budget, owner(names, budget), slice(*(bound(names, budget) for bound in bounds))
        )
    if isinstance(node.node, nodes.Name) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        scope.read_attribute(node.node.name, node.arg.value)
        owner = _compile_owner(node.node, scope)
    key = compile_value(node.arg, scope)
    return lambda names, budget: element_of(owner(names, budget), key(names, budget))


def _nothing(_names: Mapping[str, object], _budget: Budget) -> None:
    return None


@_compiles(nodes.List, nodes.Tuple)
def _sequence(node: nodes.List | nodes.Tuple, scope: Scope) -> Evaluate:
    build = list if isinstance(node, nodes.List) else tuple
    elements = [compile_value(element, scope) for element in node.items]
    return lambda names, budget: build(element(names, budget) for element in elements)


@_compiles(nodes.Dict)
def _dict(node: nodes.Dict, scope: Scope) -> Evaluate:
    pairs = [(compile_value(pair.key, scope), compile_value(pair.value, scope)) for pair in node.items]

    def evaluate(names: Mapping[str, object], budget: Budget) -> object:
        mapping: dict[object, object] = {}
        for key_of, value_of in pairs:
            key = key_of(names, budget)
            if key is not None and not isinstance(key, str | int | float):
                raise RenderError(f"a key of a mapping is text or a number, not {kind_of(key)}")
            mapping[key] = value_of(names, budget)
        return mapping

    return evaluate


@_compiles(nodes.Concat)
def _concat(node: nodes.Concat, scope: Scope) -> Evaluate:
    parts = [compile_value(part, scope) for part in node.nodes]
    return lambda names, budget: join_text(budget, [part(names, budget) for part in parts])


@_compiles(nodes.And)
def _and(node: nodes.And, scope: Scope) -> Evaluate:
    left, right = compile_value(node.left, scope), compile_value(node.right, scope)
    return lambda names, budget: left(names, budget) and right(names, budget)


@_compiles(nodes.Or)
def _or(node: nodes.Or, scope: Scope) -> Evaluate:
    left, right = compile_value(node.left, scope), compile_value(node.right, scope)
    return lambda names, budget: left(names, budget) or right(names, budget)


@_compiles(nodes.Not)
def _not(node: nodes.Not, scope: Scope) -> Evaluate:
    operand = compile_value(node.node, scope)
    return lambda names, budget: not operand(names, budget)


@_compiles(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod)
def _arithmetic(node: nodes.BinExpr, scope: Scope) -> Evaluate:
    kind = type(node).__name__.lower()
    symbol, operate = _SYMBOLS[kind], ARITHMETIC[kind]
    left, right = compile_value(node.left, scope), compile_value(node.right, scope)
    return lambda names, budget: attempt(symbol, operate, budget, left(names, budget), right(names, budget))


@_compiles(nodes.Neg, nodes.Pos)
def _sign(node: nodes.Neg | nodes.Pos, scope: Scope) -> Evaluate:
    symbol, factor = ("-", -1) if isinstance(node, nodes.Neg) else ("+", 1)
    operand = compile_value(node.node, scope)
    return lambda names, budget: attempt(symbol, ARITHMETIC["mul"], budget, factor, operand(names, budget))


@_compiles(nodes.Compare)
def _compare(node: nodes.Compare, scope: Scope) -> Evaluate:
    first = compile_value(node.expr, scope)
    rest = [(_SYMBOLS[operand.op], COMPARISONS[operand.op], compile_value(operand.expr, scope)) for operand in node.ops]

    def evaluate(names: Mapping[str, object], budget: Budget) -> object:
        left = first(names, budget)
        for symbol, compare, operand in rest:
            right = operand(names, budget)
            if not attempt(symbol, compare, budget, left, right):
                return False
            left = right
        return True

    return evaluate


@_compiles(nodes.CondExpr)
def _conditional(node: nodes.CondExpr, scope: Scope) -> Evaluate:
    if node.expr2 is None:
        raise TemplateError("an `if` inside an expression needs an `else`", node.lineno)
    test, chosen, other = (compile_value(part, scope) for part in (node.test, node.expr1, node.expr2))
    return lambda names, budget: chosen(names, budget) if test(names, budget) else other(names, budget)


@_compiles(nodes.Filter)
def _filter(node: nodes.Filter, scope: Scope) -> Evaluate:
    if node.name not in FILTERS or node.node is None:
        raise TemplateError(f"the filter {quoted(node.name)} is not offered{hint(node.name, FILTERS)}", node.lineno)
    compile_operand = _compile_optional if node.name in ("default", "d") else compile_value
    return _applied(node, node.name, FILTERS[node.name], compile_operand(node.node, scope), scope)


@_compiles(nodes.Test)
def _test(node: nodes.Test, scope: Scope) -> Evaluate:
    if node.name not in PREDICATES:
        raise TemplateError(f"the test {quoted(node.name)} is not offered{hint(node.name, PREDICATES)}", node.lineno)
    compile_operand = _compile_optional if node.name in SEES_MISSING else compile_value
    return _applied(node, node.name, PREDICATES[node.name], compile_operand(node.node, scope), scope)


@_compiles(nodes.Call)
def _call(node: nodes.Call, scope: Scope) -> Evaluate:
    if isinstance(node.node, nodes.Name) and node.node.name == "range":
        return _applied(node, "range", _range, _nothing, scope)
    if not isinstance(node.node, nodes.Getattr):
        raise TemplateError("only `range` and methods of values can be called", node.lineno)
    name = node.node.attr
    if name not in METHODS:
        raise TemplateError(f"the method {quoted(name)} is not offered{hint(name, METHODS)}", node.lineno)
    return _applied(node, name, METHODS[name], compile_value(node.node.node, scope), scope)


def _range(budget: Budget, _: object, *bounds: int) -> list[int]:
    numbers = range(*bounds)
    budget.spend(ELEMENT_WORK * len(numbers))
    return list(numbers)


def _applied(
    node: nodes.Filter | nodes.Test | nodes.Call,
    name: str,
    function: Callable[..., object],
    operand: Evaluate,
    scope: Scope,
) -> Evaluate:
    """A call of `function` on the budget, the operand and the arguments of the node."""
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise TemplateError("arguments with * or ** are not offered", node.lineno)
    positional = [compile_value(argument, scope) for argument in node.args]
    named = {str(option.key): compile_value(option.value, scope) for option in node.kwargs}
    try:
        signature(function).bind(None, None, *positional, **named)
    except TypeError as error:
        raise TemplateError(f"`{name}`: {error}", node.lineno) from None

    def evaluate(names: Mapping[str, object], budget: Budget) -> object:
        arguments = [argument(names, budget) for argument in positional]
        options = {key: option(names, budget) for key, option in named.items()}
        return attempt(name, function, budget, operand(names, budget), *arguments, **options)

    return evaluate
