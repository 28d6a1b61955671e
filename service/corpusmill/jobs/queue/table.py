"""The table of jobs.

Rules of this file: a method is one transaction. A state changes only along `states.TABLE`, and the news of it goes into
the outbox in the same transaction, so a webhook is told of exactly what happened.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Any

import msgspec

from corpusmill.jobs.queue.database import Database
from corpusmill.jobs.queue.job import Figures, Job, Submission
from corpusmill.jobs.queue.states import ENDED, Change, IllegalChangeError, State, after
from corpusmill.journal.sheet import Sheet
from corpusmill.spec.schema import Budget

COLUMNS = (
    "sequence, id, name, state, submitted_by, priority, weight, created_at, started_at, finished_at, error, "
    "budget, items, figures"
)
REMEMBERED = 1000
"""Jobs that are kept in memory, so that who looks at one again and again costs no disk."""

PAGES_REMEMBERED = 16
"""Pages that are kept likewise, until any job changes."""

Note = Callable[[sqlite3.Connection, Job], None]
"""Takes note of a job's new state inside the transaction that makes it so."""


class UnknownJobIdError(Exception):
    """There is no such job."""

    def __init__(self, job: str) -> None:
        super().__init__(f"no job {job!r}")


class IdempotencyError(Exception):
    """This idempotency key was used for another request."""


class SpendCapError(Exception):
    """The key's spend cap leaves no room for this job.

    Attributes:
        left_picodollars: what is left of the cap.
    """

    def __init__(self, left_picodollars: int) -> None:
        super().__init__("the key's spend cap leaves no room for this job")
        self.left_picodollars = left_picodollars


class QueueFullError(Exception):
    """As many jobs wait as are allowed to."""


