"""The mill: runs the jobs of the queue, several at once, each apart from the others.

Rules of this file: the queue's word comes first: a change is durable before anything acts on it (but for a start, which
is no news to a job that was queued), so whatever ends this process, the next one goes on where the queue says. One
outermost guard around each job: what it raises is that job's end and nobody else's.
"""

import asyncio
import contextlib
import shutil
import sqlite3
from collections import OrderedDict
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Literal

import msgspec

from corpusmill.bootstrap.job import Running, carry_job, seal_job
from corpusmill.bootstrap.switchboard import Switchboard
from corpusmill.bootstrap.target import UpstreamError
from corpusmill.config import ConfigError
from corpusmill.daemon.live import LiveJob
from corpusmill.daemon.news import News
from corpusmill.daemon.view import JobObject, job_object
from corpusmill.endpoint.errors import EndpointConfigError, PriceConfigError
from corpusmill.endpoint.secret import presentable
from corpusmill.engine.bell import Bell
from corpusmill.engine.route import Route
from corpusmill.jobs.folder import JobFolderError, UnknownJobError, held, job_path
from corpusmill.jobs.queue.job import Figures, Job, Submission
from corpusmill.jobs.queue.states import ENDED, Change, IllegalChangeError, State
from corpusmill.jobs.queue.table import JobTable
from corpusmill.journal.errors import JournalError
from corpusmill.limits.statistics import GateStatistics
from corpusmill.space.documents.places import Base
from corpusmill.spec.errors import SpecError
from corpusmill.spec.load import parse_spec
from corpusmill.spec.schema import JobSpec
from corpusmill.telemetry.events import Emit, Event, JobCrashed, JobDeleted, JobPaused, JobResumed, broadcast

ENDINGS = {"finished": Change.FINISH, "failed": Change.FAIL, "exhausted": Change.EXHAUST}
"""What a run's end does to the job; an interrupted or cancelled one is in its state already."""

TOLD = (
    SpecError,
    ConfigError,
    EndpointConfigError,
    PriceConfigError,
    UpstreamError,
    JobFolderError,
    JournalError,
    OSError,
)
"""What may be wrong with a job or its surroundings; the message says it all."""

NOTE_SECONDS = 10.0
"""How often the figures of a running job are kept; the truth is in its journal."""

DELETED_AT_ONCE = 100

ENCODED = 1000
"""Jobs without a run whose representation is kept."""

