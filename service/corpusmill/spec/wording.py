"""How the errors of this room speak: plain words, one line, bounded length.

Rule of this file: text in, text out; nothing here decides whether something is an error.
"""

import difflib
import json
import re
from collections.abc import Iterable
from itertools import islice

_SHOWN_CHARS = 60
_LISTED_NAMES = 12
_COMPARED_CHARS = 100
_COMPARED_NAMES = 1000
_NEAR = 0.7
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")

_KINDS: dict[type, str] = {
    bool: "true/false",
    int: "an integer",
    float: "a number",
    str: "text",
    list: "a list",
    tuple: "a list",
    dict: "a mapping",
    type(None): "nothing (null)",
}


def one_line(text: str) -> str:
    """The text without control characters, cut at 60 characters."""
    shown = text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 3] + "..."
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in shown)


def quoted(text: str) -> str:
    """The text on one line, between backticks."""
    return f"`{one_line(text)}`"


def kind_of(value: object) -> str:
    """What a value is, in words: `an integer`, `a list`, or the name of its type."""
    for cls, words in _KINDS.items():
        if isinstance(value, cls):
            return words
    return f"a {type(value).__name__}"


def described(value: object) -> str:
    """What a value is and, for text and numbers, which one: "text `abc`"."""
    if isinstance(value, str):
        return f"text {quoted(value)}"
    if isinstance(value, int | float):
        return str(value).lower()
    return kind_of(value)


def at(path: str, key: str | int) -> str:
    """The path of an element of what stands at `path`: `steps[1]`, `space.axes.genre`, `values["very grim"]`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not _PLAIN_KEY.fullmatch(key):
        return f'{path}["{one_line(key)}"]'
    return f"{path}.{key}" if path else key


def listed(names: Iterable[str]) -> str:
    """Names in their order, quoted, at most a dozen of them."""
    all_names = list(names)
    shown = ", ".join(quoted(name) for name in all_names[:_LISTED_NAMES])
    return shown + ", ..." if len(all_names) > _LISTED_NAMES else shown


def hint(name: str, known: Iterable[str]) -> str:
    """What to add to "unknown `name`": the nearest known name, else which names there are."""
    names = [each for each in islice(known, _COMPARED_NAMES) if len(each) <= _COMPARED_CHARS]
    nearest = difflib.get_close_matches(name[:_COMPARED_CHARS], names, n=1, cutoff=_NEAR)
    if nearest:
        return f"; did you mean {quoted(nearest[0])}?"
    return f"; known here: {listed(names)}" if names else ""
