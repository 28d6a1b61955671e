import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.jobs.queue.database import DatabaseError, opened
from corpusmill.jobs.queue.job import Figures, Job, Priority, Submission
from corpusmill.jobs.queue.states import Change, IllegalChangeError, State
from corpusmill.jobs.queue.table import (
    IdempotencyError,
    JobTable,
    QueueFullError,
    SpendCapError,
    UnknownJobIdError,
)
from corpusmill.journal.records import Granted
from corpusmill.journal.sheet import Sheet

NOW = "2026-11-21T09:00:00.000Z"


def nothing(_connection: sqlite3.Connection, _job: Job) -> None:
    """Takes no note of a change."""


@asynccontextmanager
async def table_in(folder: Path, **options: Any) -> AsyncIterator[JobTable]:
    async with opened(folder / "jobs.sqlite") as database:
        yield JobTable(database, now=lambda: NOW, note=nothing, noted=lambda: None, **options)


def with_table(folder: Path, use: Callable[[JobTable], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        async with table_in(folder, **options) as table:
            await use(table)

    asyncio.run(run())


def submission(job: str, **changes: Any) -> Submission:
    return msgspec.structs.replace(Submission(job, "plots", b"{}", "alice"), **changes)


def spent(picodollars: int) -> Figures:
    return Figures(1, Sheet(cost_picodollars=picodollars))


def test_a_job_is_there_again_after_the_file_was_closed(tmp_path: Path) -> None:
    async def submit(table: JobTable) -> None:
        job, new = await table.submit(submission("a", items=7, priority=Priority.LOW, weight=3))
        assert new
        assert (job.state, job.created_at, job.started_at) == (State.QUEUED, NOW, None)
        await table.change("a", Change.START)
        await table.change("a", Change.FAIL, error="no disk", figures=Figures(7, Sheet(records=2)))

    async def look(table: JobTable) -> None:
        job = await table.get("a")
        assert (job.state, job.error, job.weight, job.priority) == (State.FAILED, "no disk", 3, Priority.LOW)
        assert (job.started_at, job.finished_at, job.figures) == (NOW, NOW, Figures(7, Sheet(records=2)))
        assert await table.spec("a") == b"{}"

    with_table(tmp_path, submit)
    with_table(tmp_path, look)


def test_what_was_submitted_survives_a_process_that_is_killed_at_once(tmp_path: Path) -> None:
    script = f"""
import asyncio, os, pathlib
from tests.queue.test_table import submission, table_in
async def main():
    async with table_in(pathlib.Path({str(tmp_path)!r})) as table:
        await table.submit(submission("a"))
        await table.change("a", "start")
        os.kill(os.getpid(), 9)
asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", script], check=False, timeout=60)

    async def look(table: JobTable) -> None:
        assert [job.id for job in await table.requeue_running()] == ["a"]
        assert (await table.get("a")).state is State.QUEUED

    with_table(tmp_path, look)


def test_the_same_idempotency_key_is_the_same_job_and_another_body_is_refused(tmp_path: Path) -> None:
    async def use(table: JobTable) -> None:
        first = submission("a", idempotency_key="k", fingerprint=b"1")
        await table.submit(first)
        again, new = await table.submit(msgspec.structs.replace(first, id="b"))
        assert (again.id, new) == ("a", False)
        with pytest.raises(IdempotencyError):
            await table.submit(msgspec.structs.replace(first, id="c", fingerprint=b"2"))
        other, new = await table.submit(msgspec.structs.replace(first, id="d", submitted_by="bob"))
        assert (other.id, new) == ("d", True)

    with_table(tmp_path, use)


def test_jobs_come_by_priority_and_then_by_age(tmp_path: Path) -> None:
    async def use(table: JobTable) -> None:
        for job, priority in (
            ("a", Priority.LOW),
            ("b", Priority.NORMAL),
            ("c", Priority.HIGH),
            ("d", Priority.NORMAL),
        ):
            await table.submit(submission(job, priority=priority))
        assert [job.id for job in await table.next_queued(10)] == ["c", "b", "d", "a"]
        assert [job.id for job in await table.next_queued(2, besides={"c"})] == ["b", "d"]

    with_table(tmp_path, use)


@given(count=st.integers(0, 12), limit=st.integers(1, 5))
def test_pages_hold_every_job_once_the_newest_first(
    tmp_path_factory: pytest.TempPathFactory, count: int, limit: int
) -> None:
    async def use(table: JobTable) -> None:
        for number in range(count):
            await table.submit(submission(f"job-{number}"))
        seen: list[str] = []
        before = None
        while page := await table.page(None, limit, before):
            assert len(page) <= limit
            seen += [job.id for job in page]
            before = page[-1].sequence
        assert seen == [f"job-{number}" for number in reversed(range(count))]

    with_table(tmp_path_factory.mktemp("pages"), use)


def test_a_page_of_one_state_has_no_other(tmp_path: Path) -> None:
    async def use(table: JobTable) -> None:
        for job in "abc":
            await table.submit(submission(job))
        await table.change("b", Change.CANCEL)
        assert [job.id for job in await table.page(State.QUEUED, 10, None)] == ["c", "a"]
        assert (await table.counts())[State.CANCELLED] == 1

    with_table(tmp_path, use)


def test_an_illegal_change_changes_nothing(tmp_path: Path) -> None:
    async def use(table: JobTable) -> None:
        await table.submit(submission("a"))
        with pytest.raises(IllegalChangeError):
            await table.change("a", Change.FINISH, figures=Figures(9))
        assert (await table.get("a")).figures.items is None
        with pytest.raises(UnknownJobIdError):
            await table.change("b", Change.PAUSE)

    with_table(tmp_path, use)


def test_a_spend_cap_counts_what_ended_jobs_cost_and_what_others_may_cost(tmp_path: Path) -> None:
    async def use(table: JobTable) -> None:
        await table.submit(submission("a", reserved_picodollars=60), 100)
        with pytest.raises(SpendCapError) as refused:
            await table.submit(submission("b", reserved_picodollars=41), 100)
        assert refused.value.left_picodollars == 40
        await table.change("a", Change.START)
        await table.change("a", Change.FINISH, figures=spent(10))
        assert await table.left_picodollars("alice", 100) == 90
        await table.delete("a")
        assert await table.left_picodollars("alice", 100) == 90, "deleting a job gives no money back"
        assert await table.left_picodollars("bob", 100) == 100

    with_table(tmp_path, use)


def test_what_was_granted_counts_as_spent(tmp_path: Path) -> None:
    async def use(table: JobTable) -> None:
        await table.submit(submission("a", reserved_picodollars=60), 100)
        await table.change("a", Change.START)
        granted = Figures(1, Sheet(cost_picodollars=10, granted=Granted(3, 25)))
        await table.change("a", Change.CANCEL, figures=granted)
        assert await table.left_picodollars("alice", 100) == 75

    with_table(tmp_path, use)


def test_a_full_queue_takes_no_more(tmp_path: Path) -> None:
    async def use(table: JobTable) -> None:
        await table.submit(submission("a"))
        with pytest.raises(QueueFullError):
            await table.submit(submission("b"))

    with_table(tmp_path, use, most_queued=1)


def test_a_file_of_a_later_version_or_of_something_else_is_refused(tmp_path: Path) -> None:
    async def nobody(_table: JobTable) -> None:
        raise AssertionError

    with sqlite3.connect(tmp_path / "jobs.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(DatabaseError, match="later version"):
        with_table(tmp_path, nobody)
    (tmp_path / "jobs.sqlite").write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    with pytest.raises(DatabaseError, match="cannot be used"):
        with_table(tmp_path, nobody)
