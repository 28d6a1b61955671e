"""What can go wrong with a call, and what becomes of its item then.

The rule of this file: two tables decide. One leads from what the server said (status, error code or type) to a kind, a
second from what the transport raised; codes and types come before the bare status, and words count only where a
provider gives no code. Sources: the error guides of OpenAI, Azure, Anthropic, Google, Groq, OpenRouter and DeepSeek.
"""

import enum
import re
from collections.abc import Mapping
from typing import Final

import aiohttp
import msgspec

from corpusmill.chain.completion import Usage
from corpusmill.endpoint.error_body import ErrorReport
from corpusmill.endpoint.errors import NotHttpError


class Fate(enum.Enum):
    """What a failure means for its item and its job."""

    RETRY = "retry"
    """An outage: call again later; it does not use up the item's attempts."""
    RETRY_COUNTED = "retry_counted"
    """A useless answer, which may have been paid for: call again, but count it."""
    FAIL_ITEM = "fail_item"
    """This prompt will never succeed; the others may."""
    STOP_JOB = "stop_job"
    """No call will succeed until somebody mends the account, the key or the configuration."""


class FailureKind(enum.Enum):
    """Why a call has no completion; the value is the reason in metrics and reports."""

    CONNECT = "connect"
    RESET = "reset"
    TIMEOUT = "timeout"
    SERVER_ERROR = "server_error"
    OVERLOADED = "overloaded"
    SLOW_DOWN = "slow_down"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    REQUEST_TOO_LARGE = "request_too_large"
    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    MODEL_NOT_FOUND = "model_not_found"
    MALFORMED = "malformed"
    EMPTY_CHOICE = "empty_choice"

    @property
    def fate(self) -> Fate:
        """What follows from a failure of this kind."""
        return _FATES[self]


_FATES: Final = {
    FailureKind.CONNECT: Fate.RETRY,
    FailureKind.RESET: Fate.RETRY,
    FailureKind.TIMEOUT: Fate.RETRY,
    FailureKind.SERVER_ERROR: Fate.RETRY,
    FailureKind.OVERLOADED: Fate.RETRY,
    FailureKind.SLOW_DOWN: Fate.RETRY,
    FailureKind.RATE_LIMITED: Fate.RETRY,
    FailureKind.QUOTA_EXHAUSTED: Fate.STOP_JOB,
    FailureKind.REQUEST_TOO_LARGE: Fate.FAIL_ITEM,
    FailureKind.BAD_REQUEST: Fate.FAIL_ITEM,
    FailureKind.UNAUTHORIZED: Fate.STOP_JOB,
    FailureKind.MODEL_NOT_FOUND: Fate.STOP_JOB,
    FailureKind.MALFORMED: Fate.RETRY_COUNTED,
    FailureKind.EMPTY_CHOICE: Fate.RETRY_COUNTED,
}


class Failure(msgspec.Struct, frozen=True):
    """A call without a completion.

    Attributes:
        kind: why.
        message: the reason for people: one line, at most 300 characters, without secrets.
        status: the HTTP status, where there was an answer.
        retry_after_seconds: how long the server asks to wait, where it does.
        maybe_charged: the server may have worked on the call, so its tokens count as spent until it is known better.
        usage: what the server billed, where it said so although there is nothing to use in its answer.
        headers: those of the answer that tell the server's rate limits and its id of the call, in lower case.
    """

    kind: FailureKind
    message: str
    status: int | None = None
    retry_after_seconds: float | None = None
    maybe_charged: bool = False
    usage: Usage | None = None
    headers: Mapping[str, str] | None = None

    @property
    def fate(self) -> Fate:
        """What follows for the item and the job."""
        return self.kind.fate


_ANSWERED: Final[dict[tuple[int | None, str | None], FailureKind]] = {
    (None, "insufficient_quota"): FailureKind.QUOTA_EXHAUSTED,
    (None, "credit_balance_exhausted"): FailureKind.QUOTA_EXHAUSTED,
    (None, "organization_spend_limit_exceeded"): FailureKind.QUOTA_EXHAUSTED,
    (None, "organization_usage_limit_exceeded"): FailureKind.QUOTA_EXHAUSTED,
    (None, "project_spend_limit_exceeded"): FailureKind.QUOTA_EXHAUSTED,
    (None, "billing_hard_limit_reached"): FailureKind.QUOTA_EXHAUSTED,
    (None, "billing_not_active"): FailureKind.QUOTA_EXHAUSTED,
    (None, "billing_error"): FailureKind.QUOTA_EXHAUSTED,
    (402, None): FailureKind.QUOTA_EXHAUSTED,
    (None, "context_length_exceeded"): FailureKind.REQUEST_TOO_LARGE,
    (None, "string_above_max_length"): FailureKind.REQUEST_TOO_LARGE,
    (None, "string_too_long"): FailureKind.REQUEST_TOO_LARGE,
    (None, "request_too_large"): FailureKind.REQUEST_TOO_LARGE,
    (413, "rate_limit_exceeded"): FailureKind.REQUEST_TOO_LARGE,  # Groq: one request above the whole minute's tokens
    (413, None): FailureKind.REQUEST_TOO_LARGE,
    (None, "slow_down"): FailureKind.SLOW_DOWN,
    (None, "server_is_overloaded"): FailureKind.OVERLOADED,
    (None, "overloaded_error"): FailureKind.OVERLOADED,
    (498, None): FailureKind.OVERLOADED,  # Groq: flex capacity exceeded
    (503, None): FailureKind.OVERLOADED,
    (529, None): FailureKind.OVERLOADED,
    (None, "rate_limit_exceeded"): FailureKind.RATE_LIMITED,
    (None, "rate_limit_error"): FailureKind.RATE_LIMITED,
    (429, None): FailureKind.RATE_LIMITED,
    (None, "model_not_found"): FailureKind.MODEL_NOT_FOUND,
    (None, "DeploymentNotFound"): FailureKind.MODEL_NOT_FOUND,  # Azure
    (None, "invalid_api_key"): FailureKind.UNAUTHORIZED,
    (None, "API_KEY_INVALID"): FailureKind.UNAUTHORIZED,  # Google, with status 400
    (401, None): FailureKind.UNAUTHORIZED,
    (403, None): FailureKind.UNAUTHORIZED,
    (407, None): FailureKind.UNAUTHORIZED,
    (408, None): FailureKind.TIMEOUT,
    (409, None): FailureKind.SERVER_ERROR,
}

