"""How often a prompt was asked, in bounded memory.

Rule of this file: two generations of plain dictionaries. The younger one takes what is seen; when it holds half of the
bound it becomes the older one, and what was not seen since is forgotten. So the last `capacity / 2` different keys are
always remembered, and never more than `capacity` are held.
"""


class Visits:
    """Counts of 64-bit keys; forgets those that were not seen for longest."""

    def __init__(self, capacity: int) -> None:
        self._generation_size = max(1, capacity // 2)
        self._young: dict[int, int] = {}
        self._old: dict[int, int] = {}
        self.distinct = 0
        """Keys seen, a forgotten one that comes again counted again."""

    def of(self, key: int) -> int:
        """How often the key was recorded."""
        return self._young.get(key) or self._old.get(key, 0)

    def record(self, key: int) -> None:
        """Count one more visit of the key."""
        count = self.of(key) + 1
        self.distinct += count == 1
        self._young[key] = count
        if len(self._young) >= self._generation_size:
            self._young, self._old = {}, self._young
