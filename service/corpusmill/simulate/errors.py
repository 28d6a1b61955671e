"""Everything the endpoint refuses with, in the form of OpenAI's error bodies.

Rule of this file: one function per kind of refusal; status, `type` and `code` are those a client decides by.
"""

import math
from collections.abc import Callable

import msgspec

from corpusmill.simulate.allowance import Refusal, duration_text
from corpusmill.simulate.faults import Fault


class ErrorBody(msgspec.Struct, frozen=True):
    """The `error` object of a response."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ApiError(Exception):
    """A request that is answered with an error.

    Attributes:
        status: the HTTP status.
        outcome: what the ledger counts it as.
        body: what the client is told.
        headers: beside those of every response.
    """

    def __init__(self, status: int, outcome: str, body: ErrorBody, headers: dict[str, str] | None = None) -> None:
        super().__init__(body.message)
        self.status = status
        self.outcome = outcome
        self.body = body
        self.headers = headers or {}

    def encoded(self) -> bytes:
        """The body as JSON."""
        return msgspec.json.encode({"error": self.body})


def invalid_request(message: str, param: str | None = None) -> ApiError:
    """The request is not of the form the API takes."""
    return ApiError(400, "invalid_request", ErrorBody(message, "invalid_request_error", param))


def body_too_large(limit_bytes: int) -> ApiError:
    """The body is larger than the endpoint reads."""
    message = f"The request body is larger than {limit_bytes:,} bytes."
    return ApiError(413, "body_too_large", ErrorBody(message, "invalid_request_error", None, "request_too_large"))


def unknown_address(method: str, path: str) -> ApiError:
    """There is nothing at this address."""
    body = ErrorBody(f"Unknown request URL: {method} {path}.", "invalid_request_error", None, "unknown_url")
    return ApiError(404, "unknown_address", body)


def model_not_found(model: str) -> ApiError:
    """No such model here."""
    message = f"The model `{model[:200]}` does not exist or you do not have access to it."
    body = ErrorBody(message, "invalid_request_error", None, "model_not_found")
    return ApiError(404, "model_not_found", body)


def invalid_api_key(outcome: str = "invalid_api_key") -> ApiError:
    """The key is missing or wrong; it is never repeated."""
    message = "No API key was given, or an incorrect one."
    return ApiError(401, outcome, ErrorBody(message, "invalid_request_error", None, "invalid_api_key"))


def rate_limit_reached(model: str, refusal: Refusal) -> ApiError:
    """Not now, or, when the request is larger than the whole limit, never."""
    figures = f"Limit {refusal.limit}, Used {refusal.used}, Requested {refusal.requested}"
    limit = _limit_name(refusal)
    if refusal.wait_seconds is None:
        message = f"Request too large for {model} on {limit}: Limit {refusal.limit}, Requested {refusal.requested}."
        return _rate_limited("request_too_large", message, refusal.kind, {})
    message = (
        f"Rate limit reached for {model} on {limit}: {figures}. "
        f"Please try again in {duration_text(refusal.wait_seconds)}."
    )
    outcome = f"rate_limited_{refusal.kind}"
    return _rate_limited(outcome, message, refusal.kind, retry_after(refusal.wait_seconds))


def retry_after(seconds: float) -> dict[str, str]:
    """The two headers that tell how long to wait, both rounded up."""
    milliseconds = math.ceil(seconds * 1_000 - 1e-6)
    return {"retry-after": str(max(1, math.ceil(milliseconds / 1_000))), "retry-after-ms": str(milliseconds)}


def _rate_limited(outcome: str, message: str, kind: str, headers: dict[str, str]) -> ApiError:
    return ApiError(429, outcome, ErrorBody(message, kind, None, "rate_limit_exceeded"), headers)


def _limit_name(refusal: Refusal) -> str:
    if refusal.period_seconds != 60.0:
        return f"{refusal.kind} per {duration_text(refusal.period_seconds)}"
    return "tokens per min (TPM)" if refusal.kind == "tokens" else "requests per min (RPM)"


def _injected_rate_limit(model: str) -> ApiError:
    message = f"Rate limit reached for {model} on requests per min (RPM): a simulated refusal. Please try again in 1s."
    return _rate_limited("rate_limit", message, "requests", retry_after(1.0))


def _quota(_model: str) -> ApiError:
    message = "You exceeded your current quota: a simulated refusal. Please check your plan and billing details."
    return ApiError(429, "quota", ErrorBody(message, "insufficient_quota", None, "insufficient_quota"))


def _unauthorized(_model: str) -> ApiError:
    return invalid_api_key("unauthorized")


def _bad_request(_model: str) -> ApiError:
    message = "The request was refused as malformed: a simulated refusal."
    return ApiError(400, "bad_request", ErrorBody(message, "invalid_request_error", "messages"))


def _context_length(model: str) -> ApiError:
    message = f"The prompt is longer than the context of {model}: a simulated refusal. Please shorten it."
    body = ErrorBody(message, "invalid_request_error", "messages", "context_length_exceeded")
    return ApiError(400, "context_length", body)


def _http_500(_model: str) -> ApiError:
    message = "The server had an error while processing your request: a simulated failure."
    return ApiError(500, "http_500", ErrorBody(message, "server_error", None, None))


def _http_503(_model: str) -> ApiError:
    message = "The engine is currently overloaded: a simulated failure. Please try again later."
    return ApiError(503, "http_503", ErrorBody(message, "server_error", None, "server_is_overloaded"))


REFUSED_AT_THE_DOOR: dict[Fault, Callable[[str], ApiError]] = {
    Fault.RATE_LIMIT: _injected_rate_limit,
    Fault.QUOTA: _quota,
    Fault.UNAUTHORIZED: _unauthorized,
    Fault.BAD_REQUEST: _bad_request,
    Fault.CONTEXT_LENGTH: _context_length,
}
"""Faults that answer at once and charge nothing; each makes its error from the model's name."""

FAILED_INSIDE: dict[Fault, Callable[[str], ApiError]] = {Fault.HTTP_500: _http_500, Fault.HTTP_503: _http_503}
"""Faults that show after the usual latency, when the request was admitted."""
