"""What an answer says, as a value: lines, items, JSON, yes or no, a number, the turns of a dialogue.

Rules of this file: a parser takes a text and gives a value that templates may see, or raises ParseError with what is
wrong, for people. It takes time linear in the text: its regular expressions are RE2's.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import re2

from corpusmill.spec.errors import RenderError
from corpusmill.spec.schema import Step
from corpusmill.spec.schemas import compile_schema
from corpusmill.spec.template import require_readable

if TYPE_CHECKING:
    import jsonschema_rs

Parser = Callable[[str], object]

SHOWN_CHARS = 100

NAME_CHARS = 60
"""Where in a line a speaker's name ends at the latest."""

_BULLETS = r"[-*+\x{2022}\x{2013}\x{2014}\x{B7}\x{25AA}\x{25E6}\x{2023}]+"
_ITEM = re2.compile(rf"^\s*(?:{_BULLETS}|\(?(?:\d{{1,3}}|[A-Za-z])[.):]|\[\d{{1,3}}\])\s+(.*\S)\s*$")
_FENCED = re2.compile(r"(?s)```[A-Za-z0-9_-]*[ \t]*\n(.*?)\n?[ \t]*```")
_OPENS_YES_NO = re2.compile(r"(?i)^\W*(yes|no|true|false)\b")
_SAYS_YES_NO = re2.compile(
    r"(?i)\b(?:answer|verdict|result|conclusion|decision)\b\W{1,5}(?:is\W+)?(yes|no|true|false)\b"
)
_YES_NO = re2.compile(r"(?i)\b(yes|no|true|false)\b")
_NUMBER = r"([-+]?(?:\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:\.\d{1,15})?)"
_SAYS_NUMBER = re2.compile(
    r"(?i)\b(?:grade|score|rating|rate|answer|result|total|points?|value|number|count|verdict)\b"
    rf"\W{{0,5}}(?:is\b|of\b|would be\b)?\W{{0,5}}?{_NUMBER}(?:\D|$)"
)
_OUT_OF = re2.compile(rf"{_NUMBER}\s*(?:/|out of)\s*\d")
_ANY_NUMBER = re2.compile(rf"(?:^|[^\w.]){_NUMBER}(?:[^\w]|$)")
_TURN = re2.compile(r"^[\s*_#>-]{0,6}([^\s*_#>:-][^:]{0,40}?)[\s*_]{0,4}:[\s*_]*(.*)$")
_IN_NAMES = frozenset("_.' -")
"""What a name may have beside letters and digits. Those are told apart here: 40 times \\p{L} is too much for RE2."""


class ParseError(ValueError):
    """The text does not say what was asked for; the message says what is wrong."""


def compile_parser(step: Step) -> Parser | None:
    """Return the parser of a step; None where its texts are taken as they are."""
    if step.parse == "json":
        return partial(parse_json, validator=compile_schema(step.schema) if step.schema is not None else None)
    if step.parse == "number":
        return partial(parse_number, between=tuple(step.between) if step.between else None)
    return _PARSERS[step.parse]


def parse_lines(text: str) -> list[object]:
    """Return the lines that are not blank, without white space around them."""
    lines: list[object] = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise ParseError("there is no line")
    return lines


def parse_list(text: str) -> list[object]:
    """Return the items of a list: a JSON array, lines with bullets or numbers, or else all lines.

    Where lines have bullets or numbers, what stands before the first of them is an introduction and not an item, a
    blank line ends an item, and a line without a mark that follows an item directly goes on with it.
    """
    if (array := _json_array(text)) is not None:
        return array
    items: list[list[str]] = []
    is_open = False
    for line in text.splitlines():
        if (found := _ITEM.match(line)) is not None:
            items.append([found.group(1)])
            is_open = True
        elif not line.strip():
            is_open = False
        elif is_open:
            items[-1].append(line.strip())
    return [" ".join(parts) for parts in items] or parse_lines(text)


def parse_json(text: str, *, validator: "jsonschema_rs.Validator | None" = None) -> object:
    """Return the JSON value that a text is, or holds in a code fence or between prose.

    Args:
        text: the answer.
        validator: of the schema that the value must follow.
    """
    value = _first_json(text)
    try:
        require_readable(value)
    except RenderError as error:
        raise ParseError(f"JSON that no template could read: {error}") from None
    if validator is not None:
        for wrong in validator.iter_errors(value):
            path = "".join(f"[{part!r}]" for part in wrong.instance_path)
            raise ParseError(f"against the schema: {wrong.message[:SHOWN_CHARS]}{f', at {path}' if path else ''}")
    return value


