"""Counters by a word, of which there are only so many."""

from collections.abc import Iterable

WORDS_MOST = 100
"""Different words of one counter; the rest is counted as `other`."""

OTHER = "other"


class Words(dict[str, int]):
    """Counts words; those that are known beforehand are there with 0, so that a rate sees their first count."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        super().__init__(dict.fromkeys(known, 0))

    def add(self, word: str, count: int = 1) -> None:
        """Count a word; an empty one, and one too many, is `other`."""
        if word in self:
            self[word] += count
            return
        if not word or len(self) >= WORDS_MOST:
            word = OTHER
        self[word] = self.get(word, 0) + count
