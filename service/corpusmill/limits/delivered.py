"""What share of its limits a gate has had accepted lately.

Rule of this file: what was refused and given back does not count, nor does the time of a long pause; of several limits
the most used one counts.
"""

import math

from corpusmill.limits.buckets import Buckets
from corpusmill.limits.charge import DAY_SECONDS

AVERAGE_SECONDS = 4.0
WEIGHT_LEAST = 0.4
"""Two seconds of looking make an average worth using."""


class Delivered:
    """A running average over a few seconds."""

    def __init__(self, now: float) -> None:
        self._sum = self._weight = 0.0
        self._at = now
        self._charged: list[float] = []

    def share(self) -> float | None:
        """Return the share of the most used limit, 1 if all of it is used; None before enough was seen."""
        return self._sum / self._weight if self._weight >= WEIGHT_LEAST else None

    def look(self, now: float, buckets: Buckets) -> None:
        """Take what was charged since the last look."""
        seconds = now - self._at
        if seconds <= 0:
            return
        if self._charged:
            charged = zip(self._charged, buckets.charged, strict=True)
            rates = [(after - before) / seconds for before, after in charged]
            paced = [row for row in buckets.rows if row.period_seconds < DAY_SECONDS]
            share = max((rates[row.kind] * row.period_seconds / row.limit for row in paced), default=0.0)
            kept = math.exp(-seconds / AVERAGE_SECONDS)
            self._sum = kept * self._sum + (1 - kept) * max(0.0, share)
            self._weight = kept * self._weight + (1 - kept)
        self._at, self._charged = now, list(buckets.charged)

    def paused(self, now: float, until: float) -> None:
        """Leave out a pause, unless it is so short that it belongs to the rate."""
        if until - now > AVERAGE_SECONDS:
            self._at = max(self._at, until)
