"""What goes over the wire: OpenAI's requests as far as they are simulated, and its answers.

Rule of this file: structs and their reading; the two kinds of request become one `Call`. Unknown fields of a request
are ignored, as a sampling parameter changes nothing in invented text; what would change the form of the answer and is
not simulated (streaming, token ids as a prompt) is refused.
"""

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from corpusmill.simulate.errors import invalid_request

Request = TypeVar("Request")
MAX_CHOICES = 128
LEGACY_MAX_TOKENS = 16
"""What `/completions` stops at when `max_tokens` is not given (OpenAI API reference)."""

Choices = Annotated[int, Meta(ge=1, le=MAX_CHOICES)]
MaxTokens = Annotated[int, Meta(ge=1, le=10_000_000)]
Stop = str | Annotated[list[str], Meta(max_length=16)] | None


class Part(msgspec.Struct, frozen=True):
    """One part of a message's content; only text counts."""

    type: str
    text: str = ""


class Message(msgspec.Struct, frozen=True):
    """One message of a request."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    def text(self) -> str:
        """The content as one string."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class ResponseFormat(msgspec.Struct, frozen=True):
    """The form the answer must have."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: dict[str, Any] | None = None


class ChatRequest(msgspec.Struct, frozen=True):
    """Body of POST /chat/completions."""

    model: str
    messages: Annotated[list[Message], Meta(min_length=1, max_length=10_000)]
    n: Choices | None = None
    max_tokens: MaxTokens | None = None
    max_completion_tokens: MaxTokens | None = None
    stop: Stop = None
    stream: bool | None = None
    response_format: ResponseFormat | None = None


class CompletionRequest(msgspec.Struct, frozen=True):
    """Body of POST /completions, the legacy interface."""

    model: str
    prompt: str | Annotated[list[str], Meta(min_length=1, max_length=MAX_CHOICES)]
    n: Choices | None = None
    max_tokens: MaxTokens | None = None
    stop: Stop = None
    stream: bool | None = None


class Call(msgspec.Struct, frozen=True):
    """What is asked, whichever interface it came through.

    Attributes:
        prompts: the texts to answer; a chat has one, all its messages joined.
        identity: what makes two calls the same prompt.
        prompt_tokens: a count, not an estimate: the endpoint's own tokenizer is four characters a token.
        choices: answers wanted for each prompt.
        max_tokens: of each answer; None means as long as it comes.
        response_format: asked for explicitly.
    """

    model: str
    chat: bool
    prompts: tuple[str, ...]
    identity: str
    prompt_tokens: int
    choices: int
    max_tokens: int | None
    stop: tuple[str, ...]
    response_format: ResponseFormat | None = None


class PromptTokens(msgspec.Struct, frozen=True):
    """Of the prompt's tokens, those answered from a cache."""

    cached_tokens: int
    audio_tokens: int = 0


class CompletionTokens(msgspec.Struct, frozen=True):
    """Of the answer's tokens, those nobody sees."""

    reasoning_tokens: int = 0
    audio_tokens: int = 0


class Usage(msgspec.Struct, frozen=True):
    """What a call used, in tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokens
    completion_tokens_details: CompletionTokens


class Said(msgspec.Struct, frozen=True):
    """An answer's message."""

    content: str
    role: str = "assistant"
    refusal: None = None


class ChatChoice(msgspec.Struct, frozen=True):
    """One answer of a chat."""

    index: int
    message: Said
    finish_reason: str
    logprobs: None = None


class TextChoice(msgspec.Struct, frozen=True):
    """One answer of the legacy interface."""

    index: int
    text: str
    finish_reason: str
    logprobs: None = None


class Completion(msgspec.Struct, frozen=True):
    """Body of an answered request."""

    id: str
    object: str
    created: int
    model: str
    choices: list[ChatChoice] | list[TextChoice]
    usage: Usage
    system_fingerprint: str = "simulated"


_chat_decoder = msgspec.json.Decoder(ChatRequest)
_completion_decoder = msgspec.json.Decoder(CompletionRequest)


def tokens_of(text: str) -> int:
    """Tokens of a text: four characters each, the last may be shorter."""
    return (len(text) + 3) // 4


def read_chat(body: bytes) -> Call:
    """The call of a chat request.

    Raises:
        ApiError: it is not a valid request.
    """
    request = _decode(_chat_decoder, body)
    _refuse_streaming(request.stream)
    texts = [message.text() for message in request.messages]
    return Call(
        model=request.model,
        chat=True,
        prompts=("\n\n".join(texts),),
        identity="\x1e".join(
            f"{message.role}\x1f{text}" for message, text in zip(request.messages, texts, strict=True)
        ),
        prompt_tokens=sum(tokens_of(text) + 4 for text in texts) + 3,
        choices=request.n or 1,
        max_tokens=request.max_completion_tokens or request.max_tokens,
        stop=_stop(request.stop),
        response_format=request.response_format,
    )


def read_completion(body: bytes) -> Call:
    """The call of a legacy completion request.

    Raises:
        ApiError: it is not a valid request.
    """
    request = _decode(_completion_decoder, body)
    _refuse_streaming(request.stream)
    prompts = (request.prompt,) if isinstance(request.prompt, str) else tuple(request.prompt)
    return Call(
        model=request.model,
        chat=False,
        prompts=prompts,
        identity="\x1e".join(("completion", *prompts)),
        prompt_tokens=sum(tokens_of(prompt) for prompt in prompts),
        choices=request.n or 1,
        max_tokens=request.max_tokens or LEGACY_MAX_TOKENS,
        stop=_stop(request.stop),
    )


def _decode(decoder: "msgspec.json.Decoder[Request]", body: bytes) -> Request:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise invalid_request(f"The request is not valid: {error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise invalid_request(f"The request body is not JSON: {error}.") from error


def _refuse_streaming(stream: bool | None) -> None:
    if stream:
        raise invalid_request("Streaming is not simulated: leave `stream` out or set it to false.", "stream")


def _stop(stop: str | list[str] | None) -> tuple[str, ...]:
    sequences = (stop,) if isinstance(stop, str) else tuple(stop or ())
    return tuple(sequence for sequence in sequences if sequence)
