"""Examples: what an item's values make of each, as the content of records.

Rules of this file: pure. The same item and values always give the same contents in the same order, and each has a place
that no other one of its example has.
"""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec

from corpusmill.chain.forms import MOST_ELEMENTS
from corpusmill.chain.step import Values
from corpusmill.spec.errors import RenderError
from corpusmill.spec.examples import TURN, form_of
from corpusmill.spec.schema import Example, Format, Pairs, Role
from corpusmill.spec.template import Expression, Template, compile_expression, compile_template
from corpusmill.spec.wording import kind_of, quoted

MOST_CHARS = 20_000_000
"""Characters of all records of one item at most."""


class FormatError(Exception):
    """What a model wrote does not fit the form of an example: which one, and why."""


class Content(msgspec.Struct, frozen=True):
    """What one record says.

    Attributes:
        place: the record's name within its item: that of its example, and where that has several, which of them.
        example: the example's name.
        fields: `prompt`, `completion`, `messages`, `chosen`, `rejected`, as the form has them.
    """

    place: str
    example: str
    fields: dict[str, Any]

    def texts(self) -> list[str]:
        """Return all that is said, in order."""
        said = [message["content"] for message in self.fields.get("messages", ())]
        return said + [text for name, text in self.fields.items() if name != "messages"]


class CompiledExample:
    """One example, ready to use.

    Args:
        example: of a checked spec.
        seed: the job's.
    """

    def __init__(self, example: Example, seed: int) -> None:
        self._example, self._key = example, str(seed).encode()
        self._form = form_of(example)
        self._when = compile_expression(example.when) if example.when is not None else None
        self._each = compile_expression(example.each) if example.each is not None else None
        self._pairs = _CompiledPairs(example.pairs) if example.pairs is not None else None
        self._forms = tuple(map(compile_template, example.forms or ()))
        self._said = {name: text for name in _SAID if (text := _template(getattr(example, name))) is not None}
        self._messages = tuple((each.role, compile_template(each.content)) for each in example.messages or ())
        self._conversation = compile_expression(example.conversation) if example.conversation is not None else None

    @property
    def gives_one(self) -> bool:
        """Whether each item has exactly one record of it, whatever a model says."""
        example = self._example
        several = self._when or self._each or self._pairs or self._conversation
        return not several and self._form != "preference" and example.keep is None and example.format is None

    def contents(self, values: Values) -> list[Content]:
        """Return the contents of the records that these values come to.

        Raises:
            RenderError: a template or an expression fails with these values.
            FormatError: what a model wrote does not fit.
        """
        name = self._example.name
        several = self._each is not None or self._pairs is not None
        contents: list[Content] = []
        for position, own in enumerate(self._rounds(values)):
            seen = {**values, **own}
            if (self._when is not None and not self._when.evaluate(seen)) or not self._is_kept(values, position):
                continue
            if self._forms:
                seen[TURN] = self._forms[self._turn(values, position)].render(seen)
            if (fields := self._fields(seen)) is not None:
                contents.append(Content(f"{name}.{position}" if several else name, name, fields))
        return contents

    def _rounds(self, values: Values) -> Sequence[Values]:
        """Return what is to be seen in each record beside the item's values."""
        if self._each is not None:
            elements = _list_of(self._each, values, "each")
            return [{"element": element, "position": position} for position, element in enumerate(elements)]
        return self._pairs.pairs(values) if self._pairs is not None else _ONE

    def _is_kept(self, values: Values, position: int) -> bool:
        """Say whether a record is of the share that is kept."""
        share = self._example.keep
        return share is None or self._chance(b"keep", values["index"], position) < share * 2**64

    def _turn(self, values: Values, position: int) -> int:
        """Return which of the forms has its turn.

        Of as many items in a row as there are forms, each has another one, in an order that is shuffled anew each time:
        so forms come equally often, and follow no axis whose values take turns likewise.
        """
        count, index = len(self._forms), int(values["index"])
        block, place = divmod(index, count)
        order = sorted(range(count), key=lambda form: self._chance(b"form", block, form))
        return order[(place + position) % count]

    def _chance(self, what: bytes, *numbers: int) -> int:
        text = ":".join((self._example.name, *map(str, numbers))).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8, key=self._key, person=what).digest())

    def _fields(self, values: Values) -> dict[str, Any] | None:
        """Return what a record says; None where a preference has nothing to tell apart."""
        said = {name: template.render(values) for name, template in self._said.items()}
        if self._form == "preference" and said["chosen"] == said["rejected"]:
            return None
        if self._messages or self._conversation is not None:
            return {"messages": self._chat(values), **said}
        said = {"prompt": str(values.get(TURN, "")), **said}
        return said if self._example.format is None else _marked(said, self._example.format, self._example.name)

    def _chat(self, values: Values) -> list[dict[str, str]]:
        messages = [{"role": role, "content": template.render(values)} for role, template in self._messages]
        if self._conversation is not None:
            start = next((n for n, each in enumerate(messages) if each["role"] != "system"), len(messages))
            messages[start:start] = self._told(self._conversation.evaluate(values))
        last = "user" if self._form == "preference" else "assistant"
        if not messages or messages[-1]["role"] != last:
            raise FormatError(f"example {self._example.name}: the last message is not the {last}'s")
        return messages

    def _told(self, conversation: object) -> list[dict[str, str]]:
        """Return the messages of a conversation."""
        try:
            told = msgspec.convert(conversation, list[_Told])
        except msgspec.ValidationError as error:
            raise RenderError(f"`conversation` gives no list of messages or turns: {error}") from None
        return _merged([self._message(each) for each in told])

    def _message(self, told: "_Told") -> dict[str, str]:
        if told.role is not None:
            return {"role": told.role, "content": told.content}
        role = (self._example.roles or {}).get(told.speaker)
        if role is None:
            raise FormatError(f"example {self._example.name}: `roles` has no {quoted(told.speaker)}")
        return {"role": role, "content": told.text}


