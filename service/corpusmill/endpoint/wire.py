"""The JSON of chat completions and of legacy completions, as far as this program reads and writes it.

The rule of this file: decode exactly what is needed, and never lose an answer for a field that is not. The two
interfaces are described in OpenAI's API reference; what other servers do differently is said where it is dealt with.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from corpusmill.chain.completion import Choice, Completion, Prompt, Usage
from corpusmill.endpoint.error_body import ErrorReport, read_error
from corpusmill.endpoint.failures import Failure, FailureKind, refused

REFUSAL: Final = "refusal"
EXPLAINED_EMPTINESS: Final = frozenset({"length", "content_filter", "tool_calls", "function_call", REFUSAL})
"""Finish reasons that account for an empty text, as a reasoning model's budget spent on reasoning does."""

_TOKENS_MOST: Final = 10**8
"""What is more is a counter gone wrong: no context is near a hundred million tokens."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=_TOKENS_MOST)]


class _ContentPart(msgspec.Struct, gc=False):
    text: str | None = None


class _Message(msgspec.Struct, gc=False):
    content: str | list[_ContentPart] | None = None
    refusal: str | None = None


class _ChatChoice(msgspec.Struct, gc=False):
    message: _Message
    finish_reason: str | None = None


class _ChatBody(msgspec.Struct, gc=False):
    choices: list[_ChatChoice]
    usage: msgspec.Raw = msgspec.Raw()


class _TextChoice(msgspec.Struct, gc=False):
    text: str | None
    finish_reason: str | None = None


class _TextBody(msgspec.Struct, gc=False):
    choices: list[_TextChoice]
    usage: msgspec.Raw = msgspec.Raw()


class _PromptDetails(msgspec.Struct, gc=False):
    cached_tokens: _Count | None = None


class _CompletionDetails(msgspec.Struct, gc=False):
    reasoning_tokens: _Count | None = None


class _Usage(msgspec.Struct, gc=False):
    prompt_tokens: Annotated[int, msgspec.Meta(gt=0, le=_TOKENS_MOST)]
    completion_tokens: _Count
    total_tokens: _Count | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: _Count | None = None  # DeepSeek's name for the cached tokens


class _Model(msgspec.Struct, gc=False):
    id: str


class _ModelListing(msgspec.Struct, gc=False):
    data: list[_Model]


_decode_chat: Final = msgspec.json.Decoder(_ChatBody).decode
_decode_text: Final = msgspec.json.Decoder(_TextBody).decode
_decode_usage: Final = msgspec.json.Decoder(_Usage, strict=False).decode
_decode_models: Final = msgspec.json.Decoder(_ModelListing | list[_Model]).decode
_encode: Final = msgspec.json.Encoder().encode


def encode_call(model: str, prompt: Prompt, parameters: Mapping[str, Any]) -> bytes:
    """The body of a call. `parameters` go as they are, but for `stream`: an answer is read whole.

    Raises:
        TypeError, ValueError, RecursionError: a parameter that JSON cannot say, or text that is not valid Unicode.
    """
    body = {**parameters, "model": model}
    if prompt.api == "completions":
        body["prompt"] = prompt.text
    elif prompt.system is None and not prompt.history:
        body["messages"] = [{"role": "user", "content": prompt.text}]
    else:
        body["messages"] = _messages(prompt)
    if "stream" in body:
        body["stream"] = False
    return _encode(body)


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    system = [{"role": "system", "content": prompt.system}] if prompt.system is not None else []
    history = [{"role": turn.role, "content": turn.text} for turn in prompt.history]
    return [*system, *history, {"role": "user", "content": prompt.text}]


def decode_answer(
    api: Literal["chat", "completions"], body: bytes, model: str, request_id: str = ""
) -> Completion | Failure:
    """The completion in the body of a successful response, or why there is none in it."""
    try:
        if not body.isascii():
            body.decode()
        choices, raw_usage = _read_chat(body) if api == "chat" else _read_text(body)
    except (ValueError, RecursionError):
        return _not_a_completion(body, model)
    usage = _read_usage(raw_usage)
    for choice in choices:
        if choice.text or choice.finish_reason in EXPLAINED_EMPTINESS:
            return Completion(choices, usage or Usage(), one_line(body), usage is not None, request_id)
    return _empty(choices, body, model, usage)


def decode_choices(api: Literal["chat", "completions"], body: bytes) -> tuple[Choice, ...]:
    """The choices in the body of a completion that was decoded before, when it came.

    Raises:
        ValueError, RecursionError: it is none.
    """
    return (_read_chat(body) if api == "chat" else _read_text(body))[0]


def one_line(body: bytes) -> bytes:
    """JSON without line breaks: valid JSON has them only between its tokens."""
    return body.translate(None, b"\r\n") if b"\n" in body or b"\r" in body else body


def _read_chat(body: bytes) -> tuple[tuple[Choice, ...], msgspec.Raw]:
    answer = _decode_chat(body)
    return tuple([_chat_choice(choice) for choice in answer.choices]), answer.usage


def _read_text(body: bytes) -> tuple[tuple[Choice, ...], msgspec.Raw]:
    answer = _decode_text(body)
    return tuple([Choice(choice.text or "", choice.finish_reason or "") for choice in answer.choices]), answer.usage


def _chat_choice(choice: _ChatChoice) -> Choice:
    """A refusal of OpenAI's structured outputs stands in a field of its own and is told as its finish reason."""
    message = choice.message
    content = message.content
    if isinstance(content, list):
        content = "".join([part.text for part in content if part.text])
    if content or not message.refusal:
        return Choice(content or "", choice.finish_reason or "")
    return Choice(message.refusal, REFUSAL)


