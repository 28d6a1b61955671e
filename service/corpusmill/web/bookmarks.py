"""Where readers are who read page by page, so that a page costs its own lines and not all that stand before it.

Rule of this file: a bookmark only saves work: without it the same page is found by reading on from the beginning.
"""

from collections import OrderedDict
from pathlib import Path

import msgspec

from corpusmill.jobs.lines import Spot

REMEMBERED = 1024
"""Bookmarks that are kept."""


class Bookmarks:
    """The spots behind the last lines of pages, by how the next page will be asked for."""

    def __init__(self) -> None:
        self._spots: OrderedDict[tuple[Path, str], Spot] = OrderedDict()

    def find(self, folder: Path, after: str) -> Spot | None:
        """Return the spot behind a line, if it is known."""
        return self._spots.get((folder, after))

    def put(self, folder: Path, after: str | None, page: bytes, spot: Spot) -> None:
        """Take note of where a page ended, under its last line's id and, where lines are counted, under their number.

        Args:
            folder: `corpus` or `rejects` of a job.
            after: how the page was asked for.
            page: its lines; at least one.
            spot: behind them.
        """
        self._put(folder, msgspec.json.decode(page[page.rfind(b"\n", 0, -1) + 1 :], type=_Line).id, spot)
        if after is None or (after.isascii() and after.isdigit()):
            self._put(folder, str(int(after or "0") + page.count(b"\n")), spot)

    def _put(self, folder: Path, after: str, spot: Spot) -> None:
        self._spots[folder, after] = spot
        self._spots.move_to_end((folder, after))
        if len(self._spots) > REMEMBERED:
            self._spots.popitem(last=False)


class _Line(msgspec.Struct):
    id: str
