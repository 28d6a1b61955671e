"""The tree of a space: which axes can be chosen independently, and what depends on what.

An axis and all axes within it are one dimension. Each of the axis's values has a block below it: the dimensions that
depend on this value. So a space is a block of dimensions, whose values have blocks below them, and so on. A place is
led down the tree by arithmetic; combinations are never listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from corpusmill.space.layout import Layout
from corpusmill.space.order import Order
from corpusmill.space.values import Value, name_of
from corpusmill.spec.schema import Scalar
from corpusmill.spec.template import Reference

Combination = dict[str, Value]


class Branch(NamedTuple):
    """One value of an axis, how many times it counts, and the block of what depends on it."""

    value: Scalar
    weight: int
    below: Block


class Block:
    """Independent dimensions, and the order in which their combinations come."""

    def __init__(self, dimensions: Sequence[Dimension | Leaf | DocumentLeaf], order: Order) -> None:
        self.dimensions = tuple(dimensions)
        self.size = order.size
        self._order = order

    def fill(self, position: int, draw: int, into: Combination) -> None:
        """Put the values of the combination at a position into a combination."""
        for dimension, place in zip(self.dimensions, self._order.cell(position, draw), strict=True):
            dimension.fill(place, into)

    def tally(self, axis: str, times: int, into: dict[str, int]) -> None:
        """Count how often each value of an axis comes in the whole block, `times` over."""
        for dimension in self.dimensions:
            if axis in dimension.axes:
                dimension.tally(axis, times * (self.size // dimension.size), into)


class Leaf:
    """An axis on which no other depends, as `size` places: one for each value, times its weight."""

    def __init__(self, axis: str, values: Sequence[Scalar], weights: Sequence[int], layout: Layout) -> None:
        self.axes = frozenset([axis])
        self.size = sum(weights)
        self._axis, self._values, self._weights, self._slot = axis, values, weights, layout.slot

    def fill(self, place: int, into: Combination) -> None:
        """Put the value at a place into a combination."""
        into[self._axis] = self._values[self._slot(place)[0]]

    def tally(self, axis: str, times: int, into: dict[str, int]) -> None:  # noqa: ARG002  there is only one
        """Count how often each value comes, `times` over."""
        for value, weight in zip(self._values, self._weights, strict=True):
            into[name_of(value)] = into.get(name_of(value), 0) + weight * times


class DocumentValues(Protocol):
    """The documents of an axis, by number."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, number: int, /) -> Reference:
        """Return one of them."""

    def weights(self) -> dict[str, int]:
        """Return how many are counted under each label of a report."""


class DocumentLeaf:
    """An axis of documents, one place each; nothing is held of any of them."""

    def __init__(self, axis: str, documents: DocumentValues, layout: Layout) -> None:
        self.axes = frozenset([axis])
        self.size = len(documents)
        self._axis, self._documents, self._slot = axis, documents, layout.slot

    def fill(self, place: int, into: Combination) -> None:
        """Put the document at a place into a combination."""
        into[self._axis] = self._documents[self._slot(place)[0]]

    def tally(self, axis: str, times: int, into: dict[str, int]) -> None:  # noqa: ARG002  there is only one
        """Count how many documents each label stands for, `times` over."""
        for label, count in self._documents.weights().items():
            into[label] = into.get(label, 0) + count * times


class Dimension:
    """An axis with all that depends on it, as `size` places.

    Each value has as many places as there are combinations below it, times its weight.
    """

    def __init__(self, axis: str, branches: Sequence[Branch], layout: Layout) -> None:
        first = branches[0].below
        self.axes: frozenset[str] = frozenset([axis]).union(*(dimension.axes for dimension in first.dimensions))
        self.size = sum(branch.weight * branch.below.size for branch in branches)
        self._axis, self._branches, self._slot = axis, branches, layout.slot

    def fill(self, place: int, into: Combination) -> None:
        """Put the value at a place, and the combination below it, into a combination."""
        number, rank = self._slot(place)
        value, _, below = self._branches[number]
        into[self._axis] = value
        below.fill(rank % below.size, 0, into)

    def tally(self, axis: str, times: int, into: dict[str, int]) -> None:
        """Count how often each value of an axis comes, `times` over."""
        for value, weight, below in self._branches:
            if axis == self._axis:
                into[name_of(value)] = into.get(name_of(value), 0) + weight * below.size * times
            else:
                below.tally(axis, weight * times, into)
