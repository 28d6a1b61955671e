"""What a piece of work costs the process that does it."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

KIBIBYTE = 1024


class Cost(msgspec.Struct):
    """What was measured of one piece of work.

    Attributes:
        calls: requests answered.
        began_at: monotonic time at which the work began, with everything imported.
        wall_seconds: how long it took.
        cpu_seconds: what all threads of the process used meanwhile, in user and kernel mode.
        peak_bytes: the most memory that the process had resident in its life.
    """

    calls: int
    began_at: float = 0.0
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0

    @property
    def calls_per_cpu_second(self) -> float:
        """How much work a core does."""
        return self.calls / self.cpu_seconds


@contextmanager
def measured(cost: Cost) -> Iterator[None]:
    """Fill in a cost from what this process uses while the block runs."""
    cost.began_at, cpu_before = time.monotonic(), _cpu_seconds()
    yield
    cost.wall_seconds = time.monotonic() - cost.began_at
    cost.cpu_seconds = _cpu_seconds() - cpu_before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cost.peak_bytes = peak if sys.platform == "darwin" else peak * KIBIBYTE


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
