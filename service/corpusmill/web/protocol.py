"""A connection, and what its peer is told when what he sends is no HTTP.

Rule of this file: whoever reaches the port can send anything at any rate, so nothing of it comes into the log; it is
counted like every other answer. What aiohttp has to say of errors of ours goes where all of them go.
"""

import secrets
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from corpusmill.daemon.mill import described
from corpusmill.telemetry.events import Emit, HttpAnswered, RequestCrashed
from corpusmill.web.problems import Problem, problem, response

NOWHERE: Final = "unknown"
"""The route of what has none."""


class Connection(web.RequestHandler):
    """One connection; its arguments are aiohttp's own, beside `emit`, which takes events."""

    __slots__ = ("_emit",)

    def __init__(self, manager: web.Server, *, emit: Emit, **options: Any) -> None:
        super().__init__(manager, **options)
        self._emit = emit

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Tell a problem, and close the connection behind it."""
        if request.writer.output_size > 0:
            raise ConnectionError("half of an answer is out: nothing that follows could be understood")
        request_id = secrets.token_hex(8)
        told = _malformed(exc, message) if status == 400 else problem(status, "internal", "an error of ours")
        if status == 500 and exc is not None:
            self._emit(RequestCrashed(request_id, described(exc)))
        self._emit(HttpAnswered(NOWHERE, request.method, told.status, 0.0, request_id))
        answer = response(told, request_id, {"Server": "corpusmill", "X-Request-ID": request_id})
        answer.force_close()
        return answer

    def log_exception(self, *args: Any, exc_info: BaseException | None = None, **_options: Any) -> None:
        """Tell of an error outside of any request."""
        self._emit(RequestCrashed("", described(exc_info) if exc_info is not None else " ".join(map(str, args))))


def _malformed(error: BaseException | None, message: str | None) -> Problem:
    if isinstance(error, LineTooLong):
        return problem(431, "request-header-fields-too-large", "a line of the request's head is too long")
    what, *_ = (message or "").splitlines() or [""]
    return problem(400, "bad-request", f"this is not HTTP: {what.rstrip(':.')[:100] or 'it cannot be read'}")
