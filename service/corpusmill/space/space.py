"""The space of a job: every combination of its axes, by index.

Rule of this file: an item depends on the spec, the seed and its index only, and costs time in the number of axes, not
in the size of the space. So a job is resumed from an index, and nobody keeps a list of what is still to do.
"""

from collections.abc import Callable, Mapping

import msgspec

from corpusmill.space.axes import read_axes
from corpusmill.space.growth import grow
from corpusmill.space.item import Item
from corpusmill.space.keys import subkey
from corpusmill.space.permutation import Permutation
from corpusmill.space.tree import Block, Combination, DocumentValues
from corpusmill.spec.errors import DocumentError, RenderError, SpecError, TemplateError
from corpusmill.spec.schema import SpaceSpec
from corpusmill.spec.template import compile_expression
from corpusmill.spec.wording import listed

Where = Callable[[Mapping[str, object]], object]
"""What keeps a combination, if what it returns for its values is true. It may raise RenderError."""

NO_DOCUMENTS: Mapping[str, DocumentValues] = {}

MOST_DIGITS = 4000
"""A space may have up to 10^4000 items; beyond that Python refuses to print the number."""


class Count(msgspec.Struct, frozen=True):
    """How many items of a space its `where` keeps.

    Attributes:
        kept: the number of items; the sample's share of the whole where it is not exact.
        exact: every combination was looked at.
        looked_at: how many combinations were looked at.
    """

    kept: int
    exact: bool
    looked_at: int


class Space:
    """All items of a job, in their order.

    Attributes:
        axes: the names of the axes, in the order of the spec.
        cells: how many combinations there are; a value of weight 3 counts as three.
        size: how many items there are: `cells` times the number of draws, before `where`.
    """

    def __init__(self, axes: tuple[str, ...], block: Block, draws: int, where: Where | None, sample_key: bytes) -> None:
        self.axes = axes
        self.cells = block.size
        self.size = block.size * draws
        self._block = block
        self._where = where
        self._sample_key = sample_key
        self._blank: Combination = dict.fromkeys(axes, "")

    def item(self, index: int) -> Item:
        """Return the item at an index.

        Raises:
            IndexError: the index is negative, or not below `size`.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"item {index} of a space of {self.size}")
        draw, position = divmod(index, self.cells)
        values = self._blank.copy()
        self._block.fill(position, draw, values)
        return Item(index, draw, values)

    def keeps(self, item: Item) -> bool:
        """Return whether the item's combination is one of the job's.

        Raises:
            SpecError: the expression cannot be evaluated for it.
        """
        return self._where is None or self._is_kept(self._where, item.values)

    def weights(self, axis: str) -> dict[str, int]:
        """Return how many of the `cells` have each value of an axis, before `where`, by the value's name (`name_of`).

        Raises:
            KeyError: there is no such axis.
        """
        if axis not in self._blank:
            raise KeyError(axis)
        counts: dict[str, int] = {}
        self._block.tally(axis, 1, counts)
        return counts

    def count(self, limit: int = 100_000) -> Count:
        """Count the items that `where` keeps, looking at no more than `limit` combinations.

        A larger space is estimated from a seeded sample of `limit` different combinations: always the same ones.

        Args:
            limit: at least 1; a combination costs some microseconds.

        Raises:
            SpecError: the expression cannot be evaluated for one of them.
        """
        if self._where is None:
            return Count(self.size, True, 0)
        exact = self.cells <= limit
        looked_at = self.cells if exact else limit
        position = Permutation(self.cells, self._sample_key)
        kept = 0
        for number in range(looked_at):
            kept += self.keeps(self.item(number if exact else position(number)))
        return Count(self.size * kept // looked_at, exact, looked_at)

    def _is_kept(self, where: Where, values: Mapping[str, object]) -> bool:
        try:
            return bool(where(values))
        except DocumentError:
            return True  # the item fails by itself, where its document is read again
        except RenderError as error:
            combination = listed(f"{axis}={value}" for axis, value in values.items())
            raise SpecError("space.where", f"cannot be evaluated for {combination}: {error}") from error


def build_space(
    spec: SpaceSpec, seed: int, where: Where | None = None, documents: Mapping[str, DocumentValues] = NO_DOCUMENTS
) -> Space:
    """Return the space that a spec tells.

    Args:
        spec: its axis files have been read (`inline_axis_files`).
        seed: the job's seed; another seed gives the same combinations in another order.
        where: what decides on a combination, in place of `spec.where`.
        documents: those of each axis of documents.

    Raises:
        SpecError: the axes do not fit together, `where` is no expression, or there are more than 10^4000 items.
        ValueError: the documents are not those of the spec.
    """
    if where is None and spec.where is not None:
        where = _compiled(spec.where)
    if documents.keys() != spec.documents.keys():
        raise ValueError("the documents of the spec have not been opened")
    ordered = {name: documents[name] for name in spec.documents}
    block = grow(read_axes(spec), ordered, spec.order, seed)
    if block.size * spec.draws > 10**MOST_DIGITS:
        raise SpecError("space", f"has more than 10^{MOST_DIGITS} items")
    return Space((*spec.axes, *spec.documents), block, spec.draws, where, subkey(seed, "sample"))


def _compiled(source: str) -> Where:
    try:
        return compile_expression(source).evaluate
    except TemplateError as error:
        raise SpecError("space.where", str(error)) from None
