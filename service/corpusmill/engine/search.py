"""Tells when a job looks for its next item for long: its `where` excludes nearly everything.

Rule of this file: it tells, and stops nothing; how long is too long is for people to say.
"""

import asyncio

from corpusmill.engine.schedule import PATIENCE
from corpusmill.telemetry.events import Emit, JobPaused, JobResumed

LOOKS = 100
"""So many looks of `PATIENCE` positions each without an item take some seconds, and are told."""

CAUSE = f"looking for an item: `where` excludes more than {LOOKS * PATIENCE:,} combinations in a row"


class Search:
    """What was told of one job's search.

    Args:
        job: whose items these are.
        emit: takes events.
    """

    def __init__(self, job: str, emit: Emit) -> None:
        self._job, self._emit = job, emit
        self._clock = asyncio.get_running_loop().time
        self._looks, self._began = 0, 0.0

    def in_vain(self) -> None:
        """Take note of a look that found no item, though there may be one."""
        if self._looks == 0:
            self._began = self._clock()
        self._looks += 1
        if self._looks == LOOKS:
            self._emit(JobPaused(self._job, CAUSE))

    def found(self) -> None:
        """Take note of an item, or that there is none."""
        if self._looks >= LOOKS:
            self._emit(JobResumed(self._job, self._clock() - self._began))
        self._looks = 0
