"""A line of the corpus, as far as an export reads it, in the two views that formats need.

Rule of this file: nothing is lost or invented on the way; what does not fit a view is an error that names the record.
"""

from typing import Literal

import msgspec

from corpusmill.exports.errors import ExportError


class Message(msgspec.Struct, frozen=True):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class Record(msgspec.Struct, frozen=True):
    """A record of one of the three forms: `messages`, `prompt` and `completion`, or a preference after either.

    Attributes:
        split: `train` or `validation`; None where the job has no split.
        values: the axis values, as they stand in the line.
        chosen, rejected: of a preference; None in the other forms.
    """

    id: str
    index: int
    example: str
    values: msgspec.Raw
    messages: tuple[Message, ...] | None = None
    prompt: str = ""
    completion: str = ""
    split: str | None = None
    chosen: str | None = None
    rejected: str | None = None


class Exchange(msgspec.Struct, frozen=True):
    """One question and its answer, with the system message before them, if any."""

    system: str | None
    user: str
    assistant: str


class Preference(msgspec.Struct, frozen=True):
    """Two answers to one question, the better one first; the question is a chat or a text."""

    asked: tuple[Message, ...] | str
    chosen: str
    rejected: str


read_record = msgspec.json.Decoder(Record).decode
"""Reads a line of the corpus."""


def chat_of(record: Record) -> tuple[Message, ...]:
    """Return the record as a chat: prompt and completion become the user's and the assistant's message.

    Raises:
        ExportError: the prompt is empty, so that nobody has asked anything, or the record is a preference.
    """
    _require_one_answer(record)
    if record.messages is not None:
        return record.messages
    if not record.prompt.strip():
        raise ExportError(f"{_named(record)} has an empty prompt, which is no message of a chat; {_WAY_OUT}")
    return (Message("user", record.prompt), Message("assistant", record.completion))


def exchange_of(record: Record) -> Exchange:
    """Return the record as one exchange.

    Raises:
        ExportError: it is a chat of more, or other, than one user's and one assistant's message, or a preference.
    """
    _require_one_answer(record)
    if record.messages is None:
        return Exchange(None, record.prompt, record.completion)
    roles = tuple(message.role for message in record.messages)
    texts = [message.content for message in record.messages]
    if roles == ("user", "assistant"):
        return Exchange(None, *texts)
    if roles == ("system", "user", "assistant"):
        return Exchange(*texts)
    raise ExportError(f"{_named(record)} is a chat of {', '.join(roles)}, which is not one exchange; {_WAY_OUT}")


def preference_of(record: Record) -> Preference:
    """Return the record as a preference.

    Raises:
        ExportError: it has one answer only.
    """
    if record.chosen is None or record.rejected is None:
        raise ExportError(f"{_named(record)} has one answer, which is no preference; {_WAY_OUT}")
    asked = record.prompt if record.messages is None else record.messages
    return Preference(asked, record.chosen, record.rejected)


def _require_one_answer(record: Record) -> None:
    if record.chosen is not None:
        raise ExportError(f"{_named(record)} is a preference, with two answers; {_WAY_OUT}")


def _named(record: Record) -> str:
    return f"record {record.id}, of example {record.example},"


_WAY_OUT = "take records of another example with --example NAME, or another --format"