def _read_usage(raw: msgspec.Raw) -> Usage | None:
    """The billed tokens; None where the server counts none, or nonsense.

    xAI and Google count reasoning beside `completion_tokens` and only add it to `total_tokens`, yet bill it as output,
    so the output is what the total leaves beside the prompt.
    """
    try:
        usage = _decode_usage(raw)
    except ValueError:
        return None
    prompt, output = usage.prompt_tokens, usage.completion_tokens
    if usage.total_tokens is not None:
        output = max(output, usage.total_tokens - prompt)
    cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else None
    if cached is None:
        cached = usage.prompt_cache_hit_tokens or 0
    reasoning = usage.completion_tokens_details.reasoning_tokens if usage.completion_tokens_details else None
    return Usage(prompt, min(cached, prompt), output, min(reasoning or 0, output))


def _empty(choices: tuple[Choice, ...], body: bytes, model: str, usage: Usage | None) -> Failure:
    report = read_error(body)
    if report is not None:
        return _reported(report, model)
    reason = f"an empty text, finish reason {choices[0].finish_reason!r}" if choices else "no choice"
    return Failure(FailureKind.EMPTY_CHOICE, f"the answer has {reason}", 200, maybe_charged=True, usage=usage)


def _not_a_completion(body: bytes, model: str) -> Failure:
    report = read_error(body)
    if report is not None:
        return _reported(report, model)
    text = body.decode(errors="replace")
    return Failure(FailureKind.MALFORMED, f"the answer is not a completion: {text}", 200, maybe_charged=True)


def _reported(report: ErrorReport, model: str) -> Failure:
    """OpenRouter reports an error of the model behind it with HTTP 200; the true status is the error's code."""
    return refused(report.status or 200, report, model, None)


def decode_model_names(body: bytes) -> list[str] | None:
    """The ids in a listing of models; None where the body is none. Together lists them without the object around."""
    try:
        listing = _decode_models(body)
    except (ValueError, RecursionError):
        return None
    return [model.id for model in (listing.data if isinstance(listing, _ModelListing) else listing)]
