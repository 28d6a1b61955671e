"""One combination of the space."""

import msgspec

from corpusmill.spec.schema import Scalar


class Item(msgspec.Struct, frozen=True, gc=False):
    """One combination, addressed by its index in the job's order.

    `gc=False` spares the garbage collector millions of objects: an item holds only scalars, so it is in no cycle.

    Attributes:
        index: place in the order, from 0.
        draw: how often the whole space came before, from 0.
        values: axis -> value, in the order of the spec.
    """

    index: int
    draw: int
    values: dict[str, Scalar]
