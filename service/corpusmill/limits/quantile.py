"""A quantile of the most recent values.

Rule of this file: the window is bounded, and sorting it is put off until somebody asks and enough is new.
"""

from collections import deque

WINDOW = 512
STALE = 16
"""So many new values may come before an answer is worked out again."""


class RecentQuantile:
    """The last 512 values."""

    def __init__(self) -> None:
        self._values: deque[float] = deque(maxlen=WINDOW)
        self._sorted: list[float] = []
        self._added = 0

    def __len__(self) -> int:
        return len(self._values)

    def add(self, value: float) -> None:
        """Take one more value; the oldest leaves a full window."""
        self._values.append(value)
        self._added += 1

    def at(self, share: float) -> float:
        """Return the smallest value that at least `share` of the window does not exceed; 0 of an empty window."""
        if self._added >= STALE or not self._sorted:
            self._sorted = sorted(self._values)
            self._added = 0
        if not self._sorted:
            return 0.0
        rank = min(len(self._sorted) - 1, int(share * len(self._sorted)))
        return self._sorted[rank]
