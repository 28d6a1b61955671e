"""The sample of items that all conditions judge, so that the order of the filters hides nothing.

Rule of this file: who is in it follows from the item's index alone.
"""

ONE_IN = 100
"""One item in so many is sampled."""


def is_sampled(index: int) -> bool:
    """Whether an item is in the sample."""
    spread = index * 0x9E3779B97F4A7C15 % 2**64
    return (spread ^ spread >> 32) * 0xD6E8FEB86659FD93 % 2**64 < 2**64 // ONE_IN
