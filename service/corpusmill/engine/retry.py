"""Whether a failed call is made again, and how long to wait before.

Rules of this file: pure; jitter is passed in. An outage of the endpoint never uses up an item's tries: a failure counts
against the item only if the endpoint has served somebody since the item's previous try, so that what fails is the item.
"""

import random
from collections.abc import Hashable

from corpusmill.endpoint.failures import Failure, FailureKind, Fate

TRIES = 8
"""Failures that count, after which an item fails, unless the spec says otherwise."""

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 60.0

PACED = frozenset(
    {FailureKind.RATE_LIMITED, FailureKind.OVERLOADED, FailureKind.SLOW_DOWN, FailureKind.QUOTA_EXHAUSTED}
)
"""Failures after which the gate decides when the next request goes out, so the item need not wait on its own."""


class Tries:
    """The failures of one completion that is being asked for, which ends with the `most`th that counts."""

    def __init__(self, most: int = TRIES) -> None:
        self._most = most
        self._answers: dict[Hashable, int] = {}
        self._counted = 0
        self._uncounted = 0

    def delay_seconds(self, failure: Failure, asked: Hashable, answers: int, jitter: random.Random) -> float | None:
        """Return how long to wait before the next try, or None if there is to be none.

        Args:
            failure: what happened; its fate is `RETRY` or `RETRY_COUNTED`.
            asked: which endpoint it was.
            answers: how many calls the endpoint has answered so far, for anybody.
            jitter: a source of random numbers.
        """
        if failure.kind in PACED:
            return 0.0
        if failure.fate is Fate.RETRY_COUNTED or answers > self._answers.get(asked, answers):
            self._counted += 1
        else:
            self._uncounted += 1
        self._answers[asked] = answers
        if self._counted >= self._most:
            return None
        longest = FIRST_DELAY_SECONDS * 2 ** min(self._counted + self._uncounted - 1, 10)
        return jitter.uniform(0, min(longest, LONGEST_DELAY_SECONDS))
