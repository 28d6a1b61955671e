"""How varied texts are, by a sample of them.

Rules of this file: the sample is uniform and follows from the texts' ids alone, so the same corpus gives the same
figures; its size is bounded, and told beside them. Distinct-n after Li et al. 2016 (arXiv:1510.03055); the compression
ratio as a measure of diversity after Shaib et al. 2024 (arXiv:2403.00553).
"""

import hashlib
import heapq
import zlib
from collections.abc import Iterable, Sequence

import msgspec

SAMPLED = 500
"""Texts of an example that are looked at."""

CUT_CHARS = 4_000
"""Characters of each of them."""


class Variety(msgspec.Struct, frozen=True):
    """How varied the texts of an example are.

    Attributes:
        sampled: texts looked at, their first 4,000 characters each.
        distinct_1, distinct_2, distinct_3: different runs of so many words, over all runs; more is more varied. A
            larger sample has a lower share, so compare samples of one size.
        compression_ratio: their bytes over those of their gzip; more is more alike.
    """

    sampled: int
    distinct_1: float | None
    distinct_2: float | None
    distinct_3: float | None
    compression_ratio: float


class TextSample:
    """A uniform sample of texts: those whose ids have the least digests."""

    def __init__(self, size: int = SAMPLED) -> None:
        self._size = size
        self._heap: list[tuple[int, str]] = []

    def add(self, name: str, text: str) -> None:
        """Take a text under its id, which no other one has."""
        rank = -int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, (rank, text[:CUT_CHARS]))
        elif rank > self._heap[0][0]:
            heapq.heapreplace(self._heap, (rank, text[:CUT_CHARS]))

    def variety(self) -> Variety:
        """Measure the sample; at least one text must have been added."""
        texts = [text for _, text in sorted(self._heap, reverse=True)]
        words = [text.casefold().split() for text in texts]
        raw = "\n".join(texts).encode()
        ratio = round(len(raw) / len(zlib.compress(raw)), 3) if raw else 1.0
        return Variety(len(texts), _distinct(words, 1), _distinct(words, 2), _distinct(words, 3), ratio)


def _distinct(texts: Iterable[Sequence[str]], run: int) -> float | None:
    """Return the share of different runs of words; None where no text is so long."""
    seen: set[int] = set()
    total = 0
    for words in texts:
        runs = max(len(words) - run + 1, 0)
        total += runs
        seen.update(hash(tuple(words[start : start + run])) for start in range(runs))
    return round(len(seen) / total, 6) if total else None
