"""The daemon's life: what is opened in which order, how it ends, and how it takes another configuration.

Rules of this file: nesting is shutdown order. First it says that it is not ready, then no call is issued, then those
that are out come back, then everything is durable, and only then it stops answering. A second signal ends the waiting.
"""

import asyncio
import contextlib
import secrets
import signal
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
from aiohttp import web

from corpusmill.bootstrap.gauges import new_counts
from corpusmill.bootstrap.job import stamp
from corpusmill.bootstrap.run import prepare_process, simulated_target
from corpusmill.bootstrap.switchboard import Switchboard
from corpusmill.bootstrap.target import Target, Upstream
from corpusmill.config import Config, ConfigError, check_endpoint_keys
from corpusmill.daemon.lock import locked
from corpusmill.daemon.mill import Mill
from corpusmill.daemon.news import News
from corpusmill.daemon.outbox import Outbox
from corpusmill.daemon.systemd import Systemd
from corpusmill.daemon.webhooks import Postman, signing_keys
from corpusmill.jobs.queue.database import opened
from corpusmill.jobs.queue.states import State
from corpusmill.jobs.queue.table import JobTable
from corpusmill.telemetry.events import ConfigReloaded, DaemonReady, DaemonStopping, Emit, broadcast
from corpusmill.telemetry.metrics.lag import lag_measured
from corpusmill.web.app import application
from corpusmill.web.desk import Desk
from corpusmill.web.keys import Keyring, require_keys
from corpusmill.web.metrics import Metrics
from corpusmill.web.protocol import Connection
from corpusmill.web.tls import tls_context

QUEUE = "jobs.sqlite"
BACKLOG = 1024
DAY_SECONDS = 86_400.0
RETENTION_SECONDS = 3600.0
"""How often old jobs are looked for."""

HEADERS_MOST = 100
LINE_BYTES = 8190
CLOSE_SECONDS = 2.0
"""How long answers that are being sent are waited for at the very end."""


class Configuration:
    """Where the configuration comes from, to be read again.

    Args:
        load: reads it, with environment and options.
        default: the endpoint that the environment names, if any.
        model_name: what the alias `default` means there.
        environ: holds secrets.
    """

    def __init__(
        self,
        load: Callable[[], Config],
        default: Target | None,
        model_name: str | None,
        environ: Mapping[str, str],
    ) -> None:
        self.load, self.default, self.model_name, self.environ = load, default, model_name, environ


async def serve(source: Configuration, *, emit: Emit, say: Callable[[str], None]) -> None:
    """Serve until a signal; raises as `opened_daemon`."""
    async with opened_daemon(source, emit=emit, say=say) as daemon:
        with daemon.signals():
            await daemon.run(say)


@asynccontextmanager
async def opened_daemon(
    source: Configuration, *, emit: Emit, say: Callable[[str], None], clock: Callable[[], float] = time.time
) -> AsyncIterator["Daemon"]:
    """Open all that a daemon needs, while the block runs.

    Args:
        source: of the configuration.
        emit: takes events.
        say: tells a person a line.
        clock: wall clock, seconds since the epoch.

    Raises:
        ConfigError, DataBusyError, DatabaseError, OSError: nothing was begun; the message says why.
    """
    config = source.load()
    check_endpoint_keys(config.endpoints, source.environ)
    keyring = Keyring(config, source.environ)
    require_keys(config.server.host, keyring)
    tls, keys = tls_context(config.server), signing_keys(config.webhooks, source.environ)
    prepare_process()
    async with AsyncExitStack() as stack:
        stack.enter_context(locked(Path(config.data)))
        upstream, environ = await _upstream(stack, source, config, say)
        counts = new_counts(config.server.genai_metrics)
        emit = broadcast(emit, counts)
        outbox = Outbox(clock, lambda: stamp(clock()), lambda: secrets.token_hex(12))
        outbox.webhooks = config.webhooks
        switchboard = await stack.enter_async_context(Switchboard(upstream, environ))
        database = await stack.enter_async_context(opened(Path(config.data) / QUEUE))
        table = JobTable(
            database,
            now=lambda: stamp(clock()),
            note=outbox.note,
            noted=outbox.news.ring,
            most_queued=config.server.max_queued,
        )
        news = News(int(clock() * 1000) * 1000)
        mill = Mill(
            Path(config.data),
            table,
            switchboard,
            max_running=config.server.max_running,
            news=news,
            emit=emit,
            endpoint=upstream.default.endpoint.base_url if upstream.default else ", ".join(config.endpoints),
        )
        metrics = Metrics(mill, counts, Path(config.data))
        desk = Desk(mill, config, upstream, keyring, scrape=metrics.scrape, emit=emit)
        stack.callback(desk.close)
        await switchboard.load_prices()
        url = await _listening(stack, desk, tls)
        postman = Postman(database, outbox, clock, emit)
        postman.keys = keys
        yield Daemon(source, desk, switchboard, outbox, postman, emit, url, clock)


