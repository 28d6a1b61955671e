"""Which of several endpoints or keys behind one model alias gets the next request.

Rule of this file: the one with the least outstanding for its weight; one that is paused or down comes after all others.
Each has a gate of its own, so a choice is never a promise: it only decides where the request queues.
"""

from collections.abc import Sequence

import msgspec


class Load(msgspec.Struct, frozen=True):
    """How busy one member of a pool is.

    Attributes:
        outstanding: requests in flight and waiting at its gate.
        held_seconds: for how long nothing will pass (a pause, an open breaker); 0 if something may.
        weight: its size relative to the others.
    """

    outstanding: int
    held_seconds: float = 0.0
    weight: float = 1.0


def least_outstanding(loads: Sequence[Load], start: int) -> int:
    """Return the index of the member to use; equal ones take turns as `start` counts up.

    Raises:
        ValueError: the pool is empty.
    """
    if not loads:
        raise ValueError("a pool needs at least one endpoint")
    count = len(loads)
    order = ((start + offset) % count for offset in range(count))
    return min(
        order, key=lambda index: (loads[index].held_seconds, (loads[index].outstanding + 1) / loads[index].weight)
    )
