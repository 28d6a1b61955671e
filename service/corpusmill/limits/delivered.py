"""What share of its limits a gate has had accepted lately.

Rule of this file: what was refused and given back does not count; of several limits the most used one counts.
"""

import math

from corpusmill.limits.buckets import Buckets
from corpusmill.limits.charge import DAY_SECONDS

AVERAGE_SECONDS = 4.0


class Delivered:
    """A running average over a few seconds.

    Attributes:
        share: of the most used limit, 1 if all of it is used.
    """

    def __init__(self, now: float) -> None:
        self.share = 0.0
        self._at = now
        self._charged: list[float] = []

    def look(self, now: float, buckets: Buckets) -> None:
        """Take what was charged since the last look."""
        seconds = now - self._at
        if seconds <= 0 or not self._charged:
            self._at, self._charged = now, list(buckets.charged)
            return
        rates = [(after - before) / seconds for before, after in zip(self._charged, buckets.charged, strict=True)]
        share = max(
            (
                rates[row.kind] * row.period_seconds / row.limit
                for row in buckets.rows
                if row.period_seconds < DAY_SECONDS
            ),
            default=0.0,
        )
        self.share += (1 - math.exp(-seconds / AVERAGE_SECONDS)) * (max(0.0, share) - self.share)
        self._at, self._charged = now, list(buckets.charged)
