"""Whether a file can be trained on, as OpenAI's fine-tuning guide asks for it.

Rule of this file: the first fault of a file is told with its line, counted from 1; what is sound is counted.
"""

from typing import Any

import msgspec

from corpusmill.simulate.wire import tokens_of

LEAST_EXAMPLES = 10
"""The guide: at least 10 examples."""

ROLES = ("system", "developer", "user", "assistant", "tool", "function")


class TrainingFileError(Exception):
    """The file cannot be trained on: which line, and why."""


class Measured(msgspec.Struct, frozen=True):
    """What a sound file holds."""

    examples: int
    tokens: int


def measure(content: bytes, *, method: str, least: int = LEAST_EXAMPLES) -> Measured:
    """Count the examples and tokens of a file.

    Args:
        content: JSON lines.
        method: `supervised` or `dpo`.
        least: how many examples there must be.

    Raises:
        TrainingFileError: the first fault.
    """
    examples = tokens = 0
    for number, line in enumerate(content.splitlines(), 1):
        try:
            texts = _texts(msgspec.json.decode(line), method)
        except (ValueError, TrainingFileError) as error:
            raise TrainingFileError(f"Invalid file format. Line {number}: {error}") from None
        examples += 1
        tokens += sum(tokens_of(text) for text in texts)
    if examples < least:
        raise TrainingFileError(f"Training file has {examples} example(s), but must have at least {least} examples")
    return Measured(examples, tokens)


def _texts(example: object, method: str) -> list[str]:
    match example, method:
        case {"messages": list(messages)}, "supervised":
            return _chat(messages, ends_with="assistant")
        case {"prompt": str(prompt), "completion": str(completion)}, "supervised" if completion:
            return [prompt, completion]
        case {
            "input": {"messages": list(asked)},
            "preferred_output": list(chosen),
            "non_preferred_output": list(rejected),
        }, "dpo":
            answers = _chat(chosen, ends_with="assistant") + _chat(rejected, ends_with="assistant")
            return _chat(asked, ends_with="user") + answers
        case _:
            raise TrainingFileError(f"the example has not the keys of method {method}")


def _chat(messages: list[Any], *, ends_with: str) -> list[str]:
    texts: list[str] = []
    role = ""
    for place, message in enumerate(messages):
        match message:
            case {"role": str(role), "content": str(content)} if role in ROLES and content:
                texts.append(content)
            case _:
                raise TrainingFileError(f"message {place} has no known role, or no content")
    if role != ends_with:
        raise TrainingFileError(f"the last message must be of role {ends_with}")
    return texts
