"""How an example is put together: its form, its templates and expressions, and the names that only they see.

Rule of this file: pure functions of the accepted structs, for the checks, for the records and for a plan alike.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from .schema import Example

Form = Literal["completion", "chat", "preference"]

CHOICE, REJECTION = "chosen", "rejected"
ELEMENTS = ("element", "position")
PAIRS = ("better", "worse", "better_score", "worse_score")
TURN = "form"


class Part(msgspec.Struct, frozen=True):
    """A template or an expression of an example.

    Attributes:
        path: within the example, such as `messages[0].content`.
        source: what stands there.
        is_expression: whether it gives a value, not a text.
        sees: the names that it sees beside axes, outputs and what every template sees.
    """

    path: str
    source: str
    is_expression: bool
    sees: tuple[str, ...]


def form_of(example: Example) -> Form:
    """Return which form of record a checked example has."""
    if example.chosen is not None:
        return "preference"
    return "completion" if example.completion is not None else "chat"


def own_names(example: Example) -> tuple[str, ...]:
    """Return what the templates of an example see beside axes, outputs and what every template sees."""
    return (*_of_fan_out(example), *((TURN,) if example.forms is not None else ()))


def parts_of(example: Example) -> Iterator[Part]:
    """Yield the templates and expressions of an example, in the order in which they are evaluated."""
    fan_out, every = _of_fan_out(example), own_names(example)
    if example.each is not None:
        yield Part("each", example.each, True, ())
    if example.pairs is not None:
        yield Part("pairs.of", example.pairs.of, True, ())
        yield Part("pairs.by", example.pairs.by, True, ())
    if example.when is not None:
        yield Part("when", example.when, True, fan_out)
    for number, source in enumerate(example.forms or ()):
        yield Part(f"forms[{number}]", source, False, fan_out)
    if example.conversation is not None:
        yield Part("conversation", example.conversation, True, fan_out)
    for number, message in enumerate(example.messages or ()):
        yield Part(f"messages[{number}].content", message.content, False, every)
    for field in ("prompt", "completion", CHOICE, REJECTION):
        if (text := getattr(example, field)) is not None:
            yield Part(field, text, False, every)


def _of_fan_out(example: Example) -> tuple[str, ...]:
    return (*(ELEMENTS if example.each is not None else ()), *(PAIRS if example.pairs is not None else ()))
