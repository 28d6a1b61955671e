"""How dense bad ends are among requests, in the order they were sent.

Rule of this file: the order of sending counts, not that of the outcomes. Refusals and failures come back at once and
answers much later, so by the order of outcomes a few bad ones always look like all.
"""

from collections import deque

KEPT = 64


class Streak:
    """The requests that came to a bad end lately, by their number in the order of sending."""

    def __init__(self) -> None:
        self._numbers: deque[int] = deque(maxlen=KEPT)

    def add(self, number: int) -> None:
        """Take a request that came to a bad end."""
        self._numbers.append(number)

    def count(self, number: int, window: int) -> int:
        """Return how many of the `window` requests up to this one came to a bad end."""
        return sum(number - window < other <= number for other in self._numbers)
