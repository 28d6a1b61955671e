"""What one record becomes for an open trainer, so that a form means the same to all of them.

Rules of this file: chats and preferences are messages, which go through the chat template of the model; prompts and
completions are plain text. What a trainer learns are the answers. TRL, and Unsloth on it, learn every word of
`messages`, and only the answers where the question stands apart as `prompt`.
"""

from collections.abc import Mapping
from typing import Any

from corpusmill.exports.errors import ExportError
from corpusmill.exports.formats import Convert, prompt_completion
from corpusmill.exports.record import Message, Record, chat_of, preference_of

CHAT, PAIR, PREFERENCE = "openai-chat", "prompt-completion", "openai-preference"


def turns(record: Record) -> Mapping[str, Any]:
    """Return a chat as its messages."""
    return {"messages": _alternating(record, chat_of(record))}


def turns_apart(record: Record) -> Mapping[str, Any]:
    """Return a chat as what comes before the first answer, and all from there on."""
    messages = _alternating(record, chat_of(record))
    first = next(place for place, message in enumerate(messages) if message.role == "assistant")
    return {"prompt": messages[:first], "completion": messages[first:]}


def preference(record: Record) -> Mapping[str, Any]:
    """Return a preference as the question's messages, and one more for each answer."""
    asked, chosen, rejected = _preference(record)
    return {"messages": asked, "chosen": chosen, "rejected": rejected}


def preference_apart(record: Record) -> Mapping[str, Any]:
    """Return a preference in TRL's conversational form with an explicit prompt."""
    asked, chosen, rejected = _preference(record)
    return {"prompt": asked, "chosen": (chosen,), "rejected": (rejected,)}


TOGETHER: Mapping[str, Convert] = {CHAT: turns, PAIR: prompt_completion, PREFERENCE: preference}
APART: Mapping[str, Convert] = {CHAT: turns_apart, PAIR: prompt_completion, PREFERENCE: preference_apart}


def _preference(record: Record) -> tuple[tuple[Message, ...], Message, Message]:
    found = preference_of(record)
    asked = (Message("user", found.asked),) if isinstance(found.asked, str) else found.asked
    _alternating(record, (*asked, Message("assistant", found.chosen)))
    return asked, Message("assistant", found.chosen), Message("assistant", found.rejected)


def _alternating(record: Record, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return the messages; refuse what LLaMA-Factory would leave out, and many a chat template refuse."""
    spoken = messages[1:] if messages and messages[0].role == "system" else messages
    expected = ("user", "assistant")
    if not spoken or len(spoken) % 2 or any(each.role != expected[at % 2] for at, each in enumerate(spoken)):
        roles = ", ".join(message.role for message in messages)
        raise ExportError(
            f"record {record.id}, of example {record.example}, is a chat of {roles}; for a trainer of your own, user "
            "and assistant take turns, after a system message or none: take records of another example with --example"
        )
    return messages