def parse_yes_no(text: str) -> bool:
    """Return what a text answers: in its first word, after "answer:", or with the only such word in it."""
    opening = _OPENS_YES_NO.match(text)
    said = [opening.group(1)] if opening else [found.group(1) for found in _SAYS_YES_NO.finditer(text)][-1:]
    words = {word.lower() in ("yes", "true") for word in said or [each.group(1) for each in _YES_NO.finditer(text)]}
    if len(words) != 1:
        raise ParseError(f"{'neither yes nor no' if not words else 'both yes and no'}: {text[:SHOWN_CHARS]}")
    return words.pop()


def parse_number(text: str, *, between: tuple[float, ...] | None = None) -> float:
    """Return the number that a text gives: after "grade:" and the like, before "/5" or "out of 5", or the only one.

    Args:
        text: the answer.
        between: the least and the greatest number that is taken.
    """
    for pattern in (_SAYS_NUMBER, _OUT_OF, _ANY_NUMBER):
        numbers = [_number(found.group(1)) for found in pattern.finditer(text)]
        if numbers:
            break
    else:
        raise ParseError(f"no number: {text[:SHOWN_CHARS]}")
    number = numbers[-1]
    if pattern is _ANY_NUMBER and len(set(numbers)) > 1:
        raise ParseError(f"several numbers: {text[:SHOWN_CHARS]}")
    if between is not None and not between[0] <= number <= between[1]:
        raise ParseError(f"{number} is not between {between[0]:g} and {between[1]:g}")
    return number


def parse_dialogue(text: str) -> list[object]:
    """Return the turns of a dialogue, each with `speaker` and `text`; lines without a name go on with a turn.

    A word before a colon is taken for a name if it comes twice, or is one of the first two. What stands before the
    first turn is left out.
    """
    lines = [(_turn(line), line) for line in text.splitlines()]
    counts = Counter(found[0] for found, _ in lines if found is not None and found[1])
    names = {name for place, (name, count) in enumerate(counts.items()) if place < 2 or count > 1}
    turns: list[tuple[str, list[str]]] = []
    for found, line in lines:
        if found is not None and found[0] in names:
            turns.append((found[0].strip(), [found[1].strip()]))
        elif turns:
            turns[-1][1].append(line.strip())
    spoken: list[object] = [
        {"speaker": name, "text": said} for name, parts in turns if (said := "\n".join(parts).strip())
    ]
    if not spoken:
        raise ParseError(f"no turn such as `NAME: text`: {text[:SHOWN_CHARS]}")
    return spoken


_PARSERS: dict[str, Parser | None] = {
    "text": None,
    "lines": parse_lines,
    "list": parse_list,
    "yes_no": parse_yes_no,
    "dialogue": parse_dialogue,
}


def _turn(line: str) -> tuple[str, str] | None:
    """Return what may be a name before a colon, and what is said; None where there is no such."""
    found = _TURN.match(line) if ":" in line[:NAME_CHARS] else None
    if found is None:
        return None
    name, said = found.groups()
    is_name = name[0].isalpha() and all(each.isalnum() or each in _IN_NAMES for each in name)
    return (name, said) if is_name else None


def _number(text: str) -> float:
    plain = text.replace(",", "")
    return float(plain) if "." in plain else int(plain)


def _json_array(text: str) -> list[object] | None:
    """Return the elements of a text that is a JSON array; None where it is none."""
    fenced = _FENCED.search(text)
    try:
        value = msgspec.json.decode(fenced.group(1) if fenced else text)
        require_readable(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError, RenderError):
        return None
    return value if isinstance(value, list) and value else None


def _first_json(text: str) -> Any:
    """Return the value of the first part of a text that is JSON: all of it, a fenced block, from bracket to bracket."""
    problem = "no JSON"
    for part in _json_parts(text):
        try:
            return msgspec.json.decode(part)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            problem = f"not JSON: {error}"
    raise ParseError(problem)


def _json_parts(text: str) -> Iterator[str]:
    yield text
    if (fenced := _FENCED.search(text)) is not None:
        yield fenced.group(1)
    begins = [place for place in (text.find("{"), text.find("[")) if place >= 0]
    if begins:
        begin = min(begins)
        yield text[begin : text.rfind("}" if text[begin] == "{" else "]") + 1]
