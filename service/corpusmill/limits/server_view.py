"""The limits as the server's headers tell them, all dimensions together, and what the gate makes of them.

Rule of this file: headers may lower a configured limit, never raise it (the operator's word is a ceiling), and they
stand in for a limit that nobody configured. Reading costs little: a few times a second is as good as every response.
"""

from collections.abc import Mapping, Sequence

from corpusmill.limits.bucket import Bucket
from corpusmill.limits.buckets import NOTHING
from corpusmill.limits.charge import DAY_SECONDS, MINUTE_SECONDS, Kind
from corpusmill.limits.headers import HeaderReader, Reading
from corpusmill.limits.steering import Form, Steering

Row = tuple[Kind, float, float]
"""Kind, limit and period in seconds."""
READ_SECONDS = 0.05
SHORT_WINDOWS_SECONDS = (1.0, 10.0, MINUTE_SECONDS)
BUSY_SHARE = 0.9
ROOM_BELOW = 0.9
"""A server that says less than this is used, and refuses, does not tell what it goes by."""
CEILING_TOLERANCE = 0.98
"""A configured limit below this share of the server's is meant to leave something to others."""


class ServerView:
    """What one endpoint tells about the limits of one credential."""

    def __init__(self) -> None:
        self._reader = HeaderReader()
        self._steerings: dict[str, Steering] = {}
        self._stated: dict[str, float | None] = {}
        self._kinds: dict[str, Kind] = {}
        self._next_read_at = 0.0

    def read(
        self,
        headers: Mapping[str, str],
        sent_at: float,
        sent: Sequence[float],
        now: float,
        returned: Sequence[float] = NOTHING,
    ) -> bool:
        """Take a response's headers; True if they were read, False if it was not worth while.

        Args:
            headers: of the response.
            sent_at: when its request was let through.
            sent: what the gate had sent until then, by kind, this request included.
            now: seconds.
            returned: what of that had turned out not to be used.
        """
        if now < self._next_read_at:
            return False
        readings = self._reader.read(headers)
        if not readings:
            return False
        self._next_read_at = now + READ_SECONDS
        for reading in readings:
            self._take(reading, sent_at, sent[reading.kind], returned[reading.kind])
        return True

    def effective(self, configured: Sequence[Row]) -> list[Row]:
        """Return the limits to keep: the configured ones, lowered to the server's buckets, and what only it tells.

        What it tells is kept to once its period is known: a limit for ten seconds, taken for one a minute, would cost
        five sixths of it.
        """
        rows = {(kind, period): limit for kind, limit, period in configured}
        kinds = {kind for kind, _, _ in configured}
        for name, steering in self._steerings.items():
            kind, period = self._kinds[name], self._period(name)
            is_recognised = steering.is_recognised
            is_needed = kind not in kinds and (self._stated[name] is not None or steering.form is Form.WINDOW)
            if is_recognised or is_needed:
                rows[kind, period] = min(steering.limit, rows.get((kind, period), steering.limit))
        return [(kind, limit, period) for (kind, period), limit in rows.items()]

    def share(
        self,
        bucket: Bucket,
        configured: float | None,
        now: float,
        sent: Sequence[float],
        delivered: float,
        returned: Sequence[float] = NOTHING,
    ) -> float | None:
        """Return the share of the server's limit to run a bucket at; None for the static rate.

        Args:
            bucket: one of the gate's.
            configured: its limit by configuration, if any.
            now: seconds.
            sent: what the gate has sent so far, by kind.
            delivered: the share of the limits that was accepted lately.
            returned: what of what was sent was not used.
        """
        shares, kind = [], bucket.kind
        one = sent[kind] / max(1.0, sent[Kind.REQUESTS])
        for steering in self._find(bucket):
            is_meant = steering.form is not Form.WINDOW or steering.limit >= CEILING_TOLERANCE * bucket.limit
            if is_meant and (configured is None or configured >= CEILING_TOLERANCE * steering.limit):
                share = steering.share(now, sent[kind], delivered > BUSY_SHARE, returned[kind], one)
                if share is not None:
                    shares.append(share)
        return min(shares, default=None)

    def used(
        self, bucket: Bucket, now: float, sent: Sequence[float], returned: Sequence[float] = NOTHING
    ) -> float | None:
        """Return what is used of the server's own bucket, projected to now; None if its form is not known."""
        kind = bucket.kind
        told = [row.used_share(now, sent[kind], returned[kind]) for row in self._find(bucket) if row.is_recognised]
        return max(told) * bucket.limit if told else None

    def refused(
        self,
        headers: Mapping[str, str],
        sent_at: float,
        sent: Sequence[float],
        now: float,
        returned: Sequence[float] = NOTHING,
    ) -> None:
        """Take the headers of a request refused for the rate: they tell most, or show that they tell nothing."""
        readings = self._reader.read(headers)
        for reading in readings:
            self._take(reading, sent_at, sent[reading.kind], returned[reading.kind])
        if readings and max(reading.used / reading.limit for reading in readings) < ROOM_BELOW:
            for steering in self._steerings.values():
                steering.disbelieve(now)

    def renewal_at(
        self, sent_at: float, now: float, sent: Sequence[float], returned: Sequence[float] = NOTHING
    ) -> float | None:
        """Return when the limit that refused a request is counted anew by what was learnt of it; None if nothing was.

        Args:
            sent_at: when the request was let through.
            now: seconds.
            sent: what the gate has sent so far, by kind.
            returned: what of that was not used.
        """
        told = []
        for name, steering in self._steerings.items():
            if steering.form is Form.WINDOW and steering.is_believed(now):
                kind = self._kinds[name]
                used = steering.used_share(now, sent[kind], returned[kind])
                told.append(steering.window.renewal_at(sent_at, used))
        return max((at for at in told if at is not None), default=None)

    def tells_level(self, bucket: Bucket) -> bool:
        """Return whether the rate of a bucket follows the server's level at every moment, whatever was estimated."""
        return any(steering.form is Form.BUCKET for steering in self._find(bucket))

    def is_steering(self, now: float) -> bool:
        """Return whether a recognised bucket or window sets a rate."""
        return any(row.is_steering(now) for row in self._steerings.values())

    def _take(self, reading: Reading, sent_at: float, sent: float, returned: float) -> None:
        steering = self._steerings.get(reading.name)
        if steering is None:
            self._steerings[reading.name] = Steering(reading, sent_at, sent, returned)
            self._stated[reading.name] = reading.period_seconds
            self._kinds[reading.name] = reading.kind
        else:
            steering.read(reading, sent_at, sent, returned)

    def _find(self, bucket: Bucket) -> list[Steering]:
        """Return what is told of a bucket: more than once where a server has limits for a key, a team and a model."""
        return [
            steering
            for name, steering in self._steerings.items()
            if self._kinds[name] is bucket.kind and self._period(name) == bucket.period_seconds
        ]

    def _period(self, name: str) -> float:
        stated, steering = self._stated[name], self._steerings[name]
        if stated is not None:
            return stated
        if steering.form is Form.DAY:
            return DAY_SECONDS
        if steering.form is Form.WINDOW and steering.longest_reset_seconds > 0:
            longest = steering.longest_reset_seconds
            return next((window for window in SHORT_WINDOWS_SECONDS if longest <= window), MINUTE_SECONDS)
        return MINUTE_SECONDS
