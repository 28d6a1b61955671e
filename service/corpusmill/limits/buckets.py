"""All buckets of one gate, charged together.

Rule of this file: a claim is charged to every bucket in one step or to none, and settled on exactly the buckets that
were charged for it.
"""

import math
from collections.abc import Sequence

from corpusmill.limits.bucket import Bucket, check_limit
from corpusmill.limits.charge import DAY_SECONDS, Kind

Amounts = tuple[float, float, float, float]
"""One amount for each `Kind`, in the order of its values."""
NOTHING: Amounts = (0.0, 0.0, 0.0, 0.0)

UNLIMITED = 1e15
"""What a limit that was taken away becomes: per minute far beyond any API, and still a finite number."""


class Buckets:
    """The buckets of a gate, at most one for each kind and period.

    Attributes:
        rows: the buckets, in the order they were made; none is ever removed.
        charged: what this gate has charged so far, net of what it gave back, by kind.
    """

    def __init__(self) -> None:
        self.rows: list[Bucket] = []
        self.charged = [0.0] * len(Kind)

    def adopt(self, limits: Sequence[tuple[Kind, float, float]], now: float) -> list[Bucket]:
        """Hold to these limits (kind, limit, period in seconds) and to no others; return the buckets that are new.

        Levels stay. A bucket whose limit is gone stays as one that never holds anything back.

        Raises:
            ValueError: a limit is not above 0; nothing has changed then.
        """
        for kind, limit, _ in limits:
            check_limit(kind, limit)
        wanted = {(kind, period_seconds): limit for kind, limit, period_seconds in limits}
        for bucket in self.rows:
            bucket.leak(now)
            bucket.limit = wanted.pop((bucket.kind, bucket.period_seconds), UNLIMITED)
        fresh = [Bucket(kind, limit, period_seconds, now) for (kind, period_seconds), limit in wanted.items()]
        self.rows += fresh
        return fresh

    def ready_at(self, amounts: Amounts, now: float) -> float:
        """Return when all buckets let this pass: `now` if at once."""
        ready = now
        for bucket in self.rows:
            at = bucket.ready_at(amounts[bucket.kind])
            ready = max(ready, at)
        return ready

    def day_used_up(self, now: float) -> tuple[float, Bucket] | None:
        """Return when the fullest daily bucket lets anything pass again, and which it is; None if all do now."""
        full = [(row.ready_at(1.0), row) for row in self.rows if row.period_seconds >= DAY_SECONDS]
        return max((each for each in full if each[0] > now), key=lambda each: each[0], default=None)

    def charge(self, amounts: Amounts, now: float) -> None:
        """Charge all buckets."""
        self._count(amounts)
        for bucket in self.rows:
            bucket.charge(amounts[bucket.kind], now)

    def correct(self, amounts: Amounts, charged_at: float, now: float, is_refund: bool = False) -> None:
        """Add to, or with negative amounts give back from, what was charged at an earlier moment.

        A bucket made after that moment was not charged. One that headers steer is corrected by those: only a refund,
        of what the server never counted, is given back to it.
        """
        self._count(amounts)
        for bucket in self.rows:
            if bucket.created_at <= charged_at and (is_refund or not bucket.is_steered):
                bucket.correct(amounts[bucket.kind], now)

    def drain(self, at: float) -> None:
        """Leave no credit in any per-minute bucket at a moment, now or to come."""
        for bucket in self.rows:
            if bucket.period_seconds < DAY_SECONDS:
                bucket.drain(at)

    def _count(self, amounts: Amounts) -> None:
        charged = self.charged
        charged[0] += amounts[0]
        charged[1] += amounts[1]
        charged[2] += amounts[2]
        charged[3] += amounts[3]

    def cost(self, amounts: Amounts) -> float:
        """Return the seconds of the scarcest limit that this takes (its dominant resource); 1 without any limit."""
        if not self.rows:
            return 1.0
        most = -math.inf
        for row in self.rows:
            seconds = amounts[row.kind] * row.period_seconds / row.limit
            most = max(most, seconds)
        return most

    def are_paced(self) -> bool:
        """Return whether there is any limit per minute or less."""
        return any(row.limit < UNLIMITED and row.period_seconds < DAY_SECONDS for row in self.rows)
