"""What a kept item contributes to the corpus."""

from typing import Annotated, Literal

from msgspec import Meta

from corpusmill.spec.schema.words import Identifier, Share, Strict


class Message(Strict, frozen=True):
    """One message of a chat example."""

    role: Literal["system", "user", "assistant"]
    content: Annotated[str, Meta(min_length=1, max_length=1_000_000)]


class Example(Strict, frozen=True):
    """One record that a kept item contributes: either `prompt` and `completion`, or `messages`."""

    name: Identifier
    prompt: Annotated[str, Meta(max_length=1_000_000)] | None = None
    completion: Annotated[str, Meta(min_length=1, max_length=1_000_000)] | None = None
    messages: Annotated[list[Message], Meta(min_length=1)] | None = None


class Split(Strict, frozen=True):
    """Mark a share of the corpus as validation; items that agree on `by` never lie on both sides.

    Attributes:
        validation: the share of groups, between 0 and 1.
        by: `item`, or the name of an axis.
    """

    validation: Share
    by: str = "item"