class _CompiledPairs:
    def __init__(self, pairs: Pairs) -> None:
        self._of, self._by = compile_expression(pairs.of), compile_expression(pairs.by)
        self._margin, self._most = pairs.margin, pairs.most

    def pairs(self, values: Values) -> list[Values]:
        """Return the pairs of an item, the widest apart first.

        Raises:
            RenderError: there are no lists, they are not of one length, or a score is no number.
        """
        texts, scores = _list_of(self._of, values, "pairs.of"), _list_of(self._by, values, "pairs.by")
        if len(texts) != len(scores):
            raise RenderError(f"`pairs`: {len(texts):,} texts have {len(scores):,} scores; `require: all` keeps both")
        for score in scores:
            if isinstance(score, bool) or not isinstance(score, int | float):
                raise RenderError(f"`pairs.by` gives {kind_of(score)} where a number is needed")
        ranked = sorted(zip(scores, texts, strict=True), key=lambda pair: -pair[0])
        ends = zip(ranked, reversed(ranked), strict=True)
        return [
            {"better": better, "worse": worse, "better_score": high, "worse_score": low}
            for (high, better), (low, worse) in list(ends)[: min(self._most, len(ranked) // 2)]
            if high > low and high - low >= self._margin
        ]


class _Told(msgspec.Struct, frozen=True):
    """One element of a conversation: a message, or a turn of a dialogue."""

    role: Role | None = None
    content: str = ""
    speaker: str = ""
    text: str = ""


def _merged(messages: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Join messages of one role in a row: many chat templates refuse them."""
    grouped = groupby(messages, key=lambda message: message["role"])
    return [{"role": role, "content": "\n".join(each["content"] for each in said)} for role, said in grouped]


def _marked(said: Mapping[str, str], marks: Format, name: str) -> dict[str, str]:
    """Put the marks around what a record of the prompt's form says.

    Raises:
        FormatError: a text holds a mark itself, or there is nothing to complete.
    """
    fields = {"prompt": said["prompt"].rstrip() + marks.separator}
    if marks.separator in said["prompt"].rstrip():
        raise FormatError(f"example {name}: the separator stands in the prompt")
    for part in said.keys() - {"prompt"}:
        text = said[part].strip()
        if not text:
            raise FormatError(f"example {name}: the {part} is empty")
        for mark, what in ((marks.separator.strip() or marks.separator, "separator"), (marks.stop, "stop")):
            if mark and mark in text:
                raise FormatError(f"example {name}: the {what} stands in the {part}")
        fields[part] = (" " if marks.leading_space else "") + text + marks.stop
    return {part: fields[part] for part in said}


def _list_of(expression: Expression, values: Values, name: str) -> Sequence[Any]:
    found = expression.evaluate(values)
    if not isinstance(found, list | tuple):
        raise RenderError(f"`{name}` gives {kind_of(found)} where a list is needed")
    if len(found) > MOST_ELEMENTS:
        raise RenderError(f"`{name}` gives {len(found):,} elements, more than {MOST_ELEMENTS:,}")
    return found


def _template(source: str | None) -> Template | None:
    return compile_template(source) if source is not None else None


_SAID = ("prompt", "completion", "chosen", "rejected")
_ONE: tuple[Values, ...] = ({},)