class JobTable:
    """The jobs of a daemon.

    Args:
        database: where they are kept.
        now: wall clock, ISO 8601.
        note: takes note of every new state.
        noted: called when that is durable.
        most_queued: how many jobs may be queued or paused at once.
    """

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], str],
        note: Note,
        noted: Callable[[], None],
        most_queued: int = 10_000,
    ) -> None:
        self._database, self._now, self._note, self._noted = database, now, note, noted
        self._most_queued = most_queued
        self._remembered: OrderedDict[str, Job] = OrderedDict()
        self._pages: OrderedDict[tuple[State | None, int, int | None], tuple[int, list[Job]]] = OrderedDict()
        self._changes = 0

    async def submit(self, submission: Submission, cap_picodollars: int | None = None) -> tuple[Job, bool]:
        """Queue a job; return it, and whether it is new (else it was submitted with the same key before).

        Raises:
            IdempotencyError: the idempotency key belongs to another request.
            SpendCapError: what the job sets aside is more than what is left of the cap.
            QueueFullError: too many jobs wait.
        """

        def work(connection: sqlite3.Connection) -> tuple[Job, bool]:
            if (earlier := _replayed(connection, submission)) is not None:
                return earlier, False
            left = _left(connection, submission.submitted_by, cap_picodollars)
            if left is not None and (submission.reserved_picodollars or 0) > left:
                raise SpendCapError(left)
            if _waiting(connection) >= self._most_queued:
                raise QueueFullError
            job = _insert(connection, submission, self._now())
            self._note(connection, job)
            return job, True

        job, new = await self._database.run(work)
        self._noted()
        return self._changed_to(job), new

    async def earlier(self, submission: Submission) -> Job | None:
        """Return the job that the same request made before; None where this is the first of its kind.

        Raises:
            IdempotencyError: the idempotency key belongs to another request.
        """
        return await self._database.run(lambda connection: _replayed(connection, submission))

    async def left_picodollars(self, submitted_by: str, cap_picodollars: int) -> int:
        """Return what is left of a key's cap: ended jobs count with what they cost, others with what they may cost."""
        left = await self._database.run(lambda connection: _left(connection, submitted_by, cap_picodollars))
        return left or 0

    async def get(self, job: str) -> Job:
        """Return a job.

        Raises:
            UnknownJobIdError: there is none of this id.
        """
        found = self._remembered.get(job)
        return found or self._remember(await self._database.run(lambda connection: _get(connection, job)))

    async def spec(self, job: str) -> bytes:
        """Return the spec of a job, JSON; raises as `get`."""

        def work(connection: sqlite3.Connection) -> bytes:
            row = connection.execute("SELECT spec FROM jobs WHERE id = ?", (job,)).fetchone()
            if row is None:
                raise UnknownJobIdError(job)
            return bytes(row[0])

        return await self._database.run(work)

    async def page(self, state: State | None, limit: int, before: int | None) -> list[Job]:
        """Return jobs, the newest first: those submitted before the one with sequence `before`."""
        query = f"SELECT {COLUMNS} FROM jobs WHERE sequence < ?"  # noqa: S608 - the names of our own columns
        arguments: list[Any] = [before if before is not None else 2**62]
        if state is not None:
            query += " AND state = ?"
            arguments.append(state)
        query += " ORDER BY sequence DESC LIMIT ?"
        asked, changes = (state, limit, before), self._changes
        known = self._pages.get(asked)
        if known is not None and known[0] == changes:
            return known[1]
        rows = await self._database.run(lambda connection: connection.execute(query, [*arguments, limit]).fetchall())
        jobs = [self._known(row) for row in rows]
        self._pages[asked] = changes, jobs
        if len(self._pages) > PAGES_REMEMBERED:
            self._pages.popitem(last=False)
        return jobs

    async def next_queued(self, count: int, besides: Collection[str] = ()) -> list[Job]:
        """Return the jobs whose turn it is: by priority, then by age; those of `besides` are passed over."""
        query = f"SELECT {COLUMNS} FROM jobs WHERE state = 'queued' ORDER BY priority, sequence LIMIT ?"  # noqa: S608 - our own
        rows = await self._database.run(
            lambda connection: connection.execute(query, (count + len(besides),)).fetchall()
        )
        return [job for job in map(_job, rows) if job.id not in besides][:count]

    async def counts(self) -> dict[State, int]:
        """Return how many jobs are in each state."""
        rows = await self._database.run(
            lambda connection: connection.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall()
        )
        return {**dict.fromkeys(State, 0), **{State(state): count for state, count in rows}}

    async def change(
        self, job: str, change: Change, *, error: str | None = None, figures: Figures | None = None
    ) -> Job:
        """Change a job's state, and with it what it came to so far.

        That it starts need not be durable: without it, it is started again.

        Raises:
            UnknownJobIdError: there is no such job.
            IllegalChangeError: its state does not allow it.
        """

        def work(connection: sqlite3.Connection) -> Job:
            changed = _changed(connection, job, change, self._now(), error)
            if figures is not None:
                _note_figures(connection, job, figures)
                changed = msgspec.structs.replace(changed, figures=figures)
            self._note(connection, changed)
            return changed

        changed = await self._database.run(work, lasting=change is not Change.START)
        self._noted()
        return self._changed_to(changed)

    async def note_figures(self, figures: dict[str, Figures]) -> None:
        """Keep what running jobs came to so far; their journals know it too, so it need not be durable at once."""

        def work(connection: sqlite3.Connection) -> None:
            for job, each in figures.items():
                _note_figures(connection, job, each)

        await self._database.run(work, lasting=False)
        self._changes += 1
        for job, each in figures.items():
            if job in self._remembered:
                self._remember(msgspec.structs.replace(self._remembered[job], figures=each))

    async def requeue_running(self) -> list[Job]:
        """Queue again what ran when the last daemon ended, however it ended; return those jobs."""

        def work(connection: sqlite3.Connection) -> list[Job]:
            rows = connection.execute(f"SELECT {COLUMNS} FROM jobs WHERE state = 'running'").fetchall()  # noqa: S608 - our own
            return [_changed(connection, _job(row).id, Change.REQUEUE, self._now(), None) for row in rows]

        return [self._changed_to(job) for job in await self._database.run(work)]

    async def ended_before(self, moment: str, count: int) -> list[Job]:
        """Return some of the jobs that ended before a moment."""
        marks = ", ".join("?" * len(ENDED))
        query = f"SELECT {COLUMNS} FROM jobs WHERE finished_at < ? AND state IN ({marks}) LIMIT ?"  # noqa: S608 - our own
        rows = await self._database.run(
            lambda connection: connection.execute(query, (moment, *ENDED, count)).fetchall()
        )
        return [_job(row) for row in rows]

    async def delete(self, job: str) -> None:
        """Forget a job that has ended, but not what it cost its submitter.

        Raises:
            UnknownJobIdError: there is no such job.
            IllegalChangeError: it has not ended.
        """

        def work(connection: sqlite3.Connection) -> None:
            state = _get(connection, job).state
            if state not in ENDED:
                raise IllegalChangeError(state, Change.DELETE)
            connection.execute(
                "INSERT INTO spent_by_deleted SELECT submitted_by, spent_picodollars FROM jobs WHERE id = ? "
                "ON CONFLICT DO UPDATE SET picodollars = picodollars + excluded.picodollars",
                (job,),
            )
            connection.execute("DELETE FROM jobs WHERE id = ?", (job,))

        await self._database.run(work)
        self._remembered.pop(job, None)
        self._changes += 1

    def _changed_to(self, job: Job) -> Job:
        self._changes += 1
        return self._remember(job)

    def _known(self, row: tuple[Any, ...]) -> Job:
        """Return the job of a row: the same object for as long as it is the same job."""
        _, name, _, state, *_ = row
        known = self._remembered.get(name)
        return known if known is not None and known.state == state else self._remember(_job(row))

    def _remember(self, job: Job) -> Job:
        self._remembered[job.id] = job
        self._remembered.move_to_end(job.id)
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return job


