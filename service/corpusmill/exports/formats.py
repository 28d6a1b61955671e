"""The JSON lines formats of trainers: what one record becomes in each.

Rule of this file: a format is a function from a record to the object of its line; the table below is all there are.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from corpusmill.exports.record import Message, Record, chat_of, exchange_of, preference_of

Convert = Callable[[Record], Mapping[str, Any]]
"""Makes the object of a line; ExportError where the record does not fit the format."""

SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt"}
"""What ShareGPT calls the roles of a chat."""


def openai_chat(record: Record) -> Mapping[str, Any]:
    """Return a line of OpenAI's chat fine-tuning format."""
    return {"messages": chat_of(record)}


def prompt_completion(record: Record) -> Mapping[str, Any]:
    """Return a line of the older prompt and completion format; a system message opens the prompt."""
    exchange = exchange_of(record)
    prompt = exchange.user if exchange.system is None else f"{exchange.system}\n\n{exchange.user}"
    return {"prompt": prompt, "completion": exchange.assistant}


def sharegpt(record: Record) -> Mapping[str, Any]:
    """Return a line as ShareGPT's dumps have it."""
    return {
        "conversations": [{"from": SPEAKERS[message.role], "value": message.content} for message in chat_of(record)]
    }


def alpaca(record: Record) -> Mapping[str, Any]:
    """Return a line as Stanford Alpaca's; `system` only where there is one, as LLaMA-Factory reads it."""
    exchange = exchange_of(record)
    system = {} if exchange.system is None else {"system": exchange.system}
    return {"instruction": exchange.user, "input": "", "output": exchange.assistant, **system}


def trl_preference(record: Record) -> Mapping[str, Any]:
    """Return a line of TRL's preference type with an explicit prompt; conversational where that is a chat."""
    preference = preference_of(record)
    if isinstance(preference.asked, str):
        return {"prompt": preference.asked, "chosen": preference.chosen, "rejected": preference.rejected}
    return {
        "prompt": preference.asked,
        "chosen": _answer(preference.chosen),
        "rejected": _answer(preference.rejected),
    }


def openai_preference(record: Record) -> Mapping[str, Any]:
    """Return a line of OpenAI's preference fine-tuning (DPO) format."""
    preference = preference_of(record)
    asked = preference.asked
    return {
        "input": {"messages": (Message("user", asked),) if isinstance(asked, str) else asked},
        "preferred_output": _answer(preference.chosen),
        "non_preferred_output": _answer(preference.rejected),
    }


def _answer(text: str) -> tuple[Message]:
    return (Message("assistant", text),)


JSON_LINES: dict[str, Convert] = {
    "openai-chat": openai_chat,
    "prompt-completion": prompt_completion,
    "sharegpt": sharegpt,
    "alpaca": alpaca,
    "trl-preference": trl_preference,
    "openai-preference": openai_preference,
}
"""Name of the format -> what makes its lines."""

encode_line = msgspec.json.Encoder().encode
