"""The axes of a spec in one uniform form, with everything checked that needs more than one of them.

Rule of this file: what leaves it can be built without further checks.
"""

from collections import Counter

import msgspec

from corpusmill.space.values import axis_value, name_of
from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import Axis, Scalar, SpaceSpec
from corpusmill.spec.wording import at, hint, quoted

MAX_DEPTH = 32
"""How many axes may lie one within the other."""


class Values(msgspec.Struct, frozen=True):
    """Some different values of an axis, and how many times each counts."""

    values: tuple[Scalar, ...]
    weights: tuple[int, ...]


class AxisValues(msgspec.Struct, frozen=True):
    """All values of an axis, for each value of the axis it depends on.

    Attributes:
        within: the axis it depends on, if any.
        by_parent: the name of the parent's value -> values; for an independent axis the one key is None.
    """

    within: str | None
    by_parent: dict[str | None, Values]


def read_axes(space: SpaceSpec) -> dict[str, AxisValues]:
    """Return the axes of a space in the order of the spec.

    Raises:
        SpecError: an axis has no values, or the same one twice, or weights where there should be lists or the other way
            round; an axis lies within one that is not there, within itself, or too deep; the values of the two do
            not agree.
        ValueError: an axis still names a file; `space.files` reads those first.
    """
    axes = {name: _axis_values(at("space.axes", name), axis) for name, axis in space.axes.items()}
    for name, axis in axes.items():
        if axis.within is not None:
            _check_ancestors(name, axes)
            _check_parents(name, axis, axes[axis.within])
    return axes


def _axis_values(path: str, axis: list[Scalar] | Axis) -> AxisValues:
    if isinstance(axis, list):
        return AxisValues(None, {None: _listed(path, axis)})
    if axis.file is not None:
        raise ValueError(f"the file of {path} has not been read")
    path = f"{path}.values"
    if not axis.values:
        raise SpecError(path, "an axis has at least one value")
    if isinstance(axis.values, list):
        if axis.within is not None:
            raise SpecError(path, f"with `within` it is a mapping: each value of {quoted(axis.within)} has a list")
        return AxisValues(None, {None: _listed(path, axis.values)})
    if axis.within is None:
        return AxisValues(None, {None: _weighted(path, axis.values)})
    return AxisValues(axis.within, {key: _dependent(at(path, key), values) for key, values in axis.values.items()})


def _listed(path: str, values: list[Scalar]) -> Values:
    if not values:
        raise SpecError(path, "an axis has at least one value")
    names = [name_of(value) for value in values]
    if len(set(names)) < len(names):
        [(twice, _)] = Counter(names).most_common(1)
        raise SpecError(path, f"{quoted(twice)} is listed twice; a weight makes a value come more often")
    return Values(tuple(axis_value(value) for value in values), (1,) * len(values))


def _weighted(path: str, weights: dict[str, int | list[Scalar]]) -> Values:
    counts = []
    for key, weight in weights.items():
        if isinstance(weight, list):
            raise SpecError(
                at(path, key), "a list needs `within`, the axis on which it depends; a weight is an integer"
            )
        counts.append(weight)
    return Values(tuple(axis_value(key) for key in weights), tuple(counts))


def _dependent(path: str, values: int | list[Scalar]) -> Values:
    if isinstance(values, int):
        raise SpecError(path, "with `within`, each value of the other axis has a list of values, not a weight")
    return _listed(path, values)


def _check_ancestors(name: str, axes: dict[str, AxisValues]) -> None:
    path, parent = f"{at('space.axes', name)}.within", axes[name].within
    for _ in range(MAX_DEPTH + 1):
        if parent is None:
            return
        if parent not in axes:
            raise SpecError(path, f"there is no axis {quoted(parent)}{hint(parent, axes)}")
        parent = axes[parent].within
    raise SpecError(path, f"the axes lie within each other in a circle, or more than {MAX_DEPTH} deep")


def _check_parents(name: str, axis: AxisValues, parent: AxisValues) -> None:
    path = f"{at('space.axes', name)}.values"
    parents = {name_of(value) for listed in parent.by_parent.values() for value in listed.values}
    missing = parents - axis.by_parent.keys()
    if missing:
        raise SpecError(path, f"nothing for {quoted(min(missing))}, a value of {quoted(str(axis.within))}")
    for key in axis.by_parent:
        if key is not None and key not in parents:
            raise SpecError(at(path, key), f"{quoted(str(axis.within))} has no value {quoted(key)}{hint(key, parents)}")