def _job(row: tuple[Any, ...]) -> Job:
    *fields, budget, items, sheet = row
    decoded = {
        "budget": msgspec.json.decode(budget, type=Budget),
        "figures": Figures(items, msgspec.json.decode(sheet, type=Sheet)),
    }
    return msgspec.convert({**dict(zip(Job.__struct_fields__, fields, strict=False)), **decoded}, Job)


def _get(connection: sqlite3.Connection, job: str) -> Job:
    row = connection.execute(f"SELECT {COLUMNS} FROM jobs WHERE id = ?", (job,)).fetchone()  # noqa: S608 - our own
    if row is None:
        raise UnknownJobIdError(job)
    return _job(row)


def _replayed(connection: sqlite3.Connection, submission: Submission) -> Job | None:
    if submission.idempotency_key is None:
        return None
    row = connection.execute(
        "SELECT job, fingerprint FROM idempotency WHERE submitted_by = ? AND key = ?",
        (submission.submitted_by, submission.idempotency_key),
    ).fetchone()
    if row is None:
        return None
    if row[1] != submission.fingerprint:
        raise IdempotencyError
    return _get(connection, row[0])


def _left(connection: sqlite3.Connection, submitted_by: str, cap_picodollars: int | None) -> int | None:
    if cap_picodollars is None:
        return None
    ended = ", ".join(f"'{state}'" for state in ENDED)
    (used,) = connection.execute(
        f"SELECT coalesce(sum(iif(state IN ({ended}), spent_picodollars, "  # noqa: S608 - names of our own states
        "max(spent_picodollars, coalesce(reserved_picodollars, 0)))), 0) "
        "+ coalesce((SELECT picodollars FROM spent_by_deleted WHERE submitted_by = :key), 0) "
        "FROM jobs WHERE submitted_by = :key",
        {"key": submitted_by},
    ).fetchone()
    return max(cap_picodollars - int(used), 0)


def _waiting(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("SELECT count(*) FROM jobs WHERE state IN ('queued', 'paused')").fetchone()
    return int(count)


def _insert(connection: sqlite3.Connection, submission: Submission, now: str) -> Job:
    connection.execute(
        "INSERT INTO jobs (id, name, state, submitted_by, priority, weight, created_at, budget, items, figures, "
        "reserved_picodollars, spec) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            submission.id,
            submission.name,
            State.QUEUED,
            submission.submitted_by,
            submission.priority,
            submission.weight,
            now,
            msgspec.json.encode(submission.budget),
            submission.items,
            msgspec.json.encode(Sheet()),
            submission.reserved_picodollars,
            submission.spec,
        ),
    )
    if submission.idempotency_key is not None:
        connection.execute(
            "INSERT INTO idempotency VALUES (?, ?, ?, ?)",
            (submission.submitted_by, submission.idempotency_key, submission.fingerprint, submission.id),
        )
    return _get(connection, submission.id)


def _changed(connection: sqlite3.Connection, job: str, change: Change, now: str, error: str | None) -> Job:
    state = after(_get(connection, job).state, change)
    connection.execute(
        "UPDATE jobs SET state = ?, error = ?, finished_at = ?, started_at = coalesce(started_at, ?) WHERE id = ?",
        (state, error, now if state in ENDED else None, now if state is State.RUNNING else None, job),
    )
    return _get(connection, job)


def _note_figures(connection: sqlite3.Connection, job: str, figures: Figures) -> None:
    sheet = figures.sheet
    spent = max(sheet.cost_picodollars, sheet.granted.picodollars if sheet.granted else 0)
    connection.execute(
        "UPDATE jobs SET items = ?, figures = ?, spent_picodollars = ? WHERE id = ?",
        (figures.items, msgspec.json.encode(sheet), spent, job),
    )
