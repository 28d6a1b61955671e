"""What a server says about a call it refused.

The rule of this file: every known form is read into one `ErrorReport`, and a form nobody knows still yields its text.
OpenAI's form is `{"error": {"message", "type", "param", "code"}}`; vLLM has sent the same fields without the outer
"error", FastAPI sends `{"detail"}`, gateways `{"error": "text"}` or `{"message"}`, Google a list around `{"error":
{"code", "status", "details"}}`, OpenRouter a number as `code` and the moderation's verdict as `metadata`.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

MAX_DEPTH: Final = 3


class ErrorReport(msgspec.Struct, frozen=True):
    """A refusal as the server worded it.

    Attributes:
        message: the text for people; "" where there is none.
        codes: error codes and types, the most specific first.
        status: the HTTP status that the body itself names.
        param: the request's parameter that is at fault.
        flagged: a moderation refused this one prompt.
    """

    message: str = ""
    codes: tuple[str, ...] = ()
    status: int | None = None
    param: str | None = None
    flagged: bool = False


def read_error(body: bytes) -> ErrorReport | None:
    """The report in a response's body; None where the body is no JSON object that speaks of an error."""
    try:
        document = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(document, list) and document:
        document = document[0]
    if not isinstance(document, dict):
        return None
    scopes = _scopes(document)
    report = ErrorReport(
        message=next(_texts(scopes), ""),
        codes=tuple(_codes(scopes)),
        status=next(_statuses(scopes), None),
        param=next((scope["param"] for scope in scopes if isinstance(scope.get("param"), str)), None),
        flagged=any(
            "flagged_input" in scope["metadata"] for scope in scopes if isinstance(scope.get("metadata"), dict)
        ),
    )
    return report if report.message or report.codes or report.status else None


def _scopes(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects that may carry an error's fields, the innermost first."""
    scopes = [document]
    for _ in range(MAX_DEPTH):
        inner = scopes[0].get("error") or scopes[0].get("detail")
        if isinstance(inner, list) and inner:
            inner = inner[0]
        if not isinstance(inner, dict):
            break
        scopes.insert(0, inner)
    return scopes


def _texts(scopes: list[dict[str, Any]]) -> Iterator[str]:
    for scope in scopes:
        for name in ("message", "msg", "error", "detail"):
            text = scope.get(name)
            if isinstance(text, str) and text:
                yield text


def _codes(scopes: list[dict[str, Any]]) -> Iterator[str]:
    for scope in scopes:
        details = scope.get("details")
        for detail in details if isinstance(details, list) else ():
            if isinstance(detail, dict) and isinstance(detail.get("reason"), str):
                yield detail["reason"]
        for name in ("code", "type", "status"):
            code = scope.get(name)
            if isinstance(code, str) and code and not code.isdecimal():
                yield code


def _statuses(scopes: list[dict[str, Any]]) -> Iterator[int]:
    for scope in scopes:
        for name in ("code", "status"):
            code = scope.get(name)
            if isinstance(code, str) and code.isascii() and code.isdecimal() and len(code) == 3:
                code = int(code)
            if isinstance(code, int) and 400 <= code <= 599:
                yield code