class Daemon:
    """A daemon whose parts are open.

    Attributes:
        url: where it listens.
    """

    def __init__(
        self,
        source: Configuration,
        desk: Desk,
        switchboard: Switchboard,
        outbox: Outbox,
        postman: Postman,
        emit: Emit,
        url: str,
        clock: Callable[[], float],
    ) -> None:
        self.url, self._clock = url, clock
        self._source, self._desk, self._switchboard = source, desk, switchboard
        self._outbox, self._postman, self._emit = outbox, postman, emit
        self._systemd = Systemd(source.environ)
        self._reason = ""
        self._stop, self._hurry = asyncio.Event(), asyncio.Event()

    async def run(self, say: Callable[[str], None]) -> None:
        """Run jobs until asked to stop."""
        async with lag_measured(self._emit), asyncio.TaskGroup() as group:
            jobs = group.create_task(self._desk.mill.run())
            beside = (self._postman.run(), self._retain(), self._systemd.keep_alive())
            others = [group.create_task(each) for each in beside]
            counts = await self._desk.table.counts()
            self._emit(DaemonReady(self.url, counts[State.QUEUED]))
            say(f"corpusmill ready: {self.url}")
            self._systemd.tell("READY=1")
            await self._stop.wait()
            await self._drain()
            await jobs
            for task in others:
                task.cancel()

    def stop(self, reason: str) -> None:
        """Ask `run` to end; the second time, to wait for no call any more."""
        if self._stop.is_set():
            self._hurry.set()
        self._reason = self._reason or reason
        self._stop.set()

    async def _drain(self) -> None:
        """Say that the end is near, then let calls that are out come back."""
        server = self._desk.config.server
        self._desk.draining = True
        self._systemd.tell("STOPPING=1")
        self._emit(DaemonStopping(self._reason))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(server.announce_seconds):
                await self._hurry.wait()
        async with asyncio.TaskGroup() as group:
            hurry = group.create_task(self._force())
            await self._desk.mill.stop(server.grace_seconds)
            hurry.cancel()
        self._desk.mill.news.ring_all()

    async def _force(self) -> None:
        await self._hurry.wait()
        self._desk.mill.force()

    async def _retain(self) -> None:
        """Delete what is old, once an hour."""
        while True:
            days = self._desk.config.server.retention_days
            if days is not None:
                await self._desk.mill.delete_old(stamp(self._clock() - float(days) * DAY_SECONDS))
            await asyncio.sleep(RETENTION_SECONDS)

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Act on SIGINT, SIGTERM and SIGHUP while the block runs."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop, number.name)
        loop.add_signal_handler(signal.SIGHUP, self.reload)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def reload(self) -> None:
        """Take limits, prices, models, keys, roots and webhooks anew; what is wrong leaves everything as it was."""
        try:
            config = self._source.load()
            check_endpoint_keys(config.endpoints, self._source.environ)
            keyring = Keyring(config, self._source.environ)
            require_keys(self._desk.config.server.host, keyring)
            keys = signing_keys(config.webhooks, self._source.environ)
            kept = self._desk.config
            config = kept_as_started(config, kept)
            self._switchboard.reload(config)
        except ConfigError as error:
            self._emit(ConfigReloaded(str(error)))
            return
        upstream = Upstream(config, self._desk.upstream.default, self._source.model_name)
        self._desk.adopt(config, upstream, keyring)
        self._desk.mill.max_running = config.server.max_running
        self._outbox.webhooks, self._postman.keys = config.webhooks, keys
        self._emit(ConfigReloaded())


def kept_as_started(config: Config, started: Config) -> Config:
    """Return a configuration whose data directory, address and certificate are those the daemon started with."""
    server = msgspec.structs.replace(
        config.server,
        host=started.server.host,
        port=started.server.port,
        tls_cert=started.server.tls_cert,
        tls_key=started.server.tls_key,
    )
    return msgspec.structs.replace(config, data=started.data, server=server)


async def _upstream(
    stack: AsyncExitStack, source: Configuration, config: Config, say: Callable[[str], None]
) -> tuple[Upstream, Mapping[str, str]]:
    """Return how aliases are resolved; where nothing is configured, text is invented, and said to be."""
    if source.default is not None or config.models:
        return Upstream(config, source.default, source.model_name), source.environ
    target = await stack.enter_async_context(simulated_target())
    say(
        "corpusmill: no model is configured and neither OPENAI_BASE_URL nor OPENAI_API_KEY is set: "
        "a simulated endpoint answers, and the text is invented"
    )
    return Upstream(config, target, None), {}


async def _listening(stack: AsyncExitStack, desk: Desk, tls: ssl.SSLContext | None) -> str:
    """Open the server; return its URL."""
    server = desk.config.server
    runner = web.AppRunner(application(desk), shutdown_timeout=CLOSE_SECONDS)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    assert runner.server is not None, "it is there after setup"  # noqa: S101 - says so to the type checker
    loop = asyncio.get_running_loop()
    connection = partial(
        Connection,
        runner.server,
        emit=desk.emit,
        loop=loop,
        access_log=None,
        keepalive_timeout=float(server.idle_seconds),
        max_line_size=LINE_BYTES,
        max_field_size=LINE_BYTES,
        max_headers=HEADERS_MOST,
    )
    try:
        listening = await loop.create_server(connection, server.host, server.port, backlog=BACKLOG, ssl=tls)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {server.host} port {server.port}: {error.strerror or error}; choose another with --port"
        ) from None
    stack.callback(listening.close)
    address = listening.sockets[0].getsockname()
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    return f"{'https' if tls else 'http'}://{host}:{address[1]}"
