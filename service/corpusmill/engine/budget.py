"""What a job may still spend.

Rules of this file: integers only, no tasks. A call's worst case is reserved before it is sent and settled to what it
cost, so the sum of what was spent never exceeds the budget; a call whose answer was lost is settled at its worst case.
What may be spent is granted first, in the journal: after a crash all that was granted counts as spent.
"""

import enum

import msgspec

GRANTS = 100
"""A grant allows a hundredth of the budget beyond what is reserved: the most that a crash forfeits on top of that."""


class Price(msgspec.Struct, frozen=True):
    """What a call may cost at most, or did cost: requests, and pico-dollars."""

    calls: int = 1
    picodollars: int = 0


class Room(enum.Enum):
    """Whether a call fits."""

    YES = "reserved"
    LATER = "it fits once calls that are out have cost less than their worst case"
    NEVER = "the budget is spent"


class Budget:
    """Hard bounds on calls and cost. None means no bound.

    Args:
        calls: requests that may be sent in the job's life.
        picodollars: what the job may cost in its life.
        spent: what earlier runs of the job have spent.
    """

    def __init__(self, calls: int | None, picodollars: int | None, spent: Price) -> None:
        self.calls, self.picodollars = calls, picodollars
        self._spent_calls, self._spent_picodollars = spent.calls, spent.picodollars
        self._reserved_calls = self._reserved_picodollars = 0
        self._granted = Price(0, 0)

    def reserve(self, worst: Price) -> Room:
        """Set the worst case of one call aside, if it fits."""
        if not self._fits(worst, 0, 0):
            return Room.NEVER
        if not self._fits(worst, self._reserved_calls, self._reserved_picodollars):
            return Room.LATER
        self._reserved_calls += worst.calls
        self._reserved_picodollars += worst.picodollars
        return Room.YES

    def spares(self, worst: Price, times: int) -> bool:
        """Whether so many more calls of this worst case fit, whatever those cost that are out."""
        wanted = Price(worst.calls * times, worst.picodollars * times)
        return self._fits(wanted, self._reserved_calls, self._reserved_picodollars)

    @property
    def is_covered(self) -> bool:
        """Whether everything that may be spent so far is within the last grant; always where there is no budget."""
        return not self.is_bounded or (
            self._spent_calls + self._reserved_calls <= self._granted.calls
            and self._spent_picodollars + self._reserved_picodollars <= self._granted.picodollars
        )

    @property
    def is_bounded(self) -> bool:
        """Whether there is any budget."""
        return self.calls is not None or self.picodollars is not None

    def next_grant(self) -> Price:
        """Return a grant that covers what is reserved and a hundredth of the budget more."""
        return Price(
            self._spent_calls + self._reserved_calls + (self.calls or 0) // GRANTS,
            self._spent_picodollars + self._reserved_picodollars + (self.picodollars or 0) // GRANTS,
        )

    def grant(self, granted: Price) -> None:
        """Take note that a grant is durable."""
        self._granted = granted

    def settle(self, worst: Price, actual: Price) -> None:
        """Turn a reservation into what the call cost."""
        self._reserved_calls -= worst.calls
        self._reserved_picodollars -= worst.picodollars
        self._spent_calls += actual.calls
        self._spent_picodollars += actual.picodollars

    @property
    def spent(self) -> Price:
        """What was spent in the job's life."""
        return Price(self._spent_calls, self._spent_picodollars)

    def _fits(self, worst: Price, calls: int, picodollars: int) -> bool:
        if self.calls is not None and self._spent_calls + calls + worst.calls > self.calls:
            return False
        spent = self._spent_picodollars + picodollars + worst.picodollars
        return self.picodollars is None or spent <= self.picodollars
