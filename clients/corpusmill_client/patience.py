"""When a request that failed is sent again.

Rule of this file: no clock and no sleep: it is told the time, and tells how long to wait.
"""

import random

import msgspec

from corpusmill_client.errors import ApiError

PASSING = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses that may be others the next time."""

PERMANENT = frozenset({"misconfigured"})
"""Kinds of problems that wait for somebody to mend them, whatever their status."""


class Patience(msgspec.Struct, frozen=True):
    """How long a daemon that does not answer, or is busy, is asked again.

    Attributes:
        seconds: in all, from the first failure on; 0 tries once.
        first_seconds: the first pause; each is twice the one before, less up to half of it by chance.
        most_seconds: the longest pause, unless the daemon asks for a longer one.
    """

    seconds: float = 60.0
    first_seconds: float = 0.2
    most_seconds: float = 8.0


class Tries:
    """The tries of one request.

    Args:
        patience: how long to go on.
        chance: spreads the pauses, so that many clients do not come back at once.
    """

    def __init__(self, patience: Patience, chance: random.Random) -> None:
        self._patience, self._chance = patience, chance
        self._first_failure: float | None = None
        self.failed = 0

    def reset(self) -> None:
        """Begin anew: there was an answer."""
        self._first_failure, self.failed = None, 0

    def pause_seconds(self, now: float, error: Exception) -> float | None:
        """Return how long to wait before the next try; None where there should be none.

        Args:
            now: of a monotonic clock.
            error: of the try before; an ApiError, or one of the connection.
        """
        asked = 0.0
        if isinstance(error, ApiError):
            if error.status not in PASSING or error.kind in PERMANENT:
                return None
            asked = error.retry_after_seconds or 0.0
        if self._first_failure is None:
            self._first_failure = now
        self.failed += 1
        pause = min(self._patience.first_seconds * 2 ** min(self.failed - 1, 32), self._patience.most_seconds)
        pause = max(pause * (1 - self._chance.random() / 2), asked)
        return pause if now + pause <= self._first_failure + self._patience.seconds else None
