"""The application: every operation behind the same door.

Rules of this file: a request is identified, counted, limited and let in here, in this order, and whatever it raises
becomes a problem here. What an operation does not declare, it does not do.
"""

import secrets
import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

import yarl
from aiohttp import web
from aiolimiter import AsyncLimiter

from corpusmill.daemon.mill import described
from corpusmill.telemetry.events import HttpAnswered, RequestCrashed
from corpusmill.web.desk import Desk
from corpusmill.web.events import EventOperations
from corpusmill.web.jobs import JobOperations
from corpusmill.web.keys import Caller, is_loopback
from corpusmill.web.lines import LineOperations
from corpusmill.web.openapi import openapi
from corpusmill.web.operation import Call, Content, Operation
from corpusmill.web.page import PageOperations
from corpusmill.web.problems import ProblemError, problem, problem_of, refusal_of, response
from corpusmill.web.replies import json_response
from corpusmill.web.shards import ShardOperations
from corpusmill.web.system import SystemOperations

PREFIX = "/api/v1"
STRANGERS_PER_SECOND = 50
"""Requests without a valid key that are answered; more are told to wait."""

HOSTS_REMEMBERED = 64

LEFT = 499
"""What is counted, as proxies do, where a client left before its answer; nobody is there to read it."""

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]
STRANGER = Caller("stranger", frozenset())
STARTED = web.RequestKey("started", bool)
REQUEST_ID = web.RequestKey("request_id", str)


def application(desk: Desk) -> web.Application:
    """Return the application."""
    door = Door(desk)
    app = web.Application(middlewares=[door.pass_through])
    system = SystemOperations(desk)
    api = [
        *JobOperations(desk).operations(),
        *EventOperations(desk).operations(),
        *LineOperations(desk).operations(),
        *ShardOperations(desk).operations(),
        *system.operations(),
    ]
    probes = [*system.probes(), _description(desk, [*api, *system.probes()])]
    for operation in api:
        _add(app, door, operation, PREFIX)
    for operation in probes:
        _add(app, door, operation, "")
        _add(app, door, operation, PREFIX)
    for operation in PageOperations().operations():
        _add(app, door, operation, "")
    app.on_response_prepare.append(_anonymous)
    return app


class Door:
    """Lets requests in.

    Args:
        desk: names the keys and the bounds.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._limiters: dict[str, AsyncLimiter] = {}

    @web.middleware
    async def pass_through(self, request: web.Request, handler: Handle) -> web.StreamResponse:
        """Answer a request, whatever comes of it."""
        began = time.monotonic()
        request_id = request.headers.get("X-Request-ID", "")
        if not (request_id.isascii() and request_id.isprintable() and 0 < len(request_id) <= 100):
            request_id = secrets.token_hex(8)
        request[REQUEST_ID] = request_id
        answer = await self._answer(request, handler, request_id)
        route = request.match_info.route.resource
        template = route.canonical if route is not None else "unknown"
        self._desk.emit(HttpAnswered(template, request.method, answer.status, time.monotonic() - began, request_id))
        return answer

    def admit(self, operation: Operation) -> Handle:
        """Return a handler that lets in who may use an operation."""

        async def handle(request: web.Request) -> web.StreamResponse:
            self._refuse_foreign_pages(request)
            if operation.scope is None:
                return await operation.handler(Call(request, STRANGER, operation.parameters(request)))
            try:
                caller = self._desk.keyring.caller(request.headers.get("Authorization"))
            except ProblemError:
                await self._limit("", STRANGERS_PER_SECOND)
                raise
            await self._limit(caller.name, self._desk.config.server.requests_per_second)
            caller.require(operation.scope)
            return await operation.handler(Call(request, caller, operation.parameters(request)))

        return handle

    async def _answer(self, request: web.Request, handler: Handle, request_id: str) -> web.StreamResponse:
        try:
            return await handler(request)
        except ProblemError as error:
            return response(error.problem, request_id, error.headers)
        except web.HTTPException as error:
            headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
            return response(refusal_of(error), request_id, headers)
        except ConnectionResetError:
            return web.Response(status=LEFT)
        except Exception as error:  # noqa: BLE001 - the outermost guard of a request
            told = problem_of(error)
            if told is None:
                self._desk.emit(RequestCrashed(request_id, described(error)))
                told = problem(500, "internal", "an error of ours; the log has it under the request's id")
            if STARTED in request and request.transport is not None:
                request.transport.abort()  # half of an answer is out: nothing that follows could be understood
            headers = {"Retry-After": "5"} if told.status == 503 else {}
            return response(told, request_id, headers)

    async def _limit(self, name: str, per_second: int) -> None:
        """Refuse what comes faster than a key may ask."""
        limiter = self._limiters.get(name)
        if limiter is None or limiter.max_rate != per_second:
            limiter = self._limiters[name] = AsyncLimiter(per_second, 1)
        if not limiter.has_capacity():
            raise ProblemError(
                429, "too-many-requests", f"more than {per_second} requests a second", headers={"Retry-After": "1"}
            )
        await limiter.acquire()

    def _refuse_foreign_pages(self, request: web.Request) -> None:
        """Refuse what a web page of somebody else's makes a browser send, to here or to a name that leads here."""
        origin = request.headers.get("Origin")
        if origin is not None and yarl.URL(origin).authority != yarl.URL(f"http://{request.host}").authority:
            raise ProblemError(403, "foreign-origin", "requests of other sites' pages are refused")
        if not len(self._desk.keyring) and not _names_this_machine(request.host):
            raise ProblemError(403, "foreign-host", "without keys, this daemon answers to localhost alone")


@lru_cache(HOSTS_REMEMBERED)
def _names_this_machine(host: str) -> bool:
    """Whether a Host header names this machine and nothing else."""
    try:
        return is_loopback(yarl.URL(f"http://{host}").host or "")
    except ValueError:
        return False


def _add(app: web.Application, door: Door, operation: Operation, prefix: str) -> None:
    if operation.method == "GET":
        app.router.add_get(prefix + operation.path, door.admit(operation))
    else:
        app.router.add_route(operation.method, prefix + operation.path, door.admit(operation))


def _description(desk: Desk, operations: list[Operation]) -> Operation:
    documented = [*operations]

    async def describe(_call: Call) -> web.StreamResponse:
        return json_response(document)

    itself = Operation(
        "GET",
        "/openapi.json",
        "getOpenApi",
        "This document.",
        describe,
        None,
        answers={200: Content("OpenAPI 3.1.", dict[str, Any])},
    )
    documented.append(itself)
    document = openapi(documented, keyed=len(desk.keyring) > 0)
    document["servers"] = [{"url": PREFIX}]
    return itself


async def _anonymous(request: web.Request, answer: web.StreamResponse) -> None:
    """Say who asked, and not who answers."""
    request[STARTED] = True
    answer.headers["X-Request-ID"] = request.get(REQUEST_ID, "")
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers.pop("Server", None)
