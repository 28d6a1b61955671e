"""What is asked of a model and what it answered, as plain values.

The rule of this file: values only. Whoever sends a prompt, judges a completion or bills it shares these types and
nothing else.
"""

from typing import Literal

import msgspec


class Usage(msgspec.Struct, frozen=True):
    """Tokens a server billed for one call; the cached ones are part of the input, those of reasoning of the output."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0


class Choice(msgspec.Struct, frozen=True):
    """One answer text and why it ended: "stop", "length", "content_filter", ...; "" where no reason is given."""

    text: str
    finish_reason: str


class Completion(msgspec.Struct, frozen=True):
    """An answered call.

    `body` is the response's JSON as it came but for line breaks between its tokens, so it can stand as one line of
    JSON lines. `usage_known` is false where the server reported no usage; `usage` is then all zeros and must not be
    billed as free. By `request_id` the provider knows the call, where it told one.
    """

    choices: tuple[Choice, ...]
    usage: Usage
    body: bytes
    usage_known: bool = True
    request_id: str = ""


class GaveUp(msgspec.Struct, frozen=True):
    """No completion for a prompt: what its item fails for, a word and its particulars."""

    reason: str
    detail: str


class Message(msgspec.Struct, frozen=True):
    """An earlier message of a chat."""

    role: Literal["user", "assistant"]
    text: str


class Prompt(msgspec.Struct, frozen=True):
    """What one call asks: a chat's last message, the user's; or a legacy completion's prompt.

    Attributes:
        system: the message that a chat begins with, if any.
        history: the messages between `system` and `text`.
    """

    api: Literal["chat", "completions"]
    text: str
    system: str | None = None
    history: tuple[Message, ...] = ()

    @property
    def chars(self) -> int:
        """Characters of all messages."""
        return len(self.text) + len(self.system or "") + sum([len(turn.text) for turn in self.history])

    @property
    def utf8_bytes(self) -> int:
        """Bytes of all messages."""
        texts = (self.text, self.system or "", *[turn.text for turn in self.history])
        return sum([len(text.encode()) for text in texts])
