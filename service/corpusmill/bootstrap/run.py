"""Runs a job to its end, for real.

Rules of this file: the nesting of the blocks is the order in which things are opened, and backwards the order in which
they are closed: endpoints, folder, writer thread, journal. Nothing is created before the endpoints have answered.
"""

import asyncio
import gc
import random
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from corpusmill.bootstrap.assembly import Assembly, check_budget
from corpusmill.bootstrap.switchboard import Switchboard
from corpusmill.bootstrap.target import Target, Upstream
from corpusmill.config import EndpointConfig
from corpusmill.engine.carrier import Carrier
from corpusmill.engine.engine import Engine
from corpusmill.engine.halt import Ending
from corpusmill.engine.route import Route
from corpusmill.jobs.folder import claimed
from corpusmill.jobs.summary import Summary
from corpusmill.journal.errors import BrokenDiskError
from corpusmill.journal.files import Disk
from corpusmill.limits.statistics import GateStatistics
from corpusmill.spec.schema import JobSpec
from corpusmill.telemetry.events import Emit, JobEnded, JobStarted

Result = TypeVar("Result")

COLLECT = (200_000, 100, 1000)
"""New objects before a look at the youngest; looks before one at the older, and at all: the calls leave few cycles."""

SIMULATED_LATENCY_SECONDS = 0.4
"""Mean time to an answer of the simulated endpoint that `run` starts by itself: quick, but to be watched."""


class Running:
    """A job that is being run: what a progress display reads and a signal acts on."""

    def __init__(self, assembly: Assembly, engine: Engine, routes: dict[str, Route], began: float) -> None:
        self.assembly, self._engine, self._routes, self._began = assembly, engine, routes, began

    def drain(self, reason: str) -> None:
        """End the run; calls that are out come back first."""
        self.assembly.halt.stop("interrupted", reason)

    def force(self) -> None:
        """End the run at once; calls that are out are lost."""
        self._engine.force()

    @property
    def draining(self) -> bool:
        """Whether the run is ending."""
        return self.assembly.halt.ending is not None

    @property
    def in_flight(self) -> int:
        """Calls that are out."""
        return self.assembly.caller.in_flight

    def summary(self) -> Summary:
        """What the job came to so far."""
        state = "draining" if self.draining else "running"
        return self.assembly.summary(state, seconds=time.monotonic() - self._began)

    def gates(self) -> list[GateStatistics]:
        """The state of every gate that the job passes."""
        tickets = {id(route.tickets): route.tickets for route in self._routes.values()}
        return [each.statistics() for each in tickets.values()]


class OneThread:
    """Runs blocking functions on a thread of their own, in order."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread
        self._loop = asyncio.get_running_loop()

    def __call__(self, function: Callable[[], Result]) -> Awaitable[Result]:
        """Return the function's result; raise what it raises."""
        return self._loop.run_in_executor(self._thread, function)


Watch = Callable[[Running], AbstractAsyncContextManager[None]]
"""What is open while a job runs: signal handlers, a progress display."""


async def run_job(
    spec: JobSpec, data: Path, upstream: Upstream, *, environ: Mapping[str, str], emit: Emit, watch: Watch
) -> Summary:
    """Run a job, or what is left of it, to its end.

    Args:
        spec: checked, with axis files inlined.
        data: the data directory.
        upstream: how model aliases are resolved; without a default endpoint the simulated one is started.
        environ: where keys, proxies and certificate authorities are read from.
        emit: takes events.
        watch: entered while the job runs.

    Raises:
        UpstreamError, ConfigError, SpecError, JobFolderError, JournalError: nothing was begun; the message says why.
    """
    began = time.monotonic()
    _allow_open_files()
    _collect_seldom()
    async with (
        Switchboard(upstream, environ, spec.limits) as switchboard,
        switchboard.routes(spec.name, spec) as routes,
    ):
        await check_budget(spec, routes)
        with claimed(Disk(), data, spec) as folder, ThreadPoolExecutor(1, "journal") as thread:
            blocking = OneThread(thread)
            assembly = await blocking(lambda: Assembly(spec, folder, Disk(), _now))
            try:
                engine = assembly.engine(routes, blocking=blocking, jitter=random.Random(), emit=emit)
                emit(JobStarted(spec.name, assembly.items, len(assembly.store.done), _names(upstream)))
                async with watch(Running(assembly, engine, routes, began)):
                    ending = await _run(engine, assembly.carrier)
                await blocking(lambda: assembly.store.finish(ending.state))
            finally:
                await blocking(assembly.store.close)
            summary = assembly.summary(ending.state, seconds=time.monotonic() - began, reason=ending.reason)
    emit(JobEnded(spec.name, ending.state, ending.reason, summary.seconds))
    return summary


@asynccontextmanager
async def simulated_target() -> AsyncIterator[Target]:
    """Serve the simulated endpoint on loopback, over real HTTP, while the block runs."""
    from corpusmill.simulate import SimulateOptions, serving  # noqa: PLC0415 - only a run without an endpoint needs it

    options = SimulateOptions(latency_seconds=SIMULATED_LATENCY_SECONDS, latency_spread=0.3)
    async with serving(options) as base_url:
        yield Target("simulated", EndpointConfig(base_url=base_url))


async def _run(engine: Engine, carrier: Carrier) -> Ending:
    try:
        return await engine.run(carrier)
    except* BrokenDiskError as group:
        error = group.exceptions[0]
    return Ending("failed", f"{error}; what was acknowledged is safe, run again when the disk is mended")


def _allow_open_files() -> None:
    """Raise the soft limit of open files to the hard one: a connection is a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _collect_seldom() -> None:
    """Look for garbage cycles seldom: with 10,000 calls out, each look at what is alive costs more than the calls."""
    gc.freeze()
    gc.set_threshold(*COLLECT)


def _names(upstream: Upstream) -> str:
    default = upstream.default
    return default.endpoint.base_url if default is not None else ", ".join(upstream.config.endpoints)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
