"""What became of items by pairs of axes: which combinations of two values the corpus lacks.

Rule of this file: memory grows with the cells of the pairs that are small enough to be read, and with nothing else.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import msgspec

MOST_CELLS = 2_500
"""Combinations of two axes' values above which the pair is left out."""

MOST_PAIRS = 45
"""Pairs of axes that are looked at; those of the axes with the fewest values."""

LACKING = 5
"""How many cells that lack items are named."""


class LackingCell(msgspec.Struct, frozen=True):
    """One value of each axis, and what became of the items that have both."""

    values: list[str]
    kept: int
    decided: int


class PairCoverage(msgspec.Struct, frozen=True):
    """What became of the items by the values of two axes.

    Attributes:
        axes: which two.
        cells: combinations of their values; `where` may exclude some.
        decided_cells, kept_cells: those with an item, with a kept item.
        rows, columns: the values of the first and of the second axis.
        kept, decided: items, a list for each row.
        lacking: the decided cells with the fewest kept items.
    """

    axes: list[str]
    cells: int
    decided_cells: int
    kept_cells: int
    rows: list[str]
    columns: list[str]
    kept: list[list[int]]
    decided: list[list[int]]
    lacking: list[LackingCell]


class PairTally:
    """Counts items by pairs of axes.

    Args:
        values: axis -> names of its values, in order; axes that are not here are not looked at.
    """

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._values = values
        small = [pair for pair in combinations(values, 2) if self._cells(pair) <= MOST_CELLS]
        self._pairs = sorted(sorted(small, key=self._cells)[:MOST_PAIRS], key=small.index)
        self._kept: Counter[tuple[str, str, str, str]] = Counter()
        self._decided: Counter[tuple[str, str, str, str]] = Counter()

    def add(self, named: Mapping[str, str], *, kept: bool) -> None:
        """Take an item, given the name of its value on each axis."""
        cells = [(one, other, named[one], named[other]) for one, other in self._pairs]
        self._decided.update(cells)
        if kept:
            self._kept.update(cells)

    def coverage(self) -> list[PairCoverage]:
        """Return what was counted, pair by pair."""
        return [self._coverage(one, other) for one, other in self._pairs]

    def _cells(self, pair: tuple[str, str]) -> int:
        return len(self._values[pair[0]]) * len(self._values[pair[1]])

    def _coverage(self, one: str, other: str) -> PairCoverage:
        rows, columns = list(self._values[one]), list(self._values[other])
        kept = [[self._kept[one, other, row, column] for column in columns] for row in rows]
        decided = [[self._decided[one, other, row, column] for column in columns] for row in rows]
        cells = [
            LackingCell([row, column], kept[down][across], decided[down][across])
            for down, row in enumerate(rows)
            for across, column in enumerate(columns)
            if decided[down][across]
        ]
        lacking = sorted(cells, key=lambda cell: (cell.kept, -cell.decided))[:LACKING]
        kept_cells = _filled(kept)
        return PairCoverage(
            [one, other], len(rows) * len(columns), len(cells), kept_cells, rows, columns, kept, decided, lacking
        )


def _filled(counts: Iterable[Iterable[int]]) -> int:
    return sum(count > 0 for row in counts for count in row)
