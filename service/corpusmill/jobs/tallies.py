"""Counts that stay small however much is counted.

Rule of this file: what is kept has a bound that is stated; quantiles are exact, rare things may be forgotten.
"""

from collections import Counter

import msgspec

BINS = 24
"""Bins of a histogram, at most."""

TRACKED = 50_000
"""How many different things are told apart at least; twice as many are held at times."""


class Quantiles(msgspec.Struct, frozen=True):
    """Some lengths, by nearest rank: p5 is the least length that 5 % of the texts do not exceed."""

    min: int
    p5: int
    median: int
    p95: int
    max: int


class Histogram(msgspec.Struct, frozen=True):
    """How many lengths lie where: `counts[n]` of them from `start + n * width` on, and below the next bin."""

    start: int
    width: int
    counts: list[int]


class Lengths:
    """Lengths of texts, as a histogram: as large as there are different lengths, whatever the number of texts."""

    def __init__(self) -> None:
        self._histogram: Counter[int] = Counter()

    def add(self, length: int) -> None:
        """Count one."""
        self._histogram[length] += 1

    def quantiles(self) -> Quantiles:
        """Return the quantiles; at least one length must have been added."""
        ordered = sorted(self._histogram.items())
        total = self._histogram.total()
        ranks = [1, -(-total * 5 // 100), -(-total // 2), -(-total * 95 // 100), total]
        found: list[int] = []
        passed = 0
        for length, count in ordered:
            passed += count
            while len(found) < len(ranks) and ranks[len(found)] <= passed:
                found.append(length)
        return Quantiles(*found)

    def histogram(self, bins: int = BINS) -> Histogram:
        """Return the lengths in equal bins, at most so many; at least one length must have been added."""
        least, most = min(self._histogram), max(self._histogram)
        width = -(-(most - least + 1) // bins)
        counts = [0] * ((most - least) // width + 1)
        for length, count in self._histogram.items():
            counts[(length - least) // width] += count
        return Histogram(least, width, counts)


class Frequent:
    """How often things come, in bounded memory: when there are too many different ones, the rarest are forgotten.

    A thing that comes back after it was forgotten is counted from 1 again, so counts are never too high, and those of
    things that come often throughout are right.
    """

    def __init__(self, tracked: int = TRACKED) -> None:
        self._tracked = tracked
        self._counts: Counter[str] = Counter()

    def add(self, thing: str) -> None:
        """Count one."""
        self._counts[thing] += 1
        if len(self._counts) > 2 * self._tracked:
            self._counts = Counter(dict(self._counts.most_common(self._tracked)))

    def most(self, count: int) -> list[tuple[str, int]]:
        """Return the most frequent things, equal ones in the order of the alphabet."""
        return sorted(self._counts.items(), key=lambda pair: (-pair[1], pair[0]))[:count]
