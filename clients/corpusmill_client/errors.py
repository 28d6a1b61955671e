"""What may go wrong, by type.

Rule of this file: an answer becomes an error by one table: first by the type of its problem, then by its status.
"""

import msgspec

from corpusmill_client.objects import Mistake, Problem

KIND = "urn:corpusmill:problem:"
MOST_CHARS = 500


class CorpusmillError(Exception):
    """Whatever this client raises is one of these."""


class UnreachableError(CorpusmillError):
    """The daemon does not answer, in spite of all patience."""


class DamagedDownloadError(CorpusmillError):
    """A shard came twice with other bytes than its checksum tells."""


class ApiError(CorpusmillError):
    """The daemon says no; the message is what it says.

    Attributes:
        problem: its answer.
        retry_after_seconds: when it may say yes; None where it does not tell.
    """

    def __init__(self, problem: Problem, retry_after_seconds: float | None = None) -> None:
        super().__init__(problem.detail or problem.title or f"status {problem.status}")
        self.problem = problem
        self.retry_after_seconds = retry_after_seconds

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def kind(self) -> str:
        """The problem's type, without what all types begin with."""
        return self.problem.type.removeprefix(KIND)


class RefusedError(ApiError):
    """The request is wrong in itself (400, 413, 415, 422, ...)."""


class InvalidSpecError(RefusedError):
    """The spec cannot be accepted; nothing was created and nothing spent."""

    @property
    def mistakes(self) -> list[Mistake]:
        """Where it is wrong, and what."""
        return self.problem.errors


class UnauthorizedError(ApiError):
    """The API key is missing or unknown."""


class ForbiddenError(ApiError):
    """The API key does not allow this: a scope, a cap, a priority."""


class NotFoundError(ApiError):
    """There is no such job, shard or record."""


class ConflictError(ApiError):
    """The job's state does not allow this."""


class TooManyRequestsError(ApiError):
    """More requests a second than the daemon takes from this key."""


class UnavailableError(ApiError):
    """The daemon cannot do this at present: it is about to end, its queue is full, its disk fails."""


class ServerFaultError(ApiError):
    """An error of the daemon's; its log has it under `problem.request_id`."""


class UnexpectedAnswerError(ApiError):
    """What answers is no corpusmill daemon, or one of another age."""


BY_KIND: dict[str, type[ApiError]] = {"invalid-spec": InvalidSpecError}
BY_STATUS: dict[int, type[ApiError]] = {
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    429: TooManyRequestsError,
    500: ServerFaultError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}


def error_of(status: int, content: bytes, retry_after: str | None = None) -> ApiError:
    """Return the error that an answer tells; `content` need not be a problem: a proxy may have answered.

    Args:
        status: 400 or more.
        content: the body, or its beginning.
        retry_after: the header, where there is one.
    """
    problem = msgspec.structs.replace(_problem(content) or _strange(status, content), status=status)
    default = RefusedError if 400 <= status < 500 else UnexpectedAnswerError
    kind = BY_KIND.get(problem.type.removeprefix(KIND)) or BY_STATUS.get(status, default)
    return kind(problem, seconds_of(retry_after))


def _problem(content: bytes) -> Problem | None:
    """Return what a daemon says; None where it is something else that speaks."""
    try:
        problem = msgspec.json.decode(content, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return problem if problem.detail or problem.title else None


def _strange(status: int, content: bytes) -> Problem:
    told = f"status {status}: {content.decode(errors='replace')[:MOST_CHARS].strip()}"
    return Problem(detail=told if status >= 500 else f"{told}; is this a corpusmill daemon?")


def unexpected(status: int, detail: str) -> UnexpectedAnswerError:
    """Return the error of an answer that makes no sense."""
    return UnexpectedAnswerError(Problem(status=status, detail=f"{detail}; is this a corpusmill daemon?"))


def seconds_of(retry_after: str | None) -> float | None:
    """Return what a Retry-After header tells in seconds; a date is passed over."""
    if retry_after is None or not (retry_after.isascii() and retry_after.isdigit()):
        return None
    return float(retry_after[:9])
