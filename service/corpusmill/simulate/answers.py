"""The completion of a call: texts, finish reasons and usage.

Rule of this file: pure; a call, a key and a fault make one completion. Text is cut the way an endpoint cuts it: at the
earliest stop sequence, then at `max_tokens`.
"""

import msgspec
from msgspec.structs import replace

from corpusmill.simulate.brief import Brief, read_brief
from corpusmill.simulate.chance import derive, unit
from corpusmill.simulate.faults import Fault
from corpusmill.simulate.findings import Care
from corpusmill.simulate.text import invent, pooled, refusal, reworded
from corpusmill.simulate.wire import (
    Call,
    ChatChoice,
    Completion,
    CompletionTokens,
    PromptTokens,
    Said,
    TextChoice,
    Usage,
    tokens_of,
)


class Origin(msgspec.Struct, frozen=True):
    """Where and when a completion comes from: its id, the time of the day in whole seconds, and cached tokens."""

    id: str
    created: int
    cached_tokens: int = 0


class Author(msgspec.Struct, frozen=True):
    """Who writes.

    Attributes:
        seed_key: the key of the seed, of which duplicates are made.
        text_chars: the mean length of a plot.
        care: with which notes are read.
        bias: of a judge's verdicts, the share that falls on what stands first.
    """

    seed_key: int
    text_chars: int
    care: Care = Care()
    bias: float = 0.0


def complete(author: Author, call: Call, key: int, fault: Fault | None, origin: Origin) -> Completion:
    """The completion of the call whose prompt has this key, with this fault of the text, if any."""
    answers: list[tuple[str, str]] = []
    for number, prompt in enumerate(call.prompts):
        brief = replace(read_brief(prompt, call.response_format), care=author.care, bias=author.bias)
        for choice in range(call.choices):
            choice_key = derive(key, "choice", number * call.choices + choice)
            answers.append(_cut(call, *_written(author, brief, choice_key, fault)))
    used = sum(tokens_of(text) for text, _ in answers)
    return Completion(
        id=origin.id,
        object="chat.completion" if call.chat else "text_completion",
        created=origin.created,
        model=call.model,
        choices=[] if fault is Fault.EMPTY_CHOICE else _choices(call.chat, answers),
        usage=Usage(
            prompt_tokens=call.prompt_tokens,
            completion_tokens=used,
            total_tokens=call.prompt_tokens + used,
            prompt_tokens_details=PromptTokens(min(origin.cached_tokens, call.prompt_tokens)),
            completion_tokens_details=CompletionTokens(),
        ),
    )


def _written(author: Author, brief: Brief, key: int, fault: Fault | None) -> tuple[str, str]:
    """A text and why it ends."""
    match fault:
        case Fault.REFUSAL:
            return refusal(key), "stop"
        case Fault.CONTENT_FILTER:
            return "", "content_filter"
        case Fault.EXACT_DUPLICATE:
            return pooled(brief, author.seed_key, key, author.text_chars), "stop"
        case Fault.NEAR_DUPLICATE:
            return reworded(pooled(brief, author.seed_key, key, author.text_chars), derive(key, "reword")), "stop"
        case Fault.LENGTH:
            text = invent(brief, key, author.text_chars)
            return text[: max(1, int(len(text) * (0.4 + 0.4 * unit(key, "cut"))))], "length"
        case _:
            return invent(brief, key, author.text_chars), "stop"


def _cut(call: Call, text: str, finish_reason: str) -> tuple[str, str]:
    ends = [place for sequence in call.stop if (place := text.find(sequence)) >= 0]
    if ends:
        text, finish_reason = text[: min(ends)], "stop"
    if call.max_tokens is not None and tokens_of(text) > call.max_tokens:
        text, finish_reason = text[: call.max_tokens * 4], "length"
    return text, finish_reason


def _choices(chat: bool, answers: list[tuple[str, str]]) -> list[ChatChoice] | list[TextChoice]:
    if chat:
        return [ChatChoice(index, Said(text), reason) for index, (text, reason) in enumerate(answers)]
    return [TextChoice(index, text, reason) for index, (text, reason) in enumerate(answers)]
