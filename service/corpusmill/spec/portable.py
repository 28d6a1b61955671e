"""Which values a spec may hold: those that JSON gives back as they were.

The accepted spec is kept as JSON, and parameters are sent as JSON; what would change or fail on that way is refused
when the spec is read.
"""

import math
from typing import Any

from .errors import SpecError
from .wording import at, kind_of

MAX_DEPTH = 64
_INTEGERS = range(-(2**63), 2**63)


def require_portable(document: object) -> None:
    """Check all values of a document, as a reader of YAML, JSON or TOML gives them.

    Raises:
        SpecError: with the path of the first one that JSON cannot carry.
    """
    _require(document, "", MAX_DEPTH)


def _require(value: Any, path: str, levels: int) -> None:
    if not isinstance(value, dict | list):
        problem = _scalar_problem(value)
        if problem:
            raise SpecError(path, problem)
        return
    if levels == 0:
        raise SpecError("", f"nested deeper than {MAX_DEPTH} levels")
    for key, element in value.items() if isinstance(value, dict) else enumerate(value):
        _require(key, path, levels)
        _require(element, at(path, key), levels - 1)


def _scalar_problem(value: object) -> str | None:
    if isinstance(value, str):
        halved = not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value)
        return "text with half of a surrogate pair, which is no character" if halved else None
    if isinstance(value, int):
        return None if value in _INTEGERS else "an integer of more than 64 bits; put it in quotes to mean its digits"
    if isinstance(value, float):
        return None if math.isfinite(value) else "a number beyond the range of floating point"
    return None if value is None else f"{kind_of(value)} is not a value of a spec; put it in quotes to mean text"
