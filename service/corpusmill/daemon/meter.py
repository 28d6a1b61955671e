"""How fast a job goes, and when it will be over.

Rule of this file: no clock; the figures of the last half minute decide, so that a pause or a burst is soon forgotten.
"""

import math
from collections import deque

import msgspec

from corpusmill.journal.sheet import Sheet

LOOKS = 31
"""Looks that are kept; at one a second, half a minute."""


class Rate(msgspec.Struct, frozen=True):
    """How fast a job goes; `eta_seconds` is None while that cannot be told."""

    records_per_second: float = 0.0
    eta_seconds: int | None = None


class Meter:
    """Measures one run."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int, int, int]] = deque(maxlen=LOOKS)

    def look(self, now: float, sheet: Sheet) -> None:
        """Take the figures of a moment, in seconds."""
        self._looks.append((now, sheet.outcomes.total, sheet.outcomes.kept, sheet.records))

    def rate(self, items: int | None, target: int | None) -> Rate:
        """Return the rate at the last look.

        Args:
            items: how many the job has; None while unknown.
            target: how many are to be kept; None where all items are to be done.
        """
        if len(self._looks) < 2:
            return Rate()
        (began, done_before, kept_before, records_before), (now, done, kept, records) = self._looks[0], self._looks[-1]
        seconds = now - began
        if seconds <= 0:
            return Rate()
        left, came = (target - kept, kept - kept_before) if target is not None else (None, done - done_before)
        if left is None:
            left = None if items is None else items - done
        eta = math.ceil(max(left, 0) * seconds / came) if left is not None and came > 0 else None
        return Rate(round((records - records_before) / seconds, 3), eta)
