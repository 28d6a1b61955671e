"""Axes: where their values come from, and that the values of dependent axes fit their parents'."""

from collections.abc import Mapping, Sequence

import msgspec

from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import Axis, Scalar
from corpusmill.spec.wording import at, hint, quoted

Axes = Mapping[str, list[Scalar] | Axis]


def check_axes(axes: Axes) -> None:
    """Check each axis by itself, then the ones that depend on another.

    Raises:
        SpecError: at the axis, or at its value, that is wrong.
    """
    for name, axis in axes.items():
        path = at("space.axes", name)
        if isinstance(axis, list):
            _check_values(axis, path)
        else:
            _check_form(axis, path)
    for name, axis in axes.items():
        if isinstance(axis, Axis) and axis.within is not None:
            _check_parents(name, axes)
            _check_keys(name, axis, axes)


def inline_values(axis: list[Scalar] | Axis) -> list[Scalar]:
    """All values of an axis as the spec tells them; none where they stand in a file."""
    if isinstance(axis, list):
        return axis
    if axis.within is None:
        return list(axis.values or ())
    lists = axis.values.values() if isinstance(axis.values, dict) else ()
    return [value for values in lists if isinstance(values, list) for value in values]


def _check_form(axis: Axis, path: str) -> None:
    if (axis.values is None) == (axis.file is None):
        wrong = "has neither `values` nor `file`" if axis.values is None else "has both `values` and `file`"
        raise SpecError(path, f"{wrong}; an axis has one of them")
    if axis.within is not None and not isinstance(axis.values, dict):
        raise SpecError(path, f"with `within`, `values` maps each value of {quoted(axis.within)} to a list")
    if axis.values is None:
        return
    path = f"{path}.values"
    if isinstance(axis.values, list):
        _check_values(axis.values, path)
    elif axis.within is None:
        _check_values(list(axis.values), path)
        _check_weights(axis.values, path)
    else:
        _check_lists(axis.values, path)


def _check_values(values: Sequence[Scalar], path: str) -> None:
    if not values:
        raise SpecError(path, "an axis has at least one value")
    seen: set[str] = set()
    for position, value in enumerate(values):
        name = _name_of(value)
        if not name.strip():
            raise SpecError(at(path, position), "expected text that is not empty")
        if name in seen:
            raise SpecError(path, f"the value {quoted(name)} stands twice; give it a weight of 2 to have it twice")
        seen.add(name)


def _check_weights(weights: Mapping[str, int | list[Scalar]], path: str) -> None:
    for key, weight in weights.items():
        if isinstance(weight, list):
            raise SpecError(at(path, key), "a list needs `within`, the axis it depends on; a weight is an integer")


def _check_lists(lists: Mapping[str, int | list[Scalar]], path: str) -> None:
    if not lists:
        raise SpecError(path, "an axis has at least one value")
    for key, values in lists.items():
        if not isinstance(values, list):
            raise SpecError(at(path, key), "with `within`, expected the list of values that go with it, not a weight")
        _check_values(values, at(path, key))


def _check_parents(name: str, axes: Axes) -> None:
    """Follow `within` up from one axis: each parent is an axis, and none is met twice."""
    path = f"{at('space.axes', name)}.within"
    line = [name]
    parent = _parent(axes[name])
    while parent is not None:
        if parent not in axes:
            raise SpecError(path, f"there is no axis {quoted(parent)}{hint(parent, axes)}")
        if parent in line:
            chain = " within ".join(quoted(each) for each in [*line[line.index(parent) :], parent])
            raise SpecError(path, f"axes cannot depend on each other in a circle: {chain}")
        line.append(parent)
        parent = _parent(axes[parent])


def _parent(axis: list[Scalar] | Axis) -> str | None:
    return axis.within if isinstance(axis, Axis) else None


def _check_keys(name: str, axis: Axis, axes: Axes) -> None:
    """Check that the keys of a dependent axis are the values of its parent, where the spec itself tells those."""
    parent = str(axis.within)
    expected = dict.fromkeys(map(_name_of, inline_values(axes[parent])))
    if not expected or not isinstance(axis.values, dict):
        return
    path = f"{at('space.axes', name)}.values"
    for key in axis.values:
        if key not in expected:
            raise SpecError(at(path, key), f"{quoted(key)} is not a value of {quoted(parent)}{hint(key, expected)}")
    for value in expected:
        if value not in axis.values:
            raise SpecError(path, f"the value {quoted(value)} of {quoted(parent)} is missing")


def _name_of(value: Scalar) -> str:
    """The text of a value where it is a key of a mapping: `true` for a boolean, as the spec writes it."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
