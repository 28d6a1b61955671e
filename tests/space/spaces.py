"""Small spaces for the tests, and what is in them, found the slow way."""

from collections import Counter

from hypothesis import strategies as st

from corpusmill.spec.schema import Axis, Scalar, SpaceSpec

Row = tuple[object, ...]

PLOTS = SpaceSpec(
    axes={
        "genre": ["romance", "crime", "action", "fantasy", "science fiction", "horror"],
        "modifier": ["cerebral", "heartwarming", "tragic", "supernatural", "exciting", "gritty"],
        "place": ["France", "Japan", "England", "America", "South Africa", "India", "China", "Egypt", "Italy"],
        "period": ["the Renaissance", "the 1920s", "the 1960s", "the 1990s", "the near future", "the distant future"],
    }
)


def product_spec(*sizes: int, **fields: object) -> SpaceSpec:
    """A space of independent axes a0, a1, ... whose values are numbers."""
    axes: dict[str, list[Scalar] | Axis] = {f"a{axis}": list(range(size)) for axis, size in enumerate(sizes)}
    return SpaceSpec(axes=axes, **fields)  # type: ignore[arg-type]  # a test writes what it means


def combinations_of(spec: SpaceSpec) -> Counter[Row]:
    """Every combination of a space with how often it comes in one draw."""
    partial: list[tuple[dict[str, object], int]] = [({}, 1)]
    waiting = list(spec.axes)
    while waiting:
        name = next(name for name in waiting if _within(spec, name) not in waiting)
        waiting.remove(name)
        partial = [
            ({**values, name: value}, weight * times)
            for values, times in partial
            for value, weight in _options(spec, name, values)
        ]
    counts: Counter[Row] = Counter()
    for values, times in partial:
        counts[tuple(values[name] for name in spec.axes)] += times
    return counts


def _within(spec: SpaceSpec, name: str) -> str | None:
    axis = spec.axes[name]
    return axis.within if isinstance(axis, Axis) else None


def _options(spec: SpaceSpec, name: str, values: dict[str, object]) -> list[tuple[object, int]]:
    axis = spec.axes[name]
    listed = axis.values if isinstance(axis, Axis) else axis
    if isinstance(axis, Axis) and axis.within is not None:
        assert isinstance(listed, dict)
        listed = listed[str(values[axis.within])]  # type: ignore[assignment]
    if isinstance(listed, dict):
        return [(value, weight) for value, weight in listed.items() if isinstance(weight, int)]
    assert isinstance(listed, list)
    return [(value, 1) for value in listed]


def _names(prefix: str, count: int) -> list[Scalar]:
    return [f"{prefix}{number}" for number in range(count)]


@st.composite
def specs(draw: st.DrawFn, order: str | None = None) -> SpaceSpec:
    """Spaces of up to 2,700 items with plain, weighted and dependent axes, the dependent ones up to two deep."""
    axes: dict[str, list[Scalar] | Axis] = {"plain": _names("p", draw(st.integers(1, 6)))}
    if draw(st.booleans()):
        weights = draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))
        axes["weighted"] = Axis(values={f"w{number}": weight for number, weight in enumerate(weights)})
    if draw(st.booleans()):
        parents = draw(st.lists(st.integers(1, 2), min_size=1, max_size=3))
        children = {f"r{number}": _names(f"c{number}", draw(st.integers(1, 3))) for number in range(len(parents))}
        axes["root"] = Axis(values={f"r{number}": weight for number, weight in enumerate(parents)})
        axes["child"] = Axis(within="root", values=dict(children))
        if draw(st.booleans()):
            axes["sibling"] = Axis(
                within="root", values={parent: _names(f"s{parent}", draw(st.integers(1, 3))) for parent in children}
            )
        if draw(st.booleans()):
            grandchildren = {
                str(name): _names(f"g{name}", draw(st.integers(1, 2))) for c in children.values() for name in c
            }
            axes["grandchild"] = Axis(within="child", values=dict(grandchildren))
    names = draw(st.permutations(list(axes)))
    return SpaceSpec(
        axes={name: axes[name] for name in names},
        draws=draw(st.integers(1, 3)),
        order=order or draw(st.sampled_from(["balanced", "random", "sequential"])),  # type: ignore[arg-type]
    )
