"""One line of a file of ready requests, in either of the forms that OpenAI has.

- The cookbook's `api_request_parallel_processor.py`: the body of a request, and `metadata` that is not sent.
- The Batch API's input: `{"custom_id", "method", "url", "body"}`.

Rule of this file: pure; a line is honoured whole, or refused with what cannot be honoured.
"""

from typing import Any, NamedTuple

import msgspec

from corpusmill.spec.wording import described, quoted

URLS = {"/v1/chat/completions": "chat", "/v1/completions": "completions"}
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_NOT_SENT = ("metadata", "model", "messages", "prompt", "stream")


class RequestError(ValueError):
    """A line that cannot be a request of ours: what is wrong with it."""


class Request(NamedTuple):
    """A request.

    Attributes:
        name: its `custom_id`, if it has one.
        api: `chat` or `completions`.
        parameters: all else that is sent with it.
        system: the message it begins with, if any.
        history: the messages between that and the last.
        text: the last message, the user's; or the prompt.
    """

    name: str | None
    api: str
    model: str
    parameters: dict[str, Any]
    system: str | None
    history: list[dict[str, str]]
    text: str


def read_request(line: bytes) -> Request:
    """Return the request of a line.

    Raises:
        RequestError: it is none, or cannot be honoured.
    """
    try:
        whole = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(f"not an object of JSON: {error}") from None
    body, api = whole, ""
    if "body" in whole:
        body, api = _batched(whole)
    name = whole.get("custom_id")
    if name is not None and not (isinstance(name, str) and name.strip()):
        raise RequestError(f"`custom_id` is {described(name)}; expected text")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise RequestError("has no `model`")
    if body.get("stream"):
        raise RequestError("asks for a stream; answers are read whole")
    parameters = {key: value for key, value in body.items() if key not in _NOT_SENT}
    if "messages" in body and api != "completions":
        return Request(name, "chat", model, parameters, *_conversation(body["messages"]))
    if isinstance(prompt := body.get("prompt"), str) and api != "chat":
        return Request(name, "completions", model, parameters, None, [], _inked(prompt))
    raise RequestError("has neither `messages` nor a `prompt`; only completions are asked for, no embeddings")


def _batched(whole: dict[str, Any]) -> tuple[dict[str, Any], str]:
    body, url, method = whole["body"], whole.get("url"), whole.get("method", "POST")
    if not isinstance(body, dict):
        raise RequestError(f"`body` is {described(body)}; expected an object")
    if method != "POST" or url not in URLS:
        raise RequestError(f"{described(method)} to {described(url)}: expected POST to {' or '.join(URLS)}")
    return body, URLS[url]


def _conversation(messages: object) -> tuple[str | None, list[dict[str, str]], str]:
    """Return the system message, the messages behind it, and the last one."""
    if not isinstance(messages, list) or not messages:
        raise RequestError(f"`messages` is {described(messages)}; expected a list of messages")
    plain = [_message(message) for message in messages]
    *history, last = plain
    if last["role"] != "user":
        raise RequestError(f"the last message is the {last['role']}'s; expected the user's")
    system = history.pop(0)["content"] if history and history[0]["role"] == "system" else None
    if any(message["role"] == "system" for message in history):
        raise RequestError("has a system message that is not the first")
    return system, history, _inked(last["content"])


def _message(message: object) -> dict[str, str]:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise RequestError("has a message without a role")
    role = message["role"]
    if role not in _ROLES or "tool_calls" in message:
        raise RequestError(f"has a message of the role {quoted(role)} that is no plain text")
    return {"role": _ROLES[role], "content": _content(message.get("content"))}


def _content(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and content:
        texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        if len(texts) == len(content) and all(isinstance(text, str) for text in texts):
            return "\n".join(map(str, texts))
    raise RequestError("has a message whose content is not text")


def _inked(text: str) -> str:
    if not text.strip():
        raise RequestError("asks nothing: its prompt is empty")
    return text


_decode = msgspec.json.Decoder(dict[str, Any]).decode
