"""Reports of jobs, each made by reading the job's whole corpus, and so not made at every request.

Rules of this file: a report is made again only if the job has changed since, and while it changes no sooner than after
twenty times as long as the last one took: whoever asks, however often, a running job pays a twentieth of one thread.
One is made at a time, on a thread of its own; who asks meanwhile gets the same one.
"""

import asyncio
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from corpusmill.bootstrap.report import report_of
from corpusmill.jobs.folder import job_path
from corpusmill.jobs.generations import generation_path
from corpusmill.jobs.queue.job import Figures
from corpusmill.jobs.report import as_object

REMEMBERED = 32
"""Jobs whose last report is remembered."""

PAUSE_FACTOR = 20
"""How many times as long as the last report took a report of a job that goes on is good for."""

Mark = tuple[str | None, Figures]
"""What changes whenever a report would: when the job ended, and what it came to."""


class Made(msgspec.Struct, frozen=True):
    """A report, and of what."""

    report: dict[str, Any]
    folder: Path
    mark: Mark
    began: float
    took_seconds: float

    def holds(self, folder: Path, mark: Mark, now: float) -> bool:
        """Whether it is good enough for who asks now."""
        if self.folder != folder or self.mark[0] != mark[0]:
            return False
        return self.mark == mark or now < self.began + (1 + PAUSE_FACTOR) * self.took_seconds


class Reports:
    """The last report of each job.

    Args:
        data: the data directory.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._thread = ThreadPoolExecutor(1, "reports")
        self._made: OrderedDict[str, Made] = OrderedDict()
        self._making: dict[str, asyncio.Future[Made]] = {}

    def close(self) -> None:
        """Let the thread go."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def of(self, job: str, folder: Path, mark: Mark) -> tuple[dict[str, Any], int]:
        """Return a job's report, and its age in seconds.

        Args:
            job: its id.
            folder: that of its current generation.
            mark: of the job as it is now.

        Raises:
            UnknownJobError: the job has nothing on disk yet.
            CorruptionError: something on disk is not what was written.
        """
        made = self._made.get(job)
        if made is None or not made.holds(folder, mark, time.monotonic()):
            made = await self._make(job, mark)
        return made.report, int(time.monotonic() - made.began)

    async def _make(self, job: str, mark: Mark) -> Made:
        making = self._making.get(job)
        if making is None:
            making = asyncio.get_running_loop().run_in_executor(self._thread, self._read, job, mark)
            self._making[job] = making
            making.add_done_callback(lambda _: self._making.pop(job))
        made = await asyncio.shield(making)
        self._made[job] = made
        self._made.move_to_end(job)
        if len(self._made) > REMEMBERED:
            self._made.popitem(last=False)
        return made

    def _read(self, job: str, mark: Mark) -> Made:
        began = time.monotonic()
        folder = generation_path(job_path(self._data, job))
        report = as_object(report_of(self._data, job))
        return Made(report, folder, mark, began, time.monotonic() - began)
