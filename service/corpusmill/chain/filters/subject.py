"""What filters judge, and what they say of it."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from corpusmill.chain.completion import Prompt
from corpusmill.chain.filters.sample import is_sampled


class Rejection(msgspec.Struct, frozen=True):
    """Why something is not kept.

    Attributes:
        reason: one of a closed set of words.
        detail: for people.
        also: of a sampled item, the reasons of the other conditions that fail.
    """

    reason: str
    detail: str
    also: tuple[str, ...] = ()


class Subject(msgspec.Struct, frozen=True):
    """What is judged, and what later steps see: one choice of a completion, or what a step makes of several.

    Attributes:
        text: cleaned, without white space around it.
        finish_reason: why the text ended.
        output: what the step's `parse` makes of the text; the text itself where it is not parsed.
        prompt: what was asked; None where nothing was.
        values: what the prompt's template saw: axis values, outputs of earlier steps, `nonce`.
    """

    text: str
    finish_reason: str
    output: object
    prompt: Prompt | None
    values: Mapping[str, Any]

    @property
    def is_sampled(self) -> bool:
        """Whether it is of an item that all conditions judge."""
        return is_sampled(self.values.get("index", -1))


Check = Callable[[Subject], Rejection | None]

Edit = Callable[[Subject], Subject]
"""Takes something off what was parsed."""
