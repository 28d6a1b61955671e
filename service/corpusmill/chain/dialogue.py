"""Dialogues: what each speaker is sent, and what is taken of his answer.

Rule of this file: a speaker sees his own turns as the assistant's and everybody else's as the user's, and messages
alternate: many chat templates refuse two of one role in a row.
"""

from collections.abc import Sequence
from itertools import groupby

import msgspec
import re2

from corpusmill.chain.completion import Message, Prompt

Turn = dict[str, object]
"""`speaker` and `text`, as templates see it."""


def addressed(opening: Prompt, *, history: Sequence[Turn], speaker: str, names: Sequence[str], told: bool) -> Prompt:
    """Return the prompt of one turn.

    Args:
        opening: the step's prompt, rendered for this turn.
        history: the turns before.
        speaker: whose turn it is.
        names: of all speakers.
        told: the opening tells the history itself, so nothing is added to it.
    """
    if told:
        return opening
    if opening.api == "completions":
        lines = [opening.text, "", *([transcript(history)] if history else []), f"{speaker}:"]
        return msgspec.structs.replace(opening, text="\n".join(lines))
    messages = _alternating([Message("user", opening.text), *_mirrored(history, speaker, len(names))])
    if messages[-1].role == "assistant":
        raise AssertionError("a speaker never follows himself")
    return msgspec.structs.replace(opening, text=messages[-1].text, history=tuple(messages[:-1]))


def spoken(text: str, speaker: str, names: Sequence[str]) -> str:
    """Return what a speaker says: without his name before it, and without what he lets others say."""
    others = "|".join(re2.escape(name) for name in names if name != speaker)
    text = re2.sub(rf"(?i)^[\s*_]*{re2.escape(speaker)}[\s*_]*:[\s*_]*", "", text)
    found = re2.search(rf"(?im)^[\s*_]*(?:{others})[\s*_]*:", text)
    return (text[: found.start()] if found else text).strip()


def transcript(history: Sequence[Turn]) -> str:
    """Return turns as lines of `NAME: text`."""
    return "\n".join(f"{turn['speaker']}: {turn['text']}" for turn in history)


def _mirrored(history: Sequence[Turn], speaker: str, speakers: int) -> list[Message]:
    """Return the turns as one of the speakers sees them; with more than two, others' turns carry their names."""
    messages = []
    for turn in history:
        if turn["speaker"] == speaker:
            messages.append(Message("assistant", str(turn["text"])))
        else:
            name = f"{turn['speaker']}: " if speakers > 2 else ""
            messages.append(Message("user", f"{name}{turn['text']}"))
    return messages


def _alternating(messages: Sequence[Message]) -> list[Message]:
    """Return the messages with those of one role in a row joined into one."""
    return [
        Message(role, "\n\n".join(message.text for message in row))
        for role, row in groupby(messages, key=lambda message: message.role)
    ]
