"""A spec as bytes to keep, and where two specs differ.

Rule of this file: the order of the axes, and of the values of an axis, is part of their meaning (it decides which item
comes when), so the bytes keep it and another order is a difference. The order of any other keys means nothing.
"""

from collections.abc import Iterator
from itertools import islice, zip_longest
from typing import Any

import msgspec

from .schema import JobSpec
from .wording import at

MAX_PATHS = 10
_ABSENT = object()


def spec_to_json(spec: JobSpec) -> bytes:
    """The spec as indented JSON; specs without a difference give the same bytes.

    Fields come in the order of the schema, defaults are left out, sampling parameters are sorted by name.
    """
    return msgspec.json.format(msgspec.json.encode(_plain(spec)), indent=2) + b"\n"


def changed_paths(old: JobSpec, new: JobSpec) -> list[str]:
    """The paths at which two specs differ, at most 10 of them; empty where they mean the same.

    Steps, filters, examples and messages are compared one by one, any other list as a whole.
    """
    return list(islice(_differences(_plain(old), _plain(new), ""), MAX_PATHS))


def _plain(spec: JobSpec) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(spec)
    for step in document["steps"]:
        if "parameters" in step:
            step["parameters"] = msgspec.json.decode(msgspec.json.encode(step["parameters"], order="sorted"))
    # msgspec leaves out a default struct only where it is the default object itself: `limits: {}` is one as well.
    return {key: value for key, value in document.items() if value != {}}


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            yield from _differences(old.get(key, _ABSENT), new.get(key, _ABSENT), at(path, key))
        if old.keys() == new.keys() and list(old) != list(new):
            yield path
    elif _holds_mappings(old) and _holds_mappings(new):
        for position, (before, after) in enumerate(zip_longest(old, new, fillvalue=_ABSENT)):
            yield from _differences(before, after, at(path, position))
    elif old is _ABSENT or new is _ABSENT or msgspec.json.encode(old) != msgspec.json.encode(new):
        # As JSON, because to Python 1, 1.0 and True are equal, but each is another text in a prompt.
        yield path


def _holds_mappings(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(element, dict) for element in value)
