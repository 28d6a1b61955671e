"""One token bucket, in level form: what was charged and has not leaked away yet.

Rule of this file: a bucket knows one limit and one level, and nothing about queues or servers. In any interval of T
seconds it passes at most `capacity` + `rate` x T (or `slack` more than one charge that is larger than the capacity).
Levels are floats, as in the continuous bucket that OpenAI's own 429 texts describe ("Limit, Used, Requested, try
again in"), which leaks limit / 60 every second.
"""

import math

from corpusmill.limits.charge import DAY_SECONDS, MINUTE_SECONDS, Kind

SLACK_SHARE = 0.2
"""The part of the burst that may still be in use when a charge larger than the burst passes: covers late timers."""
ROUNDING = 1e-9
PERIOD_NAMES = {MINUTE_SECONDS: "minute", DAY_SECONDS: "day"}


class Bucket:
    """A level that charges raise and time lowers.

    Args:
        kind: what is counted.
        limit: how much is allowed in a period.
        period_seconds: 60 or 86400.
        now: seconds.

    Attributes:
        level: what was charged and has not leaked away.
        rate: a second.
        is_steered: whether the level in the server's headers sets the rate, and corrects it.
    """

    __slots__ = (
        "capacity",
        "created_at",
        "is_steered",
        "kind",
        "level",
        "limit",
        "period_seconds",
        "rate",
        "slack",
        "updated_at",
    )

    def __init__(self, kind: Kind, limit: float, period_seconds: float, now: float) -> None:
        check_limit(kind, limit)
        self.kind = kind
        self.limit = limit
        self.period_seconds = period_seconds
        self.created_at = self.updated_at = now
        self.level = 0.0
        self.is_steered = False
        self.rate = limit / period_seconds
        self.capacity = self.slack = 0.0

    @property
    def name(self) -> str:
        """Kind and period in words, such as `tokens_per_minute`."""
        period = PERIOD_NAMES.get(self.period_seconds) or f"{self.period_seconds:g}_seconds"
        return f"{self.kind.name.lower()}_per_{period}"

    def shape(self, now: float, share: float, burst_seconds: float) -> None:
        """Run at `share` of the limit from now on, with at most `burst_seconds` of it at once."""
        self.leak(now)
        full_rate = self.limit / self.period_seconds
        self.rate = full_rate * share
        self.capacity = full_rate * burst_seconds
        self.slack = self.capacity * SLACK_SHARE

    def leak(self, now: float) -> None:
        """Bring the level up to date."""
        if now > self.updated_at:
            self.level = max(0.0, self.level - (now - self.updated_at) * self.rate)
            self.updated_at = now

    def ready_at(self, amount: float) -> float:
        """Return since when a charge may pass. One larger than the capacity passes as debt."""
        room = self.capacity - amount
        room = max(room, self.slack)
        return self.updated_at + (self.level - room - ROUNDING * self.capacity) / self.rate

    def charge(self, amount: float, now: float) -> None:
        """Raise the level; below zero a charge gives back (a refund), never more than an empty level."""
        self.leak(now)
        self.level = max(0.0, self.level + amount)

    def correct(self, amount: float, now: float) -> None:
        """Raise or lower the level by what an estimate was off; no server's figures hold for longer than a period."""
        self.leak(now)
        self.level = max(0.0, min(self.level + amount, max(self.level, self.limit)))

    def drain(self, at: float) -> None:
        """Leave no credit at a moment, now or to come, so that what follows comes at the rate and not as a burst."""
        self.leak(at)
        self.level = max(self.level, self.capacity)


def check_limit(kind: Kind, limit: float) -> None:
    """Raise ValueError for a limit that is no rate."""
    if not limit > 0:
        raise ValueError(f"a limit of {limit:g} {kind.name.lower()} would never let anything pass")
    if limit == math.inf:
        raise ValueError(f"a limit of {kind.name.lower()} without end is none; leave it out")
