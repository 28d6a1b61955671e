"""Which item comes next, and when there is none left.

Rules of this file: no tasks, no clock. Positions are looked at in the job's order, each once; an item is out between
`next` and `decided`. A target is met exactly: near it, no more items are out than are likely needed.
"""

import enum
import math
from collections import deque
from collections.abc import Callable

from corpusmill.journal.done import DoneSet

ACCEPTANCE_FLOOR = 0.05
"""The least share of kept items that a target's look-ahead reckons with."""

PATIENCE = 10_000
"""Positions looked at in one go; a `where` that excludes nearly everything must not hold up the other tasks."""


class Idle(enum.Enum):
    """Why there is no next item just now."""

    LOOK_AGAIN = "many positions were excluded; there may be more"
    WAIT = "the items that are out may be enough for the target"
    OVER = "no item is left"


class Schedule:
    """Hands out item indexes.

    Args:
        size: positions in the order.
        done: items that have an outcome; they are passed over but count towards `limit`.
        horizon: every position below it is done, or is no item, as is known from earlier runs.
        kept: how many of them were kept.
        keeps: whether a position's combination is in the space; None where every one is.
        limit: items of the job, None for all.
        target: how many are to be kept, None for no target.
    """

    def __init__(
        self,
        size: int,
        done: DoneSet,
        *,
        horizon: int = 0,
        kept: int = 0,
        keeps: Callable[[int], bool] | None = None,
        limit: int | None = None,
        target: int | None = None,
    ) -> None:
        self._size, self._done, self._keeps = size, done, keeps
        self._limit, self._target = limit if limit is not None else size, target
        self._position = horizon
        self._passed = done.count_below(horizon)
        self._handed_out: deque[int] = deque()
        self._tidy_at = 2 * PATIENCE
        self._decided = len(done)
        self.kept = kept
        self.out = 0

    def next(self) -> int | Idle:
        """Return the next item's index, or why there is none."""
        if self._target is not None:
            if self.kept >= self._target:
                return Idle.OVER
            if self.out >= self._wanted():
                return Idle.WAIT
        return self._advance()

    def decided(self, *, kept: bool) -> None:
        """Take note that an item that was out has its outcome."""
        self.out -= 1
        self._decided += 1
        self.kept += kept

    def dropped(self) -> None:
        """Take note that an item that was out is given up without an outcome (the run is ending)."""
        self.out -= 1

    @property
    def horizon(self) -> int:
        """Every position below it is done by now, or is no item; the next run need not look at them again."""
        while self._handed_out and self._handed_out[0] in self._done:
            self._handed_out.popleft()
        if len(self._handed_out) >= self._tidy_at:
            self._handed_out = deque(position for position in self._handed_out if position not in self._done)
            self._tidy_at = 2 * max(len(self._handed_out), PATIENCE)
        return self._handed_out[0] if self._handed_out else self._position

    @property
    def target_met(self) -> bool:
        """Whether one more kept item would be one too many."""
        return self._target is not None and self.kept >= self._target

    @property
    def items(self) -> int:
        """How many there are at most."""
        return self._limit

    @property
    def left(self) -> int:
        """How many have no outcome yet, at most: those that are out and those to come."""
        if self._target is not None:
            return min(self._limit - self._decided, self._wanted())
        return self._limit - self._decided

    def _advance(self) -> int | Idle:
        for _ in range(PATIENCE):
            if self._position >= self._size or self._passed >= self._limit:
                return Idle.OVER if not (self._target and self.out) else Idle.WAIT
            position = self._position
            self._position += 1
            if position in self._done:
                self._passed += 1
            elif self._keeps is None or self._keeps(position):
                self._passed += 1
                self.out += 1
                self._handed_out.append(position)
                return position
        return Idle.LOOK_AGAIN

    def _wanted(self) -> int:
        """How many items should be out: the missing ones over the share that was kept so far."""
        assert self._target is not None, "only asked with a target"  # noqa: S101 - see `next`
        missing = self._target - self.kept
        acceptance = max(self.kept / self._decided if self._decided else 1.0, ACCEPTANCE_FLOOR)
        return math.ceil(missing / acceptance)
