"""What the operators of a template do, on the closed set of types that a template may see.

The types: text, integers, floats, booleans, None, lists, tuples and mappings. Attributes are closed, but that a mapping
offers its keys and an axis value (a `str` subclass) its `label` and `definition`.

Rule of this file: each operation takes the budget it is paid from; meaning follows Jinja2's.
"""

from collections.abc import Sequence
from typing import Final

from corpusmill.spec.errors import RenderError
from corpusmill.spec.wording import kind_of

from .budget import ELEMENT_WORK, Budget
from .reference import Reference

MISSING: Final = object()
"""What a name, key or attribute is that is not there."""

AXIS_VALUE_ATTRIBUTES = ("label", "definition")


def text_of(budget: Budget, value: object) -> str:
    """The value as text, as Jinja2 prints it."""
    if isinstance(value, str):
        return value
    budget.read(value)
    return str(value)


def attribute_of(value: object, name: str) -> object:
    """`value.name`, or MISSING."""
    if isinstance(value, dict):
        return value.get(name, MISSING)
    if isinstance(value, str) and name in AXIS_VALUE_ATTRIBUTES:
        return getattr(value, name, MISSING)
    return value.attribute(name, MISSING) if isinstance(value, Reference) else MISSING


def element_of(value: object, key: object) -> object:
    """`value[key]`, or MISSING."""
    if isinstance(value, dict):
        return value.get(key, MISSING) if key is None or isinstance(key, str | int | float) else MISSING
    if isinstance(value, str | list | tuple) and isinstance(key, int):
        return value[key] if -len(value) <= key < len(value) else MISSING
    return attribute_of(value, key) if isinstance(key, str) else MISSING


def slice_of(budget: Budget, value: object, bounds: slice) -> object:
    """`value[start:stop:step]` of text or a list."""
    if not isinstance(value, str | list | tuple):
        raise RenderError(f"{kind_of(value)} has no slices")
    budget.spend(len(value) if isinstance(value, str) else ELEMENT_WORK * len(value))
    return value[bounds]


def elements_of(budget: Budget, value: object) -> Sequence[object]:
    """What a loop over `value` sees: the elements of a list, the keys of a mapping, the characters of text."""
    if isinstance(value, list | tuple):
        return value
    if not isinstance(value, str | dict):
        raise RenderError(f"{kind_of(value)} has no elements to go through")
    budget.spend(ELEMENT_WORK * len(value))
    return list(value)


def join_text(budget: Budget, values: Sequence[object], separator: str = "") -> str:
    """The values as text, one after another."""
    pieces = [text_of(budget, value) for value in values]
    budget.spend(sum(map(len, pieces)) + len(separator) * len(pieces))
    return separator.join(pieces)


def search_work(text: str, sought: str) -> int:
    """The work of finding all places of `sought`: CPython's search of short texts is quadratic at worst."""
    return len(text) * (1 + min(len(sought), 100) // 16) + len(sought)
