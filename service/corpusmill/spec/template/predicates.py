"""The tests of a template (`{% if city is none %}`), by the names that Jinja2 gives them.

Rule of this file: as for filters. `defined` and `undefined` are the only ones that may see a value that is not there.
"""

from collections.abc import Callable, Mapping

from .budget import Budget
from .operators import ARITHMETIC, COMPARISONS
from .values import MISSING

Predicate = Callable[..., object]

SEES_MISSING = ("defined", "undefined")


def _is_type(*classes: type, but: type | None = None) -> Predicate:
    def apply(_: Budget, value: object) -> bool:
        return isinstance(value, classes) and not (but is not None and isinstance(value, but))

    return apply


def _is_same(constant: object) -> Predicate:
    def apply(_: Budget, value: object) -> bool:
        return value is constant

    return apply


def _is_divisible(budget: Budget, value: object, num: object) -> bool:
    return ARITHMETIC["mod"](budget, value, num) == 0


def _is_even(budget: Budget, value: object) -> bool:
    return _is_divisible(budget, value, 2)


def _is_odd(budget: Budget, value: object) -> bool:
    return ARITHMETIC["mod"](budget, value, 2) == 1


def _is_defined(_: Budget, value: object) -> bool:
    return value is not MISSING


PREDICATES: Mapping[str, Predicate] = {
    "boolean": _is_type(bool),
    "defined": _is_defined,
    "divisibleby": _is_divisible,
    "eq": COMPARISONS["eq"],
    "equalto": COMPARISONS["eq"],
    "even": _is_even,
    "false": _is_same(False),
    "float": _is_type(float),
    "ge": COMPARISONS["gteq"],
    "gt": COMPARISONS["gt"],
    "in": COMPARISONS["in"],
    "integer": _is_type(int, but=bool),
    "iterable": _is_type(str, list, tuple, dict),
    "le": COMPARISONS["lteq"],
    "lt": COMPARISONS["lt"],
    "mapping": _is_type(dict),
    "ne": COMPARISONS["ne"],
    "none": _is_same(None),
    "number": _is_type(int, float),
    "odd": _is_odd,
    "sequence": _is_type(str, list, tuple, dict),
    "string": _is_type(str),
    "true": _is_same(True),
    "undefined": _is_same(MISSING),
}
