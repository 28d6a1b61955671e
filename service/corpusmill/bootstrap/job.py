"""One job's run, for real: its folder, its thread, its journal, its engine.

Rules of this file: the nesting of the blocks is the order in which things are opened, and backwards the order in which
they are closed: folder, writer thread, journal. Several may run in one process; what they share is passed in.
"""

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from msgspec.structs import asdict

from corpusmill.bootstrap.assembly import Assembly, check_budget
from corpusmill.bootstrap.documents import index_documents, open_documents
from corpusmill.engine.carrier import Carrier
from corpusmill.engine.engine import Engine
from corpusmill.engine.halt import Ending
from corpusmill.engine.route import Route
from corpusmill.jobs.folder import claimed
from corpusmill.jobs.summary import Summary
from corpusmill.journal.errors import BrokenDiskError, refused
from corpusmill.journal.files import Disk
from corpusmill.journal.sheet import Sheet
from corpusmill.journal.store import INTERRUPTED
from corpusmill.limits.statistics import GateStatistics
from corpusmill.space.documents.places import Base
from corpusmill.spec.schema import JobSpec
from corpusmill.telemetry.events import Emit, Event, JobEnded, JobStarted

Result = TypeVar("Result")


class OneThread:
    """Runs blocking functions on a thread of their own, in order."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread
        self._loop = asyncio.get_running_loop()

    def __call__(self, function: Callable[[], Result]) -> Awaitable[Result]:
        """Return the function's result; raise what it raises."""
        return self._loop.run_in_executor(self._thread, function)


class Running:
    """A job that is being run: what a progress display reads and a signal or a request acts on."""

    def __init__(
        self, assembly: Assembly, engine: Engine, routes: dict[str, Route], blocking: OneThread, began: float
    ) -> None:
        self.assembly, self._engine, self._routes = assembly, engine, routes
        self._blocking, self._began = blocking, began

    def drain(self, reason: str, state: str = INTERRUPTED) -> None:
        """End the run; calls that are out come back first."""
        self.assembly.halt.stop(state, reason)

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

    @property
    def sheet(self) -> Sheet:
        """The balance sheet of what is durable."""
        return self.assembly.store.figures

    def summary(self) -> Summary:
        """What the job came to so far."""
        state = "draining" if self.draining else "running"
        return self.assembly.summary(Ending(state), seconds=time.monotonic() - self._began)

    def gates(self) -> dict[str, GateStatistics]:
        """The state of every gate that the job passes, by the name of its endpoint."""
        members = [member for route in self._routes.values() for member in route.members]
        return {member.tickets.name: member.tickets.statistics() for member in members}

    def look(self) -> None:
        """Tell what holds the job's calls back, where that has changed."""
        self.assembly.caller.look()

    async def flush(self) -> None:
        """Write the lines of open shards that wait in memory, so that a reader finds them."""
        await self._blocking(self.assembly.store.flush)


Watch = Callable[[Running], AbstractAsyncContextManager[None]]
"""What is open while a job runs: signal handlers, a progress display."""


async def carry_job(
    job: str,
    spec: JobSpec,
    data: Path,
    routes: dict[str, Route],
    *,
    endpoint: str,
    emit: Emit,
    watch: Watch,
    base: Base | None = None,
) -> Summary:
    """Run a job, or what is left of it, to its end.

    Args:
        job: the name of its folder.
        spec: checked, with axis files inlined.
        data: the data directory.
        routes: by model alias.
        endpoint: where the calls go, for the log.
        emit: takes events.
        watch: entered while the job runs.
        base: where its documents may lie.

    Raises:
        SpecError, JobFolderError, JournalError: nothing was begun; the message says why.
    """
    began = time.monotonic()
    await check_budget(spec, routes)
    with ExitStack() as claim, ThreadPoolExecutor(1, "journal") as thread:
        blocking = OneThread(thread)
        folder = await blocking(lambda: claim.enter_context(claimed(Disk(), data, job, spec)))
        for event in await _indexed(blocking, folder, spec, base):
            emit(event)
        assembly = await blocking(lambda: _opened(spec, folder, base))
        return await carry(assembly, routes, blocking, began, endpoint=endpoint, emit=emit, watch=watch)


