"""Growing the tree of a space from its axes.

What the balanced order keeps, in any prefix and across draws:

- Two values of an unweighted axis that neither depends on another nor has others within it differ by at most 1 in their
  counts. Places of the axis's dimension do (`space.balanced`), and each of its values has one.
- So do two values of an unweighted axis with others within it, if as many combinations lie within each: in the layout
  the values take turns (`space.layout`).
- So do two values of the innermost axis where each axis is alone within the next, and none has weights: each value has
  one place. Where several axes lie within the same parent, their values may differ by 2 even if all parents are alike,
  as a stretch of their combinations may begin anywhere.
- A value with a weight, or with more within it than others have, comes in proportion.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from corpusmill.space.axes import AxisValues
from corpusmill.space.balanced import Balanced
from corpusmill.space.keys import subkey
from corpusmill.space.layout import EqualRanges, Layout, in_order, one_each, spread
from corpusmill.space.order import Order, Random, Sequential
from corpusmill.space.tree import Block, Branch, Dimension, DocumentLeaf, DocumentValues, Leaf
from corpusmill.space.values import name_of

OrderName = Literal["balanced", "random", "sequential"]


def grow(axes: Mapping[str, AxisValues], documents: Mapping[str, DocumentValues], order: OrderName, seed: int) -> Block:
    """Return the block of all axes: its dimensions stand in the order of those that depend on no other, then documents.

    Args:
        axes: what `read_axes` returned.
        documents: by axis.
        order: in which order the combinations come.
        seed: the job's seed.
    """
    grower = _Grower(axes, order, seed)
    dimensions: list[Dimension | Leaf | DocumentLeaf] = [
        grower.dimension(name, None) for name, axis in axes.items() if axis.within is None
    ]
    dimensions += [grower.documents(name, values) for name, values in documents.items()]
    return Block(dimensions, grower.outer_order([dimension.size for dimension in dimensions]))


class _Grower:
    """Grows each dimension once, however many branches it hangs on."""

    def __init__(self, axes: Mapping[str, AxisValues], order: OrderName, seed: int) -> None:
        self._axes, self._order, self._seed = axes, order, seed
        self._children: dict[str, list[str]] = {name: [] for name in axes}
        for name, axis in axes.items():
            if axis.within is not None:
                self._children[axis.within].append(name)
        self._dimensions: dict[tuple[str, str | None], Dimension | Leaf] = {}
        self._blocks: dict[tuple[str, str], Block] = {}

    def dimension(self, name: str, parent: str | None) -> Dimension | Leaf:
        """Return the dimension of an axis, where its parent's value is the one named `parent`."""
        if (name, parent) not in self._dimensions:
            self._dimensions[name, parent] = self._new_dimension(name, parent)
        return self._dimensions[name, parent]

    def documents(self, name: str, values: DocumentValues) -> DocumentLeaf:
        """Return the dimension of an axis of documents."""
        balanced = self._order == "balanced"
        layout = one_each(len(values), subkey(self._seed, "layout", name)) if balanced else EqualRanges(1)
        return DocumentLeaf(name, values, layout)

    def outer_order(self, sizes: Sequence[int]) -> Order:
        """Return the order of the whole space."""
        key = subkey(self._seed, "order")
        if self._order == "balanced":
            return Balanced(sizes, key)
        return Random(sizes, key) if self._order == "random" else Sequential(sizes)

    def _new_dimension(self, name: str, parent: str | None) -> Dimension | Leaf:
        axis = self._axes[name].by_parent[parent]
        if not self._children[name]:
            return Leaf(name, axis.values, axis.weights, self._layout(axis.weights, name, parent))
        branches = [
            Branch(value, weight, self._block(name, name_of(value)))
            for value, weight in zip(axis.values, axis.weights, strict=True)
        ]
        sizes = [branch.weight * branch.below.size for branch in branches]
        return Dimension(name, branches, self._layout(sizes, name, parent))

    def _block(self, name: str, value: str) -> Block:
        if (name, value) not in self._blocks:
            dimensions = [self.dimension(child, value) for child in self._children[name]]
            order = self._inner_order([dimension.size for dimension in dimensions], name, value)
            self._blocks[name, value] = Block(dimensions, order)
        return self._blocks[name, value]

    def _inner_order(self, sizes: Sequence[int], name: str, value: str) -> Order:
        if self._order == "balanced" and len(sizes) > 1:
            return Balanced(sizes, subkey(self._seed, "order", name, value))
        # One dimension needs no order; a random outer order has shuffled all that lies within.
        return Sequential(sizes)

    def _layout(self, sizes: Sequence[int], name: str, parent: str | None) -> Layout:
        if self._order != "balanced":
            return in_order(sizes)
        return spread(sizes, subkey(self._seed, "layout", name, *([] if parent is None else [parent])))
