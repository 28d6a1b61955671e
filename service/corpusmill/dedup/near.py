"""The index of band keys: which kept texts are candidates for being nearly the same as a new one.

Rules of this file: 6 bytes a key and no slack but a sixteenth; whoever is found is checked against his text, so that a
wrong candidate costs time and nothing else. Of the texts that share a key only the first few count, and of all
candidates only the likeliest: boilerplate that all texts share makes no text slower than this bound.

A key's low bits name a part, its other 16 bits are its tag. A part is two flat arrays, tags and rows, in the order of
keeping; looking a key up compares all tags of its part at once, which takes about 2 microseconds.
"""

import sys
from array import array
from collections.abc import Iterator

import numpy as np

from corpusmill.dedup.bands import Keys, Plan

SHARING = 16
"""Of the texts that share a key, so many count: the first."""

CANDIDATES = 16
"""How many texts are compared with a new one at most."""

TAG_BITS = 16
PART_KEYS = 256
"""Keys of a part, if the job keeps what is expected."""

LEAST_PARTS, MOST_PARTS = 1 << 8, 1 << 16

TIDY_KEYS = 1024
"""A part is looked through for keys that too many texts share when it has so many keys, or twice as many, and so on."""


class NearIndex:
    """Maps band keys to rows: the numbers of kept texts, from 0, in the order in which they are added. Grows only.

    Args:
        plan: how many keys a text has.
        expected: how many texts may come; it decides the number of parts, and being wrong costs some time or space.
    """

    def __init__(self, plan: Plan, expected: int) -> None:
        wanted = max(expected * plan.bands // PART_KEYS, 1)
        parts = min(max(1 << (wanted - 1).bit_length(), LEAST_PARTS), MOST_PARTS)
        self._bands, self._mask = plan.bands, parts - 1
        self._shift = parts.bit_length() - 1
        self._tags: list[array[int] | None] = [None] * parts
        self._rows: list[array[int] | None] = [None] * parts
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def size_bytes(self) -> int:
        """Memory of all parts."""
        parts = (each for column in (self._tags, self._rows) for each in column if each is not None)
        return sum(map(sys.getsizeof, parts)) + 2 * sys.getsizeof(self._tags)

    def candidates(self, keys: Keys) -> list[int]:
        """Return the rows that share keys with a text, those that share the most first, then the older."""
        shared: dict[int, int] = {}
        for part, tag in self._places(keys):
            tags, rows = self._tags[part], self._rows[part]
            if tags is None or rows is None:
                continue
            (places,) = (np.frombuffer(tags, np.uint16) == tag).nonzero()
            if len(places):
                for place in places[:SHARING].tolist():
                    row = rows[place]
                    shared[row] = shared.get(row, 0) + 1
        return sorted(shared, key=lambda row: (-shared[row], row))[:CANDIDATES]

    def add(self, keys: Keys) -> int:
        """Remember the keys of one more text, none for a text without shingles; return its row."""
        row = self._count
        for part, tag in self._places(keys):
            tags, rows = self._tags[part], self._rows[part]
            if tags is None or rows is None:
                tags, rows = self._tags[part], self._rows[part] = array("H"), array("I")
            tags.append(tag)
            rows.append(row)
            if len(tags) >= TIDY_KEYS and not len(tags) & (len(tags) - 1):
                self._tidy(part)
        self._count += 1
        return row

    def load(self, keys: Keys) -> None:
        """Add many texts, one row of keys each, in the order in which they were kept; all zeros for one without any."""
        texts = len(keys)
        numbers = np.repeat(np.arange(self._count, self._count + texts, dtype=np.uint32), self._bands)
        flat = keys.reshape(-1)
        kept = np.repeat(keys.any(axis=1), self._bands)
        flat, numbers = flat[kept], numbers[kept]
        parts = (flat & np.uint32(self._mask)).astype(np.uint16)
        order = np.argsort(parts, kind="stable")
        tags, rows = self._tags_of(flat[order]), numbers[order]
        ends = np.cumsum(np.bincount(parts, minlength=self._mask + 1))
        self._append_all(tags.tobytes(), rows.tobytes(), ends.tolist())
        self._count += texts

    def _append_all(self, all_tags: bytes, all_rows: bytes, ends: list[int]) -> None:
        begin = 0
        for part, end in enumerate(ends):
            if begin < end:
                tags, rows = self._tags[part], self._rows[part]
                if tags is None or rows is None:
                    tags, rows = self._tags[part], self._rows[part] = array("H"), array("I")
                before = len(tags)
                tags.frombytes(all_tags[2 * begin : 2 * end])
                rows.frombytes(all_rows[4 * begin : 4 * end])
                if len(tags) >= TIDY_KEYS and len(tags).bit_length() > before.bit_length():
                    self._tidy(part)
            begin = end

    def _places(self, keys: Keys) -> Iterator[tuple[int, int]]:
        return zip((keys & np.uint32(self._mask)).tolist(), self._tags_of(keys).tolist(), strict=True)

    def _tags_of(self, keys: Keys) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint16]]":
        return (keys >> np.uint32(self._shift)).astype(np.uint16)

    def _tidy(self, part: int) -> None:
        """Drop keys that are never looked at, because enough earlier texts have them."""
        tags, rows = self._tags[part], self._rows[part]
        if tags is None or rows is None:
            return
        held = np.frombuffer(tags, np.uint16)
        order = np.argsort(held, kind="stable")
        ordered = held[order]
        begins = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        ranks = np.arange(len(ordered)) - np.repeat(begins, np.diff(np.append(begins, len(ordered))))
        if ranks.max() >= SHARING:
            stay = np.sort(order[ranks < SHARING])
            self._tags[part] = array("H", held[stay].tobytes())
            self._rows[part] = array("I", np.frombuffer(rows, np.uint32)[stay].tobytes())
