"""What went wrong with a request, as RFC 9457 problem details.

Rule of this file: errors are told apart by type, in one table; an error that is not in it is ours, and says nothing
about itself but an identifier that stands in the log too.
"""

import sqlite3
from collections.abc import Callable
from http import HTTPStatus

import msgspec
from aiohttp import web

from corpusmill.config import ConfigError
from corpusmill.jobs.folder import JobBusyError, JobFolderError, UnknownJobError
from corpusmill.jobs.queue.states import IllegalChangeError
from corpusmill.jobs.queue.table import IdempotencyError, QueueFullError, SpendCapError, UnknownJobIdError
from corpusmill.jobs.summary import usd
from corpusmill.journal.errors import JournalError
from corpusmill.spec.errors import SpecError

CONTENT_TYPE = "application/problem+json"


class Mistake(msgspec.Struct, frozen=True):
    """One thing that is wrong with what was sent: where, and what."""

    path: str
    problem: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Problem details (RFC 9457).

    Attributes:
        type: which kind of problem, as a URN.
        title: the kind, in words.
        status: the HTTP status.
        detail: this problem, in words, and what to do.
        request_id: by which the log knows the request.
        errors: what is wrong with what was sent.
    """

    type: str
    title: str
    status: int
    detail: str
    request_id: str = ""
    errors: list[Mistake] = []


class ProblemError(Exception):
    """A request that cannot be fulfilled, by a rule of this room."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        errors: tuple[Mistake, ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = problem(status, kind, detail, errors)
        self.headers = headers or {}


def problem(status: int, kind: str, detail: str, errors: tuple[Mistake, ...] = ()) -> Problem:
    """Return a problem; `kind` becomes its type and, with spaces, its title."""
    return Problem(f"urn:corpusmill:problem:{kind}", kind.replace("-", " "), status, detail, errors=[*errors])


def _spec_problem(error: Exception) -> Problem:
    assert isinstance(error, SpecError), "the table is keyed by type"  # noqa: S101 - see `problem_of`
    return problem(422, "invalid-spec", str(error), (Mistake(error.path, error.problem),))


def _cap_problem(error: Exception) -> Problem:
    assert isinstance(error, SpendCapError), "the table is keyed by type"  # noqa: S101 - see `problem_of`
    left = usd(error.left_picodollars)
    return problem(403, "spend-cap-reached", f"{error}: {left:.6f} USD are left; set budget.usd to at most that")


def _busy_problem(error: Exception) -> Problem:
    assert isinstance(error, JobBusyError), "the table is keyed by type"  # noqa: S101 - see `problem_of`
    return problem(409, "busy", f"process {error.holder} works on the job's files; try again when it is done")


TABLE: dict[type[Exception], Callable[[Exception], Problem]] = {
    SpecError: _spec_problem,
    SpendCapError: _cap_problem,
    UnknownJobIdError: lambda error: problem(404, "unknown-job", str(error)),
    UnknownJobError: lambda _: problem(409, "not-begun", "the job has nothing on disk yet; it waits for its turn"),
    IllegalChangeError: lambda error: problem(409, "illegal-change", str(error)),
    IdempotencyError: lambda _: problem(
        422, "idempotency-key-reused", "this Idempotency-Key came with another request; use a new key for a new job"
    ),
    QueueFullError: lambda _: problem(503, "queue-full", "as many jobs wait as are allowed to; try again later"),
    ConfigError: lambda error: problem(503, "misconfigured", str(error)),
    JobBusyError: _busy_problem,
    JobFolderError: lambda _: problem(503, "disk", "the job's folder cannot be used at present; the log says why"),
    JournalError: lambda error: problem(500, "damaged", f"the job's files are damaged: {error}"),
    sqlite3.Error: lambda _: problem(503, "storage", "the queue cannot be read or written at present; try again later"),
}
"""Looked through in order: a subclass stands before its parent."""


def problem_of(error: Exception) -> Problem | None:
    """Return what to tell of an error; None where it is a defect of ours."""
    return next((tell(error) for kind, tell in TABLE.items() if isinstance(error, kind)), None)


def refusal_of(error: web.HTTPException) -> Problem:
    """Return what to tell of a refusal by aiohttp itself."""
    phrase = HTTPStatus(error.status).phrase
    detail = {404: "there is nothing at this address", 405: "this address does not know that method"}
    return problem(error.status, phrase.lower().replace(" ", "-"), detail.get(error.status, error.reason or phrase))


def response(told: Problem, request_id: str, headers: dict[str, str]) -> web.Response:
    """Return the response that tells a problem."""
    body = msgspec.json.encode(msgspec.structs.replace(told, request_id=request_id))
    return web.Response(status=told.status, body=body, content_type=CONTENT_TYPE, headers=headers)
