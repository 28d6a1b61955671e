"""The filters of a template (`{{ plot | truncate(200) }}`), by the names that Jinja2 gives them.

Deterministic ones only, and none that pads or formats to a width. They mean what Jinja2's mean, but take fewer options.

Rule of this file: a filter takes the budget, the value and its arguments, and pays before it works. It may raise
RenderError, TypeError, ValueError and ArithmeticError.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from jinja2.filters import do_float, do_int, do_title, do_wordcount

from corpusmill.spec.errors import RenderError
from corpusmill.spec.wording import kind_of

from .budget import ELEMENT_WORK, Budget
from .operators import ARITHMETIC
from .values import MISSING, elements_of, join_text, search_work, text_of

Filter = Callable[..., object]

_MAX_STRIPPED_CHARS = 100
_MAX_PLACES = 15
_LEEWAY_CHARS = 5
# do_title and do_wordcount work word by word: some 0.3 microseconds for each, and a word may be one character.
_WORD_BY_WORD = 10


def textual(transform: Callable[[str], object], work_per_char: int = 1) -> Filter:
    """A filter that reads a value as text once."""

    def apply(budget: Budget, value: object) -> object:
        text = text_of(budget, value)
        budget.spend(len(text) * work_per_char)
        return transform(text)

    return apply


def strip(
    budget: Budget, value: object, chars: str | None = None, side: Callable[[str, str | None], str] = str.strip
) -> str:
    """Text without the white space, or the characters `chars`, at its ends or at one side."""
    text = text_of(budget, value)
    # str.strip looks up each character in `chars` one by one.
    if chars is not None and len(chars) > _MAX_STRIPPED_CHARS:
        raise RenderError(f"strips at most {_MAX_STRIPPED_CHARS} different characters")
    budget.spend(len(text))
    return side(text, chars)


def _trim(budget: Budget, value: object, chars: str | None = None) -> str:
    return strip(budget, value, chars)


def replace(budget: Budget, value: object, old: object, new: object, count: int = -1) -> str:
    """Text with `old` replaced by `new`, everywhere or the first `count` times."""
    text, sought, replacement = (text_of(budget, part) for part in (value, old, new))
    budget.spend(search_work(text, sought))
    budget.spend(len(text) + text.count(sought) * len(replacement))
    return text.replace(sought, replacement, count)


def _truncate(budget: Budget, value: object, length: int = 255, killwords: bool = False, end: str = "...") -> str:
    if not isinstance(value, str):
        raise RenderError(f"takes text, not {kind_of(value)}")
    if length < len(end):
        raise RenderError(f"cannot cut to {length} characters with an end of {len(end)}")
    budget.spend(min(len(value), length) + len(end))
    if len(value) <= length + _LEEWAY_CHARS:
        return value
    start = value[: length - len(end)]
    return (start if killwords else start.rsplit(" ", 1)[0]) + end


def _tojson(budget: Budget, value: object) -> str:
    budget.read(value)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    budget.spend(len(text))
    return text


def _default(_: Budget, value: object, default_value: object = "", boolean: bool = False) -> object:
    return default_value if value is MISSING or (boolean and not value) else value


def _integer(budget: Budget, value: object, default: object = 0) -> object:
    budget.read(value)
    return do_int(value, default)  # type: ignore[arg-type]  # what it cannot convert becomes the default


def _float(budget: Budget, value: object, default: object = 0.0) -> object:
    budget.read(value)
    return do_float(value, default)  # type: ignore[arg-type]  # what it cannot convert becomes the default


def _number(budget: Budget, value: object) -> float:
    budget.read(value)
    if isinstance(value, int | float):
        return value
    raise RenderError(f"takes a number, not {kind_of(value)}")


def _round(budget: Budget, value: object, precision: int = 0) -> float:
    if not -_MAX_PLACES <= precision <= _MAX_PLACES:
        raise RenderError(f"rounds to at most {_MAX_PLACES} places")
    return round(_number(budget, value), precision)


def _absolute(budget: Budget, value: object) -> float:
    return abs(_number(budget, value))


def _length(_: Budget, value: object) -> int:
    if isinstance(value, str | list | tuple | dict):
        return len(value)
    raise RenderError(f"{kind_of(value)} has no length")


def _first(budget: Budget, value: object) -> object:
    return next(iter(elements_of(budget, value)), MISSING)


def _last(budget: Budget, value: object) -> object:
    return next(reversed(elements_of(budget, value)), MISSING)


def _join(budget: Budget, value: object, d: object = "") -> str:
    return join_text(budget, elements_of(budget, value), text_of(budget, d))


def _list(budget: Budget, value: object) -> list[object]:
    elements = elements_of(budget, value)
    budget.spend(ELEMENT_WORK * len(elements))
    return list(elements)


def _reverse(budget: Budget, value: object) -> object:
    if isinstance(value, str):
        budget.spend(len(value))
        return value[::-1]
    return _list(budget, value)[::-1]


def _as_is(value: Any) -> Any:
    return value


def _lowered(value: object) -> Any:
    return value.lower() if isinstance(value, str) else value


def _sort(budget: Budget, value: object, reverse: bool = False, case_sensitive: bool = False) -> list[object]:
    elements = _list(budget, value)
    budget.spend(budget.read(elements) * len(elements).bit_length())
    return sorted(elements, key=_as_is if case_sensitive else _lowered, reverse=reverse)


def _extreme(choose: Callable[..., object]) -> Filter:
    def apply(budget: Budget, value: object, case_sensitive: bool = False) -> object:
        elements = elements_of(budget, value)
        budget.read(elements)
        return choose(elements, key=_as_is if case_sensitive else _lowered, default=MISSING)

    return apply


def _unique(budget: Budget, value: object, case_sensitive: bool = False) -> list[object]:
    elements = elements_of(budget, value)
    budget.read(elements)
    if not all(element is None or isinstance(element, str | int | float) for element in elements):
        raise RenderError("takes a list of texts and numbers")
    firsts: dict[object, object] = {}
    for element in elements:
        firsts.setdefault(element if case_sensitive else _lowered(element), element)
    return list(firsts.values())


def _sum(budget: Budget, value: object) -> object:
    total: object = 0
    for element in elements_of(budget, value):
        budget.spend(ELEMENT_WORK)
        total = ARITHMETIC["add"](budget, total, element)
    return total


FILTERS: Mapping[str, Filter] = {
    "abs": _absolute,
    "capitalize": textual(str.capitalize),
    "count": _length,
    "d": _default,
    "default": _default,
    "first": _first,
    "float": _float,
    "int": _integer,
    "join": _join,
    "last": _last,
    "length": _length,
    "list": _list,
    "lower": textual(str.lower),
    "max": _extreme(max),
    "min": _extreme(min),
    "replace": replace,
    "reverse": _reverse,
    "round": _round,
    "sort": _sort,
    "string": textual(str),
    "sum": _sum,
    "title": textual(do_title, _WORD_BY_WORD),
    "tojson": _tojson,
    "trim": _trim,
    "truncate": _truncate,
    "unique": _unique,
    "upper": textual(str.upper),
    "wordcount": textual(do_wordcount, _WORD_BY_WORD),
}
