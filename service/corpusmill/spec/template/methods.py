"""The methods that a template may call, on text and on mappings: `{{ note.split(";") }}`, `{{ place.get("name") }}`.

None that pads, formats or changes its object.

Rule of this file: as for filters, with the object in the place of the value.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps

from corpusmill.spec.errors import RenderError
from corpusmill.spec.wording import kind_of

from .budget import ELEMENT_WORK, Budget
from .filters import replace, strip, textual
from .values import MISSING, element_of, elements_of, join_text, search_work

Method = Callable[..., object]


def _only_of(cls: type, method: Method) -> Method:
    @wraps(method)
    def apply(budget: Budget, value: object, *arguments: object, **options: object) -> object:
        if not isinstance(value, cls):
            raise RenderError(f"{kind_of(value)} has no such method")
        return method(budget, value, *arguments, **options)

    return apply


def _split(budget: Budget, text: str, sep: str | None = None, maxsplit: int = -1) -> list[str]:
    budget.spend(search_work(text, sep or ""))
    budget.spend(ELEMENT_WORK * (1 + (len(text) // 2 if sep is None else text.count(sep))))
    return text.split(sep, maxsplit)


def _join(budget: Budget, text: str, elements: object) -> str:
    return join_text(budget, elements_of(budget, elements), text)


def _stripping(side: Callable[[str, str | None], str]) -> Method:
    def apply(budget: Budget, text: str, chars: str | None = None) -> str:
        return strip(budget, text, chars, side)

    return apply


def _affixed(method: Callable[[str, str], object]) -> Method:
    def apply(budget: Budget, text: str, affix: str) -> object:
        budget.spend(len(text))
        return method(text, affix)

    return apply


def _listing(view: Callable[[dict[str, object]], Iterable[object]]) -> Method:
    def apply(budget: Budget, mapping: dict[str, object]) -> list[object]:
        budget.spend(ELEMENT_WORK * len(mapping))
        return list(view(mapping))

    return apply


def _get(_: Budget, mapping: dict[str, object], key: object, default: object = None) -> object:
    found = element_of(mapping, key)
    return default if found is MISSING else found


_OF_TEXT: Mapping[str, Method] = {
    "capitalize": textual(str.capitalize),
    "endswith": _affixed(str.endswith),
    "join": _join,
    "lower": textual(str.lower),
    "lstrip": _stripping(str.lstrip),
    "removeprefix": _affixed(str.removeprefix),
    "removesuffix": _affixed(str.removesuffix),
    "replace": replace,
    "rstrip": _stripping(str.rstrip),
    "split": _split,
    "startswith": _affixed(str.startswith),
    "strip": _stripping(str.strip),
    "upper": textual(str.upper),
}
_OF_MAPPINGS: Mapping[str, Method] = {
    "get": _get,
    "items": _listing(dict.items),
    "keys": _listing(dict.keys),
    "values": _listing(dict.values),
}
METHODS: Mapping[str, Method] = {
    **{name: _only_of(str, method) for name, method in _OF_TEXT.items()},
    **{name: _only_of(dict, method) for name, method in _OF_MAPPINGS.items()},
}
