"""A histogram in plain numbers."""

from bisect import bisect_left


class Histogram:
    """Counts observations by upper bound.

    Args:
        bounds: ascending; whatever is above the last one is counted too.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one observation."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
