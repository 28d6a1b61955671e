"""The endpoint over HTTP: reads requests, acts out the replies that `simulation` decides.

Rule of this file: input and output only. Every response carries `x-corpusmill-simulated: true`
and an `x-request-id`.
"""

import asyncio
import hmac
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count

import msgspec
from aiohttp import web

from corpusmill.simulate import errors
from corpusmill.simulate.batch import Batch
from corpusmill.simulate.errors import ApiError
from corpusmill.simulate.options import SimulateOptions
from corpusmill.simulate.simulation import Delivery, Reply, Simulation
from corpusmill.simulate.tuning_routes import Handler, TuningRoutes
from corpusmill.simulate.wire import Call, read_chat, read_completion

MAX_BODY_BYTES = 32 * 2**20
BACKLOG = 4_096
"""Connections that may wait to be accepted; a client that opens thousands at once must not be refused."""
SHUTDOWN_SECONDS = 0.25
"""How long requests in flight are waited for at the end, and then their connections to close."""
Clock = Callable[[], float]
MODEL_CREATED = 1_700_000_000
"""When the invented models were released: some time."""


class _Endpoint:
    """The handlers of one application."""

    def __init__(self, options: SimulateOptions, clock: Clock, wall_clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._wall_clock = wall_clock
        self._simulation = Simulation(options, clock())
        self._batch = Batch(options.batch_sequences) if options.batch_sequences else None
        self._tuning = TuningRoutes(self._simulation.files, self._simulation.tuning, clock, wall_clock)

    def routes(self) -> list[web.RouteDef]:
        """Every address, with and without /v1, as base URLs are written both ways."""
        routes = [web.get("/stats", self.stats), web.get("/healthz", self.healthz)]
        for prefix in ("/v1", ""):
            routes += [
                web.post(f"{prefix}/chat/completions", self.chat),
                web.post(f"{prefix}/completions", self.legacy),
                web.get(f"{prefix}/models", self.models),
                web.get(f"{prefix}/models/{{name:.+}}", self.model),
                *self._tuning.routes(prefix, self._gated),
            ]
        return [*routes, web.get("/metrics", self.metrics), web.route("*", "/{rest:.*}", self.unknown)]

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """POST /chat/completions."""
        return await self._complete(request, read_chat)

    async def legacy(self, request: web.Request) -> web.StreamResponse:
        """POST /completions."""
        return await self._complete(request, read_completion)

    async def models(self, request: web.Request) -> web.StreamResponse:
        """GET /models: the configured names."""
        try:
            self._authorise(request)
        except ApiError as error:
            return self._refused(error)
        names = [*self._options.models, *self._simulation.tuning.names(self._clock())]
        return _json({"object": "list", "data": [_model(name) for name in names]})

    async def model(self, request: web.Request) -> web.StreamResponse:
        """GET /models/{name}."""
        name = request.match_info["name"]
        try:
            self._authorise(request)
            if not self._simulation.has_model(name, self._clock()):
                raise errors.model_not_found(name)
        except ApiError as error:
            return self._refused(error)
        return _json(_model(name))

    async def stats(self, _request: web.Request) -> web.StreamResponse:
        """GET /stats: the ledger."""
        return _json(self._simulation.statement(self._clock()))

    async def metrics(self, _request: web.Request) -> web.StreamResponse:
        """GET /metrics of a batch server, by vLLM's names; looking in vain for them is no call in the ledger."""
        if self._batch is None:
            raise web.HTTPNotFound
        return web.Response(text=self._batch.exposition(self._options.models[0]))

    async def healthz(self, _request: web.Request) -> web.StreamResponse:
        """GET /healthz."""
        return _json({"status": "ok", "simulated": True})

    async def unknown(self, request: web.Request) -> web.StreamResponse:
        """Everything else."""
        return self._refused(errors.unknown_address(request.method, request.path))

    async def _complete(self, request: web.Request, read: Callable[[bytes], Call]) -> web.StreamResponse:
        try:
            self._authorise(request)
            call = read(await _body(request))
        except ApiError as error:
            return self._refused(error)
        reply = self._simulation.answer(call, self._clock(), int(self._wall_clock()))
        delivered = False
        try:
            if reply.delay_seconds:
                await asyncio.sleep(reply.delay_seconds)
            if self._batch is not None and reply.used is not None:
                await self._batch.decode(reply.used.completion_tokens)
            if reply.delivery is Delivery.HANG:
                await asyncio.sleep(self._options.hang_seconds)
            delivered = True
        finally:
            self._simulation.settle(reply, self._clock(), delivered=delivered)
        return await _deliver(request, reply)

    def _gated(self, handle: Callable[[web.Request], Awaitable[object]]) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            try:
                self._authorise(request)
                answer = await handle(request)
            except ApiError as error:
                return self._refused(error)
            return web.Response(body=answer) if isinstance(answer, bytes) else _json(answer)

        return handler

    def _authorise(self, request: web.Request) -> None:
        key = self._options.api_key
        if key is None:
            return
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), f"Bearer {key}".encode()):
            raise errors.invalid_api_key()

    def _refused(self, error: ApiError) -> web.Response:
        return _whole(self._simulation.refuse(error, self._clock()))


