"""The operators of a template with two operands: arithmetic and comparison, by the names that Jinja2's nodes have.

Rule of this file: an operator takes (budget, left, right) and pays before it works; it may raise RenderError, and
TypeError or ArithmeticError as Python's own operators do.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from corpusmill.spec.errors import RenderError
from corpusmill.spec.wording import kind_of

from .budget import ELEMENT_WORK, Budget
from .values import search_work

Operator = Callable[[Budget, object, object], object]


def _arithmetic(compute: Callable[[float, float], float]) -> Operator:
    def apply(budget: Budget, left: object, right: object) -> object:
        if isinstance(left, int | float) and isinstance(right, int | float):
            budget.read(left)
            budget.read(right)
            return compute(left, right)
        raise RenderError(f"cannot take {kind_of(left)} and {kind_of(right)}")

    return apply


_add_numbers = _arithmetic(operator.add)
_multiply_numbers = _arithmetic(operator.mul)


def _add(budget: Budget, left: object, right: object) -> object:
    if isinstance(left, str) and isinstance(right, str):
        budget.spend(len(left) + len(right))
        return left + right
    if isinstance(left, list) and isinstance(right, list):
        budget.spend(ELEMENT_WORK * (len(left) + len(right)))
        return left + right
    return _add_numbers(budget, left, right)


def _multiply(budget: Budget, left: object, right: object) -> object:
    if isinstance(left, str) and isinstance(right, int):
        budget.spend(len(left) * max(right, 0))
        return left * right
    return _multiply_numbers(budget, left, right)


def _comparison(compare: Callable[[Any, Any], Any]) -> Operator:
    def apply(budget: Budget, left: object, right: object) -> object:
        budget.read(left)
        budget.read(right)
        return compare(left, right)

    return apply


def _is_in(budget: Budget, left: object, right: object) -> bool:
    budget.read(left)
    if isinstance(right, str) and isinstance(left, str):
        budget.spend(search_work(right, left))
        return left in right
    if isinstance(right, list | tuple):
        budget.read(right)
        return left in right
    if isinstance(right, dict) and (left is None or isinstance(left, str | int | float)):
        return left in right
    raise RenderError(f"cannot look for {kind_of(left)} in {kind_of(right)}")


def _is_not_in(budget: Budget, left: object, right: object) -> bool:
    return not _is_in(budget, left, right)


ARITHMETIC: Mapping[str, Operator] = {
    "add": _add,
    "sub": _arithmetic(operator.sub),
    "mul": _multiply,
    "div": _arithmetic(operator.truediv),
    "floordiv": _arithmetic(operator.floordiv),
    "mod": _arithmetic(operator.mod),
}
COMPARISONS: Mapping[str, Operator] = {
    "eq": _comparison(operator.eq),
    "ne": _comparison(operator.ne),
    "lt": _comparison(operator.lt),
    "lteq": _comparison(operator.le),
    "gt": _comparison(operator.gt),
    "gteq": _comparison(operator.ge),
    "in": _is_in,
    "notin": _is_not_in,
}