_RAISED: Final[tuple[tuple[type[Exception], FailureKind, str], ...]] = (
    (aiohttp.ClientConnectorDNSError, FailureKind.CONNECT, "the endpoint's host name does not resolve"),
    (
        aiohttp.ClientConnectorCertificateError,
        FailureKind.CONNECT,
        "the endpoint's certificate is not trusted; SSL_CERT_FILE can name another authority",
    ),
    (aiohttp.ClientProxyConnectionError, FailureKind.CONNECT, "no connection to the proxy"),
    (aiohttp.ClientConnectorError, FailureKind.CONNECT, "no connection to the endpoint"),
    (TimeoutError, FailureKind.TIMEOUT, "no answer within the deadline"),
    (aiohttp.ClientPayloadError, FailureKind.MALFORMED, "the answer broke off"),
    (aiohttp.ClientResponseError, FailureKind.MALFORMED, "the answer is not HTTP"),
    (NotHttpError, FailureKind.MALFORMED, "the answer is not HTTP"),
    (aiohttp.ClientConnectionError, FailureKind.RESET, "the connection was closed before the answer"),
    (OSError, FailureKind.RESET, "the connection broke"),
    (aiohttp.ClientError, FailureKind.MALFORMED, "the answer cannot be read"),
)

TRANSPORT_ERRORS: Final = (aiohttp.ClientError, OSError)
"""What a transport may raise; `TimeoutError` is an `OSError`."""

MAX_MESSAGE_CHARS: Final = 2000
_TOO_LARGE: Final = re.compile(r"\brequest too large\b", re.IGNORECASE)
_UNCHARGED: Final = frozenset(range(300, 500)) - {408, 409} | {503, 529}


def refused(status: int, report: ErrorReport, model: str, retry_after_seconds: float | None) -> Failure:
    """The failure that an answer with an error status means."""
    return Failure(
        kind=_kind_of_answer(status, report, model),
        message=f"HTTP {status}: {report.message}" if report.message else f"HTTP {status}",
        status=status,
        retry_after_seconds=retry_after_seconds,
        maybe_charged=status not in _UNCHARGED,
    )


def broken(error: Exception, *, sent: bool) -> Failure:
    """The failure that an error of the transport means; `sent` tells whether the request had begun to leave."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        kind = FailureKind.UNAUTHORIZED if error.status in {403, 407} else FailureKind.CONNECT
        return Failure(kind=kind, message=f"the proxy refused the connection: HTTP {error.status}", status=error.status)
    if isinstance(error, TimeoutError) and not sent:
        return Failure(kind=FailureKind.CONNECT, message="no connection to the endpoint in time")
    kind, phrase = next((kind, phrase) for raised, kind, phrase in _RAISED if isinstance(error, raised))
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else None
    return Failure(kind=kind, message=f"{phrase}: {cause}" if cause else phrase, maybe_charged=sent)


def _kind_of_answer(status: int, report: ErrorReport, model: str) -> FailureKind:
    keys = [key for code in report.codes for key in ((status, code), (None, code))]
    kind = next((_ANSWERED[key] for key in [*keys, (status, None)] if key in _ANSWERED), None)
    if kind is FailureKind.RATE_LIMITED and _TOO_LARGE.search(report.message[:MAX_MESSAGE_CHARS]):
        return FailureKind.REQUEST_TOO_LARGE  # OpenAI gives it the code of a passing limit, but it never succeeds
    if kind is FailureKind.UNAUTHORIZED and report.flagged:
        return FailureKind.BAD_REQUEST
    if kind is not None:
        return kind
    if status == 404 and (report.param == "model" or (model and model in report.message)):
        return FailureKind.MODEL_NOT_FOUND
    if status < 300:
        return FailureKind.MALFORMED
    return FailureKind.SERVER_ERROR if status >= 500 else FailureKind.BAD_REQUEST
