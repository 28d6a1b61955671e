"""Which of many like lines are told.

Rules of this file: no clock and no I/O; time is passed in. Like lines share a key, made of few closed words, and each
key has a token bucket. What stays silent is counted, and no count is lost: it goes with the next line of its key, with
the end of its job, or with the end of all.
"""

from collections.abc import Callable, Iterator

import msgspec

Key = tuple[str, str, str]
"""Job, event and what tells one kind of it from another."""

BURST = 5
"""How many like lines are told one after another."""

REFILL_SECONDS = 10.0
"""After that, one for so many seconds."""

KEYS_MOST = 1000
"""Keys that are remembered; for more, that which came longest ago is forgotten, and its count is summed."""

OTHERS: Key = ("", "", "")
"""Under which the counts of forgotten keys are told."""


class _Bucket(msgspec.Struct):
    tokens: float
    filled_at: float
    suppressed: int = 0


class Repeats:
    """Token buckets for like lines."""

    def __init__(self) -> None:
        self._buckets: dict[Key, _Bucket] = {}
        self._forgotten = 0

    def __len__(self) -> int:
        return len(self._buckets)

    def admit(self, key: Key, now: float) -> int | None:
        """Return how many lines like this one were silent since the last, or None where this one is to be silent.

        Args:
            key: what it is like.
            now: monotonic seconds.
        """
        bucket = self._buckets.pop(key, None) or _Bucket(BURST, now)
        bucket.tokens = min(BURST, bucket.tokens + (now - bucket.filled_at) / REFILL_SECONDS)
        bucket.filled_at = now
        self._buckets[key] = bucket  # to the end: what comes first was asked for longest ago
        if len(self._buckets) > KEYS_MOST:
            self._forgotten += self._buckets.pop(next(iter(self._buckets))).suppressed
        if bucket.tokens < 1:
            bucket.suppressed += 1
            return None
        bucket.tokens -= 1
        suppressed, bucket.suppressed = bucket.suppressed, 0
        return suppressed

    def ended(self, job: str) -> Iterator[tuple[Key, int]]:
        """Forget a job's keys; give those with lines that stayed silent, and how many."""
        return self._drained(lambda key: key[0] == job)

    def all_ended(self) -> Iterator[tuple[Key, int]]:
        """Forget all keys; give those with lines that stayed silent, and how many."""
        yield from self._drained(lambda _: True)
        if self._forgotten:
            yield OTHERS, self._forgotten
            self._forgotten = 0

    def _drained(self, of: Callable[[Key], bool]) -> Iterator[tuple[Key, int]]:
        for key in [key for key in self._buckets if of(key)]:
            bucket = self._buckets.pop(key)
            if bucket.suppressed:
                yield key, bucket.suppressed
