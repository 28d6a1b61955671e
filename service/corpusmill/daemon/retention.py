"""Deletes ended jobs after the time the operator set; by default nothing is ever deleted."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from corpusmill.jobs.folder import job_path
from corpusmill.jobs.queue.job import Job
from corpusmill.jobs.queue.states import ENDED, Change, IllegalChangeError
from corpusmill.jobs.queue.table import JobTable

LOOK_SECONDS = 3600.0
AT_ONCE = 100


async def delete_old(table: JobTable, data: Path, days: int) -> int:
    """Delete some of the jobs that ended more than so many days ago; return how many."""
    moment = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    jobs = await table.ended_before(moment, AT_ONCE)
    for job in jobs:
        await delete_job(table, data, job)
    return len(jobs)


async def delete_job(table: JobTable, data: Path, job: Job) -> None:
    """Delete a job and its files; what it cost stays counted.

    Raises:
        IllegalChangeError: it is not over.
    """
    if job.state not in ENDED:
        raise IllegalChangeError(job.state, Change.DELETE)
    await table.delete(job.id)
    await asyncio.to_thread(shutil.rmtree, job_path(data, job.id), ignore_errors=True)
