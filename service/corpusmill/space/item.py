"""One combination of the space."""

import msgspec

from corpusmill.space.values import Value


class Item(msgspec.Struct, frozen=True, gc=False):
    """One combination, addressed by its index in the job's order.

    `gc=False` spares the garbage collector millions of objects: an item is in no cycle, its values do not know it.

    Attributes:
        index: place in the order, from 0.
        draw: how often the whole space came before, from 0.
        values: axis -> value, in the order of the spec.
    """

    index: int
    draw: int
    values: dict[str, Value]
