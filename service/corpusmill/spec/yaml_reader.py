"""YAML text to plain values, with the meaning a person expects and bounded work.

PyYAML parses; its events become values here, because its loaders follow YAML 1.1 (`no` is false, `12:30` is 750), let
the last of two equal keys win, share aliased nodes without limit, and the one built on libyaml overflows the stack on
deep nesting. Scalars follow the core schema of YAML 1.2.2 (section 10.3.2), except that infinity and not-a-number,
which no spec can use, stay text. Mapping keys are text, as written.

Rule of this file: one pass over the events, no recursion; every error is a SpecError with line and column.
"""

import re
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml
from yaml import events

from .errors import SpecError
from .numerals import number
from .portable import MAX_DEPTH
from .wording import quoted

MAX_NODES = 1_000_000

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INTEGER_BASES = {"0o": 8, "0x": 16}
_MAX_NUMBER_CHARS = 100
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
_Loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


def read_yaml(text: str) -> object:
    """The one document of a YAML text as dict (text keys), list, str, int, float, bool and None.

    Raises:
        SpecError: with line and column, for bad syntax, a repeated key, a second document, a tag, or a document that
            is nested deeper than 64 levels or has, its aliases written out, more than 1,000,000 values.
    """
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_Loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text) from None
    except yaml.reader.ReaderError as error:
        code = ord(error.character) if isinstance(error.character, str) else error.character
        before = text[: text.find(chr(code))]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise SpecError("", f"line {line}, column {column}: YAML does not allow the character U+{code:04X}") from None
    return builder.document


@dataclass(slots=True)
class _Collection:
    """A list or mapping whose end has not come yet."""

    value: list[Any] | dict[str, Any]
    anchor: str | None
    nodes: int = 1
    key: str | None = None


class _Builder:
    """Takes the events of one stream in order and builds the document they tell."""

    def __init__(self) -> None:
        self.document: object = None
        self._documents = 0
        self._open: list[_Collection] = []
        self._anchored: dict[str, tuple[object, int]] = {}

    def take(self, event: events.Event) -> None:
        if isinstance(event, events.ScalarEvent):
            self._take_scalar(event)
        elif isinstance(event, events.CollectionStartEvent):
            self._take_start(event)
        elif isinstance(event, events.CollectionEndEvent):
            closed = self._open.pop()
            self._add(closed.value, closed.nodes, closed.anchor, event)
        elif isinstance(event, events.AliasEvent):
            self._take_alias(event)
        elif isinstance(event, events.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                _refuse(event, "a second document starts here; a spec is one document")

    def _take_scalar(self, event: events.ScalarEvent) -> None:
        collection = self._open[-1] if self._open else None
        if collection is not None and isinstance(collection.value, dict) and collection.key is None:
            if event.value in collection.value:
                _refuse(event, f"the key {quoted(event.value)} stands twice in one mapping")
            collection.key = event.value
            return
        self._add(_scalar(event), 1, event.anchor, event)

    def _take_start(self, event: events.CollectionStartEvent) -> None:
        if event.tag is not None:
            _refuse(event, f"tags such as {quoted(event.tag)} are not offered")
        if len(self._open) >= MAX_DEPTH:
            _refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        self._refuse_as_key(event)
        empty: list[Any] | dict[str, Any] = {} if isinstance(event, events.MappingStartEvent) else []
        self._open.append(_Collection(empty, event.anchor))

    def _take_alias(self, event: events.AliasEvent) -> None:
        self._refuse_as_key(event)
        if event.anchor not in self._anchored:
            _refuse(event, f"the alias `*{event.anchor}` has no anchor before it")
        value, nodes = self._anchored[event.anchor]
        self._add(value, nodes, None, event)

    def _refuse_as_key(self, event: events.Event) -> None:
        if self._open and isinstance(self._open[-1].value, dict) and self._open[-1].key is None:
            _refuse(event, "a key must be plain text")

    def _add(self, value: object, nodes: int, anchor: str | None, event: events.Event) -> None:
        if anchor is not None:
            self._anchored[anchor] = (value, nodes)
        if not self._open:
            self.document = value
            return
        collection = self._open[-1]
        collection.nodes += nodes
        if collection.nodes > MAX_NODES:
            _refuse(event, f"more than {MAX_NODES:,} values, aliases written out")
        if isinstance(collection.value, list):
            collection.value.append(value)
        elif collection.key is not None:
            collection.value[collection.key] = value
            collection.key = None


def _scalar(event: events.ScalarEvent) -> str | int | float | bool | None:
    text: str = event.value
    if event.tag in _TEXT_TAGS:
        return text
    if event.tag is not None:
        _refuse(event, f"tags such as {quoted(event.tag)} are not offered")
    if not event.implicit[0]:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if len(text) > _MAX_NUMBER_CHARS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text, _INTEGER_BASES.get(text[:2], 10))
    return number(text) if _FLOAT.fullmatch(text) else text


def _syntax_error(error: yaml.MarkedYAMLError, text: str) -> SpecError:
    mark = error.problem_mark or error.context_mark
    problem = ": ".join(part for part in (error.context, error.problem) if part)
    if mark is None:
        return SpecError("", problem)
    line = text.splitlines()[mark.line : mark.line + 1]
    advice = "; indent with spaces, not with a tab" if line and line[0][mark.column : mark.column + 1] == "\t" else ""
    return SpecError("", f"line {mark.line + 1}, column {mark.column + 1}: {problem}{advice}")


def _refuse(event: events.Event, problem: str) -> NoReturn:
    mark = event.start_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    raise SpecError("", where + problem)