async def _body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise errors.body_too_large(MAX_BODY_BYTES) from error
    except web.RequestPayloadError as error:
        raise errors.invalid_request("The request body cannot be read: its encoding is broken.") from error


async def _deliver(request: web.Request, reply: Reply) -> web.StreamResponse:
    match reply.delivery:
        case Delivery.WHOLE:
            return _whole(reply)
        case Delivery.TRUNCATED:
            return await _half(request, reply)
        case Delivery.RESET:
            response = await _half(request, reply) if reply.body else _whole(reply)
            _reset(request)
            return response
        case Delivery.HANG:
            _reset(request)
            return _whole(reply)


def _whole(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, body=reply.body, headers=reply.headers, content_type=reply.content_type)


async def _half(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Promise the whole body, send half of it, and close the connection after that."""
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_type = reply.content_type
    response.content_length = len(reply.body)
    response.force_close()
    await response.prepare(request)
    await response.write(reply.body[: len(reply.body) // 2])
    return response


def _reset(request: web.Request) -> None:
    """Drop the connection with a TCP reset: SO_LINGER with a time of zero makes the kernel send one on close."""
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")


def _model(name: str) -> dict[str, str | int]:
    return {"id": name, "object": "model", "created": MODEL_CREATED, "owned_by": "corpusmill"}


class _Marks:
    """The headers of every response: that it is simulated, and by which name the endpoint knows the request."""

    def __init__(self) -> None:
        self._numbers = count(1)

    async def __call__(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers["x-corpusmill-simulated"] = "true"
        response.headers["x-request-id"] = f"req_sim_{next(self._numbers):08x}"


def create_app(
    options: SimulateOptions, *, clock: Clock = time.monotonic, wall_clock: Clock = time.time
) -> web.Application:
    """The endpoint as an application.

    Args:
        options: how it behaves.
        clock: seconds that never go back, for limits.
        wall_clock: seconds since 1970, told as the `created` of completions.
    """
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.add_routes(_Endpoint(options, clock, wall_clock).routes())
    app.on_response_prepare.append(_Marks())
    return app


@asynccontextmanager
async def serving(options: SimulateOptions, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve the endpoint while the block runs; gives its base URL, as `http://127.0.0.1:8377/v1`.

    Args:
        options: how it behaves.
        host: the address to listen on.
        port: 0 takes any free one.

    Raises:
        OSError: the address cannot be listened on.
    """
    app = create_app(options, clock=asyncio.get_running_loop().time)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
        bound_port = runner.addresses[0][1]
        yield f"http://{f'[{host}]' if ':' in host else host}:{bound_port}/v1"
    finally:
        await runner.cleanup()
