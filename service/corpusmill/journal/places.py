"""Where the lines of a journal stand, so that recovery begins at the block it needs and not at the journal's start.

Rule of this file: coarse, and never too late. A place is a block that holds the line or one before it; it stays good
after recoveries, because a segment keeps its blocks, but for the last, which the next segment repeats at its start.
"""

from bisect import bisect_right

import msgspec


class Place(msgspec.Struct, frozen=True):
    """The start of a block: segment number (0 for a journal's beginning) and byte offset."""

    segment: int
    offset: int


BEGINNING = Place(0, 0)
"""The start of a journal."""


class Places:
    """Remembers where blocks begin, in the order in which they are read or written.

    Args:
        apart_bytes: blocks of a segment that are closer than this to the last noted one are not noted.
    """

    def __init__(self, apart_bytes: int = 1 << 20) -> None:
        self._apart_bytes = apart_bytes
        self._noted: list[tuple[int, Place]] = []

    def note(self, first: int, place: Place) -> None:
        """Take note of a block whose first line is number `first`."""
        last = self._noted[-1][1] if self._noted else BEGINNING
        if last.segment != place.segment or place.offset - last.offset >= self._apart_bytes:
            self._noted.append((first, place))

    def before(self, sequence: int) -> Place:
        """Return a block that holds the line or a line before it; earlier places are forgotten.

        Who asks for a line never asks for an earlier one again.
        """
        found = max(bisect_right(self._noted, sequence, key=_first) - 1, 0)
        del self._noted[:found]
        return self._noted[0][1] if self._noted else BEGINNING


def _first(noted: tuple[int, Place]) -> int:
    return noted[0]
