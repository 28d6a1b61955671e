"""Why a document does not fit the structs of `spec.schema`, in plain words and with a path.

msgspec converts and, where that fails, says so in its own terms and without the names of mapping keys. So after a
failure the document is walked once more, along the types that msgspec itself reports (`msgspec.inspect`), up to the
first place that does not fit.

Rule of this file: it only explains; what is accepted is msgspec's decision.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from msgspec import inspect

from .errors import SpecError
from .schema import DIGEST_PATTERN, IDENTIFIER_PATTERN, JOB_NAME_PATTERN
from .wording import at, described, hint, listed

_PATTERNS = {
    DIGEST_PATTERN: "32 digits and letters from a to f",
    IDENTIFIER_PATTERN: "a letter, then letters, digits or _, at most 63 of them",
    JOB_NAME_PATTERN: "lower-case letters, digits and -, at most 63 of them, the first not a -",
}
_BOUNDS: tuple[tuple[str, Callable[[Any, Any], bool], str], ...] = (
    ("ge", lambda value, bound: value >= bound, "at least"),
    ("gt", lambda value, bound: value > bound, "more than"),
    ("le", lambda value, bound: value <= bound, "at most"),
    ("lt", lambda value, bound: value < bound, "less than"),
)
_WORDS: dict[type[inspect.Type], str] = {
    inspect.IntType: "an integer",
    inspect.FloatType: "a number",
    inspect.DecimalType: "a number",
    inspect.StrType: "text",
    inspect.BoolType: "true/false",
    inspect.ListType: "a list",
    inspect.DictType: "a mapping",
    inspect.StructType: "a mapping",
}
_PYTHON_TYPES: dict[type[inspect.Type], tuple[type, ...]] = {
    inspect.IntType: (int,),
    inspect.FloatType: (float, int, Decimal),
    inspect.DecimalType: (Decimal, float, int),
    inspect.StrType: (str,),
    inspect.BoolType: (bool,),
    inspect.ListType: (list,),
    inspect.DictType: (dict,),
    inspect.StructType: (dict,),
    inspect.NoneType: (type(None),),
}

Problems = Iterator[SpecError]


def first_problem(document: object, expected: type) -> SpecError | None:
    """The first place at which `document` does not fit the type `expected`, or None where it fits."""
    return next(_problems(document, inspect.type_info(expected), ""), None)


def _problems(value: Any, kind: inspect.Type, path: str) -> Problems:
    kind = _bare(kind)
    if not _accepts(kind, value):
        yield SpecError(path, f"expected {_words(kind)}, got {described(value)}")
    elif isinstance(kind, inspect.UnionType):
        yield from _problems(value, next(member for member in kind.types if _accepts(member, value)), path)
    elif isinstance(kind, inspect.StructType):
        yield from _struct_problems(value, kind, path)
    elif isinstance(kind, inspect.DictType):
        yield from _dict_problems(value, kind, path)
    elif isinstance(kind, inspect.ListType):
        yield from _size_problems(value, kind, path, "element")
        for position, element in enumerate(value):
            yield from _problems(element, kind.item_type, at(path, position))
    elif isinstance(kind, inspect.StrType):
        yield from _text_problems(value, kind, path)
    elif isinstance(kind, inspect.IntType | inspect.FloatType):
        yield from _number_problems(value, kind, path)


def _bare(kind: inspect.Type) -> inspect.Type:
    """The type without what is remarked on it."""
    return kind.type if isinstance(kind, inspect.Metadata) else kind


def _accepts(kind: inspect.Type, value: object) -> bool:
    kind = _bare(kind)
    if isinstance(kind, inspect.UnionType):
        return any(_accepts(member, value) for member in kind.types)
    if isinstance(kind, inspect.LiteralType):
        return any(type(value) is type(member) and value == member for member in kind.values)
    return isinstance(kind, inspect.AnyType) or type(value) in _PYTHON_TYPES[type(kind)]


def _words(kind: inspect.Type) -> str:
    kind = _bare(kind)
    if isinstance(kind, inspect.LiteralType):
        if kind.values == (True,):
            return "true"
        return f"one of {listed(map(str, kind.values))}"
    if isinstance(kind, inspect.UnionType):
        offered = [_words(member) for member in kind.types if not isinstance(member, inspect.NoneType)]
        *most, last = dict.fromkeys(offered)
        return f"{', '.join(most)} or {last}" if most else last
    return _WORDS[type(kind)]


def _struct_problems(value: dict[str, Any], kind: inspect.StructType, path: str) -> Problems:
    fields = {field.encode_name: field for field in kind.fields}
    for key in value:
        if key not in fields:
            yield SpecError(at(path, key), f"unknown key{hint(key, fields)}")
    for name, field in fields.items():
        if name in value:
            yield from _problems(value[name], field.type, at(path, name))
        elif field.required:
            yield SpecError(at(path, name), "missing")


def _dict_problems(value: dict[str, Any], kind: inspect.DictType, path: str) -> Problems:
    yield from _size_problems(value, kind, path, "entry")
    for key, element in value.items():
        for problem in _problems(key, kind.key_type, at(path, key)):
            yield SpecError(problem.path, f"as a name, {problem.problem}")
        yield from _problems(element, kind.value_type, at(path, key))


def _size_problems(value: Any, kind: inspect.ListType | inspect.DictType, path: str, unit: str) -> Problems:
    units = {"element": "elements", "entry": "entries"}[unit]
    if kind.min_length is not None and len(value) < kind.min_length:
        yield SpecError(
            path, f"expected at least {kind.min_length} {unit if kind.min_length == 1 else units}, got none"
        )
    if kind.max_length is not None and len(value) > kind.max_length:
        yield SpecError(path, f"expected at most {kind.max_length:,} {units}, got {len(value):,}")


def _text_problems(value: str, kind: inspect.StrType, path: str) -> Problems:
    if kind.min_length is not None and len(value) < kind.min_length:
        yield SpecError(path, "expected text that is not empty")
    if kind.max_length is not None and len(value) > kind.max_length:
        yield SpecError(path, f"expected at most {kind.max_length:,} characters, got {len(value):,}")
    if kind.pattern is not None and not re.search(kind.pattern, value):
        expected = _PATTERNS.get(kind.pattern, f"text of the form {kind.pattern}")
        yield SpecError(path, f"expected {expected}, got {described(value)}")


def _number_problems(value: float, kind: inspect.IntType | inspect.FloatType, path: str) -> Problems:
    for name, holds, words in _BOUNDS:
        bound = getattr(kind, name)
        if bound is not None and not holds(value, bound):
            yield SpecError(path, f"expected {words} {bound:,}, got {described(value)}")