WAIT_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""How long to wait before an endpoint that was down is asked again; the last for ever."""

DRAINING_MOST = 2
"""Runs that are alive at most, for each that may run: paused jobs give up their place before their calls are back."""


class Mill:
    """Runs jobs.

    Args:
        data: the data directory.
        table: the queue.
        switchboard: endpoints and gates, shared by all jobs.
        max_running: jobs that run at once.
        news: is told of every job.
        emit: takes events.
        endpoint: where calls go, for the log.

    Attributes:
        max_running: may be changed at any time.
        base: where documents may lie; likewise.
        on_quota: what becomes of jobs whose account may not spend any more and whose spec does not say; likewise.
    """

    def __init__(
        self,
        data: Path,
        table: JobTable,
        switchboard: Switchboard,
        *,
        max_running: int,
        news: News,
        emit: Emit,
        endpoint: str = "",
    ) -> None:
        self._data, self.table, self._switchboard = data, table, switchboard
        self.max_running, self.news, self._endpoint = max_running, news, endpoint
        self._emit = broadcast(emit, self._take)
        self.base = Base({})
        self.on_quota: Literal["pause", "stop"] = "pause"
        self._live: dict[str, LiveJob] = {}
        self._noted: dict[str, float] = {}
        self._encoded: OrderedDict[str, tuple[Job, msgspec.Raw]] = OrderedDict()
        self._changed, self._emptied = asyncio.Event(), Bell()
        self.stopping = False

    async def run(self) -> None:
        """Run jobs until `stop`; returns when the last one has ended and everything is durable."""
        await self.table.requeue_running()
        async with asyncio.TaskGroup() as group:
            self._group = group
            while not self.stopping:
                self._changed.clear()
                await self._start_due(group)
                await self._changed.wait()

    async def stop(self, grace_seconds: float) -> None:
        """End all runs: calls that are out come back within the grace, then they are given up."""
        self.stopping = True
        self._changed.set()
        for live in self._live.values():
            live.stop("interrupted", "the daemon stops; the job goes on with the next")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                while self._live:
                    await self._emptied.wait()
        self.force()

    def force(self) -> None:
        """End all runs at once; calls that are out are lost, and nothing else."""
        self.stopping = True
        self._changed.set()
        for live in list(self._live.values()):
            live.force()

    async def submit(self, submission: Submission, cap_picodollars: int | None = None) -> tuple[Job, bool]:
        """Queue a job; raises as `JobTable.submit`."""
        job, new = await self.table.submit(submission, cap_picodollars)
        if new:
            self._tell(job)
            self._changed.set()
        return job, new

    async def change(self, job: str, change: Change) -> Job:
        """Pause, resume or cancel a job; no call of it is issued once this returns, but for `resume`.

        Raises:
            UnknownJobIdError: there is no such job.
            IllegalChangeError: its state does not allow it.
        """
        changed = await self.table.change(job, change)
        live = self._live.get(job)
        if live is not None and change is not Change.RESUME:
            live.stop("cancelled" if change is Change.CANCEL else "interrupted", f"{changed.state.value} on request")
        elif change is Change.CANCEL and changed.started_at is not None:
            self._group.create_task(self._seal(changed))
        self._tell(changed)
        self._changed.set()
        return changed

    async def delete(self, job: Job) -> None:
        """Delete a job that is over, and its files; what it cost stays counted.

        Raises:
            IllegalChangeError: it is not over.
            JobBusyError: another process works on its files.
        """
        if not self.is_over(job):
            raise IllegalChangeError(job.state, Change.DELETE)
        with ExitStack() as claim:
            await asyncio.to_thread(self._claim, claim, job.id)
            await self.table.delete(job.id)
            await asyncio.to_thread(shutil.rmtree, job_path(self._data, job.id), ignore_errors=True)
        self._emit(JobDeleted(job.id, job.finished_at or ""))

    def _claim(self, claim: ExitStack, job: str) -> None:
        """Take the folder of a job, if it has one."""
        with contextlib.suppress(UnknownJobError):
            claim.enter_context(held(self._data, job))

    async def delete_old(self, moment: str) -> None:
        """Delete the jobs that ended before a moment, but for those that are in somebody's hands."""
        busy: set[str] = set()
        while jobs := await self.table.ended_before(moment, DELETED_AT_ONCE + len(busy)):
            due = [job for job in jobs if job.id not in busy]
            if not due:
                return
            for job in due:
                try:
                    await self.delete(job)
                except (IllegalChangeError, JobFolderError):
                    busy.add(job.id)

    def figures(self, job: Job) -> Figures:
        """Return the newest figures there are of a job."""
        live = self._live.get(job.id)
        return live.figures if live is not None else job.figures

    def encoded(self, job: Job) -> msgspec.Raw:
        """Return a job's representation as JSON; of one that has no run it is made once, until the job changes."""
        if job.id in self._live:
            return msgspec.Raw(msgspec.json.encode(self.object(job)))
        known = self._encoded.get(job.id)
        if known is None or known[0] is not job:
            known = self._encoded[job.id] = job, msgspec.Raw(msgspec.json.encode(self.object(job)))
            if len(self._encoded) > ENCODED:
                self._encoded.popitem(last=False)
        return known[1]

    def object(self, job: Job) -> JobObject:
        """Return a job's representation, with the newest figures there are."""
        live = self._live.get(job.id)
        if live is None:
            return job_object(job, job.figures)
        return job_object(
            job,
            live.figures,
            live.rate,
            waits_for=live.waits_for,
            in_flight=live.in_flight,
            draining=live.stopping,
        )

    def is_over(self, job: Job) -> bool:
        """Whether nothing of a job will change any more, unless somebody resumes it."""
        return job.state in ENDED and job.id not in self._live

    @property
    def runnings(self) -> list[Running]:
        """The runs that have an engine."""
        return [live.running for live in self._live.values() if live.running is not None]

    def gates(self) -> dict[str, GateStatistics]:
        """Return the state of every gate, by the name of its endpoint."""
        return self._switchboard.statistics()

    def _take(self, event: Event) -> None:
        """Take note of what holds a job up."""
        if isinstance(event, JobPaused | JobResumed) and event.job in self._live:
            self._live[event.job].waits_for = event.cause if isinstance(event, JobPaused) else None

    async def _start_due(self, group: asyncio.TaskGroup) -> None:
        """Start as many jobs as there are places for, in their turn."""
        running = sum(not live.stopping for live in self._live.values())
        places = min(self.max_running - running, DRAINING_MOST * self.max_running - len(self._live))
        if places <= 0:
            return
        for job in await self.table.next_queued(places, besides=self._live.keys()):
            if self.stopping:
                return
            live = self._live[job.id] = LiveJob(job, self._looked)
            try:
                live.job = await self.table.change(job.id, Change.START)
            except IllegalChangeError:
                del self._live[job.id]
                self._emptied.ring()
                continue
            self._tell(live.job)
            group.create_task(self._guard(live))

    async def _guard(self, live: LiveJob) -> None:
        """Carry a job to its end, whatever it is; nothing it raises goes beyond this."""
        try:
            await self._carry(live)
        except TOLD as error:
            await self._end(live, Change.FAIL, str(error))
        except Exception as error:  # noqa: BLE001 - the outermost guard of a job: its defect is not the others'
            self._emit(JobCrashed(live.job.id, described(error)))
            await self._end(live, Change.FAIL, f"internal error: {described(error)}; what was acknowledged is safe")
        finally:
            del self._live[live.job.id]
            self._noted.pop(live.job.id, None)
            self._emptied.ring()
            self._changed.set()
        with contextlib.suppress(sqlite3.Error):
            self._tell(await self.table.get(live.job.id))

    async def _carry(self, live: LiveJob) -> None:
        job = live.job.id
        spec = parse_spec(await self.table.spec(job), "json")
        live.target = spec.target.kept if spec.target is not None else None
        async with AsyncExitStack() as stack:
            routes = await self._opened(stack, live, spec)
            if routes is None:
                return
            limits = msgspec.structs.replace(spec.limits, on_quota=spec.limits.on_quota or self.on_quota)
            summary = await carry_job(
                job,
                msgspec.structs.replace(spec, limits=limits),
                self._data,
                routes,
                endpoint=self._endpoint,
                emit=self._emit,
                watch=live.watch,
                base=self.base,
            )
        change = ENDINGS.get(summary.state)
        if change is not None:
            await self._end(live, change, summary.reason or None)
            return
        await self._note(live)
        current = await self.table.get(job)
        if current.state is State.CANCELLED and summary.state != "cancelled":
            await asyncio.to_thread(seal_job, job, spec, self._data, "cancelled")

    async def _opened(self, stack: AsyncExitStack, live: LiveJob, spec: JobSpec) -> dict[str, Route] | None:
        """Open the job's routes; while an endpoint is down, wait. None if the job is stopped meanwhile."""
        job, tries = live.job, 0
        while not live.stopping:
            try:
                routes = self._switchboard.routes(job.id, spec, weight=job.weight, priority=job.priority)
                opened = await stack.enter_async_context(routes)
            except UpstreamError as error:
                if not error.may_pass:
                    raise
                live.waits_for = str(error)
                self._tell(job)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(WAIT_SECONDS[min(tries, len(WAIT_SECONDS) - 1)]):
                        await live.stopped.wait()
                tries += 1
            else:
                live.waits_for = None
                return opened
        return None

    async def _end(self, live: LiveJob, change: Change, error: str | None) -> None:
        """Record how a run ended; a job that was paused or cancelled meanwhile stays so."""
        try:
            await self.table.change(live.job.id, change, error=error, figures=live.figures)
        except IllegalChangeError:
            await self._note(live)
        except sqlite3.Error as broken:
            self._emit(
                JobCrashed(live.job.id, f"its end cannot be recorded: {broken}; the next daemon goes on with it")
            )

    async def _note(self, live: LiveJob) -> None:
        with contextlib.suppress(sqlite3.Error):
            await self.table.note_figures({live.job.id: live.figures})

    async def _looked(self, live: LiveJob) -> None:
        """Tell watchers how far a job is, and keep its figures now and then."""
        now = asyncio.get_running_loop().time()
        if now - self._noted.setdefault(live.job.id, now) >= NOTE_SECONDS:
            self._noted[live.job.id] = now
            await self._note(live)
        with contextlib.suppress(sqlite3.Error):
            self._tell(await self.table.get(live.job.id), "progress")

    async def _seal(self, job: Job) -> None:
        """Seal what a job that was cancelled between two runs has in open shards."""
        try:
            spec = parse_spec(await self.table.spec(job.id), "json")
            sheet = await asyncio.to_thread(seal_job, job.id, spec, self._data, "cancelled")
            await self.table.note_figures({job.id: Figures(job.figures.items, sheet)})
        except Exception as error:  # noqa: BLE001 - a guard like `_guard`: the job is cancelled all the same
            self._emit(JobCrashed(job.id, described(error)))
        self._tell(await self.table.get(job.id))

    def _tell(self, job: Job, event: str = "state") -> None:
        self.news.tell(job.id, event, bytes(self.encoded(job)))


def described(error: BaseException) -> str:
    """Return an error's type, message and place, the innermost one of a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace is not None else ""
    return presentable(f"{type(error).__name__}: {error}", ()) + place
