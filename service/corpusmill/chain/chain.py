"""A job's chain of steps: prompts from values.

Rule of this file: no state between items. How an item goes through the chain is its walk (`chain.walk`).
"""

from typing import Literal

import msgspec

from corpusmill.chain.completion import Message, Prompt
from corpusmill.chain.step import CompiledStep, Values, compile_steps
from corpusmill.space.item import Item
from corpusmill.space.nonce import nonce
from corpusmill.spec.errors import RenderError
from corpusmill.spec.schema import JobSpec


class Chain:
    """The steps of a job, in order."""

    def __init__(self, spec: JobSpec) -> None:
        self.seed = spec.seed
        self.steps = compile_steps(spec)

    def values(self, item: Item) -> Values:
        """Return what the templates of an item see before its first step."""
        return {**item.values, "index": item.index, "draw": item.draw}

    def prompt(self, step: CompiledStep, values: Values, attempt: int, part: int = 0) -> Prompt:
        """Render a step's prompt, and leave the nonce it reads among the values.

        Args:
            step: the step.
            values: what its templates see.
            attempt: how many completions were asked for at this step, and part of it, before.
            part: which of the calls that the step takes.

        Raises:
            RenderError: the template cannot be rendered with these values.
        """
        values["nonce"] = nonce(self.seed, values["index"], attempt, part)
        system = step.system.render(values) if step.system is not None else None
        history = conversation(step.conversation.evaluate(values)) if step.conversation is not None else ()
        return Prompt("chat" if step.api == "chat" else "completions", step.prompt.render(values), system, history)


def conversation(value: object) -> tuple[Message, ...]:
    """Return messages that a spec's expression gave.

    Raises:
        RenderError: it is no list of messages.
    """
    try:
        messages = msgspec.convert(value, list[_Told])
    except msgspec.ValidationError as error:
        raise RenderError(f"`conversation` gives no list of messages: {error}") from None
    return tuple(Message(message.role, message.content) for message in messages)


class _Told(msgspec.Struct):
    role: Literal["user", "assistant"]
    content: str
