"""What an operation of the API is: its address, who may use it, what it takes and what it answers.

Rule of this file: the declaration is the documentation: the OpenAPI document is made from it, and what it does not
declare is refused.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from corpusmill.config import Scope
from corpusmill.web.keys import Caller
from corpusmill.web.problems import Mistake, ProblemError


class Content(msgspec.Struct, frozen=True):
    """What a response holds.

    Attributes:
        type: of its JSON; None for text of another kind, or nothing.
        headers: described in words.
        links: whether its `id` leads to the operations on a job.
    """

    description: str
    type: Any = None
    media_type: str = "application/json"
    headers: dict[str, str] = {}
    links: bool = False


class Call(msgspec.Struct, frozen=True):
    """A request, looked at: who makes it, and its parameters."""

    request: web.Request
    caller: Caller
    query: Any


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameter."""


class Operation(msgspec.Struct, frozen=True):
    """One operation.

    Attributes:
        id: its name in the OpenAPI document.
        scope: what the key must be allowed; None where nobody is asked for a key.
        query: a struct of its parameters.
        takes: the media types of its body that are described, none for no body.
        answers: status -> what it holds.
        problems: other statuses, each told as a problem.
        request_headers: headers it reads, described.
    """

    method: str
    path: str
    id: str
    summary: str
    handler: Handler
    scope: Scope | None = "read"
    query: type[msgspec.Struct] = NoQuery
    takes: tuple[str, ...] = ()
    answers: dict[int, Content] = {}
    problems: tuple[int, ...] = ()
    request_headers: dict[str, str] = {}

    def parameters(self, request: web.Request) -> Any:
        """Read the query.

        Raises:
            ProblemError: 422, a parameter is unknown or does not fit.
        """
        if not request.query_string:
            return self.query()
        try:
            return msgspec.convert(dict(request.query), self.query, strict=False)
        except msgspec.ValidationError as error:
            what, _, where = str(error).partition(" - at `$.")
            path = f"query.{where.rstrip('`')}" if where else "query"
            raise ProblemError(422, "invalid-parameter", f"{path}: {what}", errors=(Mistake(path, what),)) from None