async def carry(
    assembly: Assembly,
    routes: dict[str, Route],
    blocking: OneThread,
    began: float,
    *,
    endpoint: str,
    emit: Emit,
    watch: Watch,
) -> Summary:
    """Run what is left of an opened job, seal and close it."""
    try:
        engine = assembly.engine(routes, blocking=blocking, jitter=random.Random(), emit=emit)
        emit(_started(assembly, endpoint))
        async with watch(Running(assembly, engine, routes, blocking, began)):
            ending = await _run(engine, assembly.carrier)
        ending = await blocking(lambda: _finished(assembly, ending))
    finally:
        await blocking(assembly.store.close)
    summary = assembly.summary(ending, seconds=time.monotonic() - began)
    emit(_ended(summary))
    return summary


def _ended(summary: Summary) -> JobEnded:
    return JobEnded(
        summary.job,
        summary.state,
        summary.reason,
        summary.seconds,
        summary.items,
        asdict(summary.outcomes),
        summary.rejected_by,
        summary.failed_by,
        summary.records,
        asdict(summary.calls),
        asdict(summary.tokens),
        summary.cost_usd,
    )


def seal_job(job: str, spec: JobSpec, data: Path, state: str) -> Sheet:
    """Seal what a job that does not run has in open shards, and record its last state; return its balance sheet.

    Raises:
        JobFolderError, JournalError, OSError: it is left as it was.
    """
    with claimed(Disk(), data, job, spec) as folder:
        store = Assembly(spec, folder, Disk(), now, open_documents(folder, spec)).store
        try:
            store.finish(state)
        finally:
            store.close()
        return store.figures


def now() -> str:
    """Return the time of day: ISO 8601, UTC, milliseconds."""
    return stamp(time.time())


def stamp(seconds: float) -> str:
    """Return a moment, given in seconds since the epoch, in the same form."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _opened(spec: JobSpec, folder: Path, base: Base | None) -> Assembly:
    try:
        return Assembly(spec, folder, Disk(), now, open_documents(folder, spec, base))
    except OSError as error:
        raise refused(error, f"{folder} cannot be opened") from error


def _started(assembly: Assembly, endpoint: str) -> JobStarted:
    spec, store = assembly.spec, assembly.store
    target = spec.target.kept if spec.target else None
    return JobStarted(
        assembly.job, assembly.items, len(store.done), endpoint, kept=store.figures.outcomes.kept, target=target
    )


async def _indexed(blocking: OneThread, folder: Path, spec: JobSpec, base: Base | None) -> list[Event]:
    """Make the indexes of the job's documents, off the event loop; stop when the task is cancelled."""
    stop = threading.Event()
    try:
        return await blocking(lambda: index_documents(Disk(), folder, spec, base, stop.is_set))
    finally:
        stop.set()


async def _run(engine: Engine, carrier: Carrier) -> Ending:
    try:
        return await engine.run(carrier)
    except* BrokenDiskError as group:
        error = group.exceptions[0]
    return Ending("failed", f"{error}; what was acknowledged is safe, run again when the disk is mended", "disk")


def _finished(assembly: Assembly, ending: Ending) -> Ending:
    """Seal what is open; where the disk refuses that, all of it is in the journal, and the next run does it.

    A disk that ended the run is not asked again: a file that refused a sync must not be synced a second time.
    """
    if ending.cause:
        return ending
    try:
        assembly.store.finish(ending.state)
    except (OSError, BrokenDiskError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        if ending.state == INTERRUPTED:
            return ending
        return Ending("failed", f"the last shards cannot be sealed: {reason}; the same command does it later", "disk")
    return ending
