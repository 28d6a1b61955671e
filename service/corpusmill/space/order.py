"""In which order the cells of a product of independent dimensions come.

Rule of this file: an order knows sizes only, not values. `cell(position, draw)` gives one place per dimension; for any
one draw it is a bijection from [0, size) to the cells, at a cost that is linear in the number of dimensions.
The balanced order is in `space.balanced`.
"""

from collections.abc import Sequence
from math import prod
from typing import Protocol

from corpusmill.space.permutation import Permutation


class Order(Protocol):
    """A way through all cells of a product of dimensions."""

    size: int

    def cell(self, position: int, draw: int = 0) -> Sequence[int]:
        """Return the place in each dimension of the cell at a position below `size`."""


class Sequential:
    """Nested loops in the order of the dimensions, the last one fastest; every draw is the same.

    A cell is the position written with one digit per dimension (mixed radix), which makes it a bijection.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.size = prod(sizes)
        self._reversed_sizes = tuple(reversed(sizes))

    def cell(self, position: int, draw: int = 0) -> Sequence[int]:  # noqa: ARG002  every order takes a draw
        """Return the digits of the position, most significant first."""
        digits = []
        for size in self._reversed_sizes:
            position, digit = divmod(position, size)
            digits.append(digit)
        return digits[::-1]


class Random:
    """One seeded bijection of the whole space, another one for every draw: a shuffle without any balance."""

    def __init__(self, sizes: Sequence[int], key: bytes) -> None:
        self.size = prod(sizes)
        self._loops = Sequential(sizes)
        self._permutation = Permutation(self.size, key)

    def cell(self, position: int, draw: int = 0) -> Sequence[int]:
        """Return the digits of the place to which the draw's bijection sends the position."""
        return self._loops.cell(self._permutation(position, draw))
