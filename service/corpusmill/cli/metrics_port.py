"""GET /metrics of a single run, on loopback, while it runs.

Rule of this file: it only shows. The port is opened before anything of the job: one that is taken costs nothing.
"""

import errno
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import click
from aiohttp import web

from corpusmill.bootstrap.gauges import look, new_counts
from corpusmill.bootstrap.job import Running
from corpusmill.telemetry.events import Emit, HttpAnswered
from corpusmill.telemetry.metrics.exposition import Exposition
from corpusmill.telemetry.metrics.gauges import Gauges
from corpusmill.telemetry.metrics.lag import lag_measured
from corpusmill.telemetry.metrics.names import GenAiNames

HOST = "127.0.0.1"
ROUTE = "/metrics"


class MetricsPort:
    """The metrics of one run.

    Args:
        data: the data directory.
        genai: OpenTelemetry's names beside ours.

    Attributes:
        take: takes events.
    """

    def __init__(self, data: Path, genai: GenAiNames) -> None:
        self._data, self._running = data, list[Running]()
        counts = new_counts(genai)
        self.take: Emit = counts
        self._exposition = Exposition(counts, self._look)

    @asynccontextmanager
    async def served(self, port: int) -> AsyncIterator[str]:
        """Serve while the block runs; gives the address.

        Raises:
            click.ClickException: the port cannot be listened on.
        """
        app = web.Application()
        app.router.add_get(ROUTE, self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await _listen(runner, port)
            async with lag_measured(self.take):
                yield f"http://{HOST}:{runner.addresses[0][1]}{ROUTE}"
        finally:
            await runner.cleanup()

    @contextmanager
    def watching(self, running: Running) -> Iterator[None]:
        """Look at a job while the block runs."""
        self._running.append(running)
        try:
            yield
        finally:
            self._running.remove(running)

    def _look(self) -> Gauges:
        gates = {name: gate for running in self._running for name, gate in running.gates().items()}
        return look(self._running, gates, {"running": len(self._running)}, self._data)

    async def _answer(self, request: web.Request) -> web.Response:
        began = time.monotonic()
        scrape = await self._exposition.scrape()
        body, headers = scrape.answer(request.headers.get("Accept-Encoding", ""))
        self.take(HttpAnswered(ROUTE, request.method, 200, time.monotonic() - began))
        return web.Response(body=body, headers=headers)


async def _listen(runner: web.AppRunner, port: int) -> None:
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as error:
        hint = "; choose another, or 0 for any free one" if error.errno == errno.EADDRINUSE else ""
        raise click.ClickException(f"--metrics-port {port}: {error.strerror or error}{hint}") from error
