"""The space: every combination in every draw, in a balanced order where asked, and always by index."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.space.item import Item
from corpusmill.space.space import Count, Space, build_space
from corpusmill.space.values import Labelled
from corpusmill.spec.errors import RenderError, SpecError
from corpusmill.spec.schema import Axis, Scalar, SpaceSpec
from tests.space.spaces import PLOTS, Row, combinations_of, product_spec, specs

SEEDS = st.integers(-(2**63), 2**63 - 1)


def items(space: Space) -> Iterator[Item]:
    return (space.item(index) for index in range(space.size))


def row(item: Item) -> Row:
    return tuple(item.values.values())


def axes_problem(**axes: list[Scalar] | Axis) -> tuple[str, str]:
    with pytest.raises(SpecError) as caught:
        build_space(SpaceSpec(axes=axes), 0)
    return caught.value.path, caught.value.problem


@given(spec=specs(), seed=SEEDS)
def test_every_draw_has_every_combination_as_often_as_its_weight(spec: SpaceSpec, seed: int) -> None:
    space = build_space(spec, seed)
    expected = combinations_of(spec)
    assert space.cells == expected.total()
    assert space.size == space.cells * spec.draws
    found = [Counter[Row]() for _ in range(spec.draws)]
    for item in items(space):
        found[item.draw][row(item)] += 1
    assert found == [expected] * spec.draws


@given(spec=specs(), seed=SEEDS, data=st.data())
def test_an_item_knows_its_place_and_its_values_stand_in_the_order_of_the_spec(
    spec: SpaceSpec, seed: int, data: st.DataObject
) -> None:
    space = build_space(spec, seed)
    index = data.draw(st.integers(0, space.size - 1))
    item = space.item(index)
    assert (item.index, item.draw) == (index, index // space.cells)
    assert list(item.values) == list(spec.axes) == list(space.axes)
    assert space.item(index) == item == build_space(spec, seed).item(index)


@given(spec=specs(), distance=st.integers(0, 10**30))
def test_there_are_no_items_outside(spec: SpaceSpec, distance: int) -> None:
    space = build_space(spec, 0)
    for index in (-1 - distance, space.size + distance):
        with pytest.raises(IndexError):
            space.item(index)


@given(spec=specs(order="balanced"), seed=SEEDS)
def test_an_independent_axis_is_balanced_in_any_prefix_over_all_draws(spec: SpaceSpec, seed: int) -> None:
    space = build_space(spec, seed)
    counts: Counter[object] = Counter(dict.fromkeys(spec.axes["plain"], 0))  # type: ignore[arg-type]  # it is a list
    for item in items(space):
        counts[item.values["plain"]] += 1
        assert max(counts.values()) - min(counts.values()) <= 1


@given(seed=SEEDS, parents=st.integers(1, 4), children=st.integers(1, 4), other=st.integers(1, 6))
def test_parents_of_equally_many_values_are_balanced_and_so_are_the_values_within(
    seed: int, parents: int, children: int, other: int
) -> None:
    names: list[Scalar] = [f"p{number}" for number in range(parents)]
    within: dict[str, int | list[Scalar]] = {
        str(name): [f"{name}c{number}" for number in range(children)] for name in names
    }
    axes = {"parent": names, "child": Axis(within="parent", values=within), "other": list(range(other))}
    space = build_space(SpaceSpec(axes=axes, draws=2), seed)  # type: ignore[arg-type]  # lists of one scalar type
    counts: dict[str, Counter[str]] = {
        axis: Counter(dict.fromkeys(space.weights(axis), 0)) for axis in ("parent", "child", "other")
    }
    for item in items(space):
        for axis, seen in counts.items():
            seen[str(item.values[axis])] += 1
            assert max(seen.values()) - min(seen.values()) <= 1


@given(seed=SEEDS, sizes=st.lists(st.integers(1, 5), min_size=1, max_size=5), other=st.integers(1, 6))
def test_the_values_within_parents_of_any_size_are_balanced(seed: int, sizes: list[int], other: int) -> None:
    within: dict[str, int | list[Scalar]] = {
        f"p{number}": [f"p{number}c{child}" for child in range(size)] for number, size in enumerate(sizes)
    }
    axes = {"child": Axis(within="parent", values=within), "parent": list(within), "other": list(range(other))}
    space = build_space(SpaceSpec(axes=axes), seed)  # type: ignore[arg-type]  # lists of one scalar type
    seen: Counter[object] = Counter(dict.fromkeys(space.weights("child"), 0))
    for item in items(space):
        seen[item.values["child"]] += 1
        assert max(seen.values()) - min(seen.values()) <= 1


@given(seed=SEEDS, sizes=st.lists(st.integers(2, 5), min_size=2, max_size=3))
def test_axes_within_the_same_value_are_balanced_among_themselves(seed: int, sizes: list[int]) -> None:
    axes: dict[str, list[Scalar] | Axis] = {"parent": ["p"]}
    for number, size in enumerate(sizes):
        axes[f"child{number}"] = Axis(within="parent", values={"p": list(range(size))})
    space = build_space(SpaceSpec(axes=axes), seed)
    seen = {axis: Counter(dict.fromkeys(space.weights(axis), 0)) for axis in axes}
    for item in items(space):
        for axis, counts in seen.items():
            counts[str(item.values[axis])] += 1
            assert max(counts.values()) - min(counts.values()) <= 1


@given(
    seed=SEEDS,
    other=st.integers(1, 6),
    parents=st.integers(1, 3),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 4)),
)
def test_several_axes_within_equal_parents_differ_by_at_most_two(
    seed: int, other: int, parents: int, sizes: tuple[int, int]
) -> None:
    axes: dict[str, list[Scalar] | Axis] = {"other": list(range(other)), "parent": list(range(parents))}
    for number, size in enumerate(sizes):
        within: dict[str, int | list[Scalar]] = {
            str(parent): [f"{parent}.{value}" for value in range(size)] for parent in range(parents)
        }
        axes[f"child{number}"] = Axis(within="parent", values=within)
    space = build_space(SpaceSpec(axes=axes), seed)
    seen = {axis: Counter(dict.fromkeys(space.weights(axis), 0)) for axis in axes}
    for item in items(space):
        for axis, counts in seen.items():
            counts[str(item.values[axis])] += 1
            assert max(counts.values()) - min(counts.values()) <= 1 + axis.startswith("child")


@given(seed=SEEDS, weights=st.lists(st.integers(1, 9), min_size=1, max_size=4), other=st.integers(1, 10))
def test_a_weighted_axis_keeps_near_its_shares_in_any_prefix(seed: int, weights: list[int], other: int) -> None:
    values: dict[str, int | list[Scalar]] = {f"w{number}": weight for number, weight in enumerate(weights)}
    space = build_space(SpaceSpec(axes={"w": Axis(values=values), "other": list(range(other))}), seed)
    seen: Counter[object] = Counter()
    for length, item in enumerate(items(space), start=1):
        seen[item.values["w"]] += 1
        for number, weight in enumerate(weights):
            share = weight / sum(weights)
            # A part of a block may begin anywhere in the pattern: twice the bound that holds from its start.
            assert abs(seen[f"w{number}"] - share * length) <= 1 + share * len(weights) + 1e-9


@given(spec=specs(), seeds=st.tuples(SEEDS, SEEDS))
def test_a_seed_changes_the_order_only(spec: SpaceSpec, seeds: tuple[int, int]) -> None:
    first, second = (Counter(map(row, items(build_space(spec, seed)))) for seed in seeds)
    assert first == second


@pytest.mark.parametrize("sizes", [(6, 6, 9, 6), (11, 9, 7)])
@pytest.mark.parametrize("order", ["balanced", "random"])
def test_seeds_and_draws_give_orders_of_their_own(order: str, sizes: tuple[int, ...]) -> None:
    orders = []
    for seed in range(4):
        space = build_space(product_spec(*sizes, order=order, draws=2), seed)
        rows = list(map(row, items(space)))
        orders += [rows[: space.cells], rows[space.cells :]]
    for first, second in itertools.combinations(orders, 2):
        agreements = sum(a == b for a, b in zip(first, second, strict=True))
        # Two unrelated orders agree in one place on average; two balanced ones may agree where their passes cross.
        assert agreements <= 40


def test_the_sequential_order_is_nested_loops_with_dependent_values_inside_their_parent() -> None:
    city = Axis(within="country", values={"France": ["Paris", "Lyon"], "Japan": ["Kyoto"]})
    tone = Axis(values={"hopeful": 2, "grim": 1})
    spec = SpaceSpec(axes={"city": city, "tone": tone, "country": ["France", "Japan"]}, order="sequential")
    tones = ["hopeful", "hopeful", "grim"]
    places = [("Paris", "France"), ("Lyon", "France"), ("Kyoto", "Japan")]
    expected = [(city, tone, country) for tone in tones for city, country in places]
    assert [row(item) for item in items(build_space(spec, 7))] == expected


@given(spec=specs(), seed=SEEDS)
def test_weights_tell_how_often_each_value_comes(spec: SpaceSpec, seed: int) -> None:
    space = build_space(spec, seed)
    for column, axis in enumerate(spec.axes):
        counts: Counter[str] = Counter()
        for combination, times in combinations_of(spec).items():
            counts[str(combination[column])] += times
        assert space.weights(axis) == counts


def test_weights_of_an_axis_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        build_space(PLOTS, 0).weights("mood")


@pytest.mark.parametrize("sizes", [(10,) * 30, (192, 53, 30, 3, 11, 25, 34, 39), (1000,) * 12])
@pytest.mark.parametrize("order", ["balanced", "random", "sequential"])
def test_huge_spaces_have_items_at_both_ends(sizes: tuple[int, ...], order: str) -> None:
    space = build_space(product_spec(*sizes, order=order, draws=3), 7)
    indices = [*range(50), *range(space.size - 50, space.size), space.size // 2]
    rows = {(item.draw, row(item)) for item in map(space.item, indices)}
    assert len(rows) == len(indices)
    assert space.weights("a0") == dict.fromkeys(map(str, range(sizes[0])), space.cells // sizes[0])


def test_labelled_values_keep_their_parts() -> None:
    spec = SpaceSpec(
        axes={
            "place": ["Rome: the eternal city"],
            "tone": Axis(values={"noir: dark": 2}),
            "street": Axis(within="place", values={"Rome: the eternal city": ["Via Appia: a road"]}),
        }
    )
    values = build_space(spec, 0).item(0).values
    assert [(value.label, value.definition) for value in values.values() if isinstance(value, Labelled)] == [
        ("Rome", "the eternal city"),
        ("noir", "dark"),
        ("Via Appia", "a road"),
    ]


def test_values_of_other_types_are_named_by_their_json() -> None:
    names: list[Scalar] = [1, 1.0, True]
    within = Axis(within="parent", values={"1": ["integer"], "1.0": ["float"], "true": ["boolean"]})
    space = build_space(SpaceSpec(axes={"parent": names, "child": within}), 0)
    found = {item.values["child"]: item.values["parent"].__class__ for item in items(space)}
    assert found == {"integer": int, "float": float, "boolean": bool}
    assert space.weights("parent") == {"1": 1, "1.0": 1, "true": 1}


# --- where -----------------------------------------------------------------------------------------------------------


@given(spec=specs(), seed=SEEDS)
def test_where_keeps_what_its_expression_says_and_counts_it(spec: SpaceSpec, seed: int) -> None:
    spec = SpaceSpec(axes=spec.axes, draws=spec.draws, order=spec.order, where="plain != 'p0'")
    space = build_space(spec, seed)
    kept = [space.keeps(item) for item in items(space)]
    assert kept == [item.values["plain"] != "p0" for item in items(space)]
    assert space.count() == Count(sum(kept), True, space.cells)


def test_without_where_everything_is_kept() -> None:
    space = build_space(PLOTS, 7)
    assert all(map(space.keeps, items(space)))
    assert space.count(0) == Count(1944, True, 0)


def counting(
    where: Callable[[Mapping[str, object]], object],
) -> tuple[list[Row], Callable[[Mapping[str, object]], object]]:
    seen: list[Row] = []

    def watched(values: Mapping[str, object]) -> object:
        seen.append(tuple(values.values()))
        return where(values)

    return seen, watched


@pytest.mark.parametrize("order", ["balanced", "random", "sequential"])
def test_a_large_space_is_estimated_from_a_sample_that_is_always_the_same(order: str) -> None:
    spec = product_spec(100, 100, 100, order=order, draws=2)
    samples = []
    for _ in range(2):
        seen, where = counting(lambda values: values["a0"] < 25)  # type: ignore[operator]  # they are integers
        count = build_space(spec, 7, where).count(2000)
        samples.append(seen)
        assert (count.exact, count.looked_at) == (False, 2000)
        # 2,000,000 items, a quarter of them kept: within five standard deviations of a sample of 2,000.
        assert abs(count.kept - 500_000) < 5 * 2_000_000 * (0.25 * 0.75 / 2000) ** 0.5
    assert samples[0] == samples[1]
    assert len(set(samples[0])) == 2000


def test_where_that_cannot_be_evaluated_names_the_combination() -> None:
    def fails(values: Mapping[str, object]) -> bool:
        raise RenderError(f"`mood` is not defined among {len(values)}")

    space = build_space(product_spec(1, 1), 7, fails)
    with pytest.raises(SpecError) as caught:
        space.keeps(space.item(0))
    assert caught.value.path == "space.where"
    assert caught.value.problem == "cannot be evaluated for `a0=0`, `a1=0`: `mood` is not defined among 2"
    with pytest.raises(SpecError):
        space.count()


def test_where_that_is_no_expression() -> None:
    with pytest.raises(SpecError) as caught:
        build_space(product_spec(2, where="a0 =="), 7)
    assert caught.value.path == "space.where"


# --- specs that are not accepted -------------------------------------------------------------------------------------


def test_axes_without_values() -> None:
    assert axes_problem(genre=[]) == ("space.axes.genre", "an axis has at least one value")
    assert axes_problem(genre=Axis()) == ("space.axes.genre.values", "an axis has at least one value")
    assert axes_problem(genre=Axis(values=[])) == ("space.axes.genre.values", "an axis has at least one value")
    assert axes_problem(genre=Axis(values={})) == ("space.axes.genre.values", "an axis has at least one value")
    path, _ = axes_problem(country=["France"], city=Axis(within="country", values={"France": []}))
    assert path == "space.axes.city.values.France"


def test_a_value_that_is_listed_twice() -> None:
    path, problem = axes_problem(genre=["noir", "western", "noir"])
    assert path == "space.axes.genre"
    assert problem == "`noir` is listed twice; a weight makes a value come more often"
    assert axes_problem(number=[1, "1"])[0] == "space.axes.number"


def test_weights_and_lists_in_each_others_place() -> None:
    assert axes_problem(tone=Axis(values={"grim": ["a"]}))[0] == "space.axes.tone.values.grim"
    assert axes_problem(tone=["grim"], mood=Axis(within="tone", values={"grim": 2}))[0] == "space.axes.mood.values.grim"
    assert axes_problem(tone=["grim"], mood=Axis(within="tone", values=["a"]))[0] == "space.axes.mood.values"


def test_an_axis_within_one_that_is_not_there() -> None:
    path, problem = axes_problem(country=["France"], city=Axis(within="contry", values={"France": ["Paris"]}))
    assert path == "space.axes.city.within"
    assert problem == "there is no axis `contry`; did you mean `country`?"


def test_axes_within_each_other() -> None:
    path, problem = axes_problem(
        a=Axis(within="b", values={"y": ["x"]}), b=Axis(within="a", values={"x": ["y"]}), c=Axis(values=["z"])
    )
    assert path == "space.axes.a.within"
    assert "in a circle" in problem


def chain(length: int) -> dict[str, list[Scalar] | Axis]:
    axes: dict[str, list[Scalar] | Axis] = {"a0": ["v"]}
    for number in range(1, length):
        axes[f"a{number}"] = Axis(within=f"a{number - 1}", values={"v": ["v"]})
    return axes


def test_axes_may_lie_32_deep_within_each_other_and_no_deeper() -> None:
    assert build_space(SpaceSpec(axes=chain(33)), 0).size == 1
    assert axes_problem(**chain(34))[0] == "space.axes.a33.within"


def test_values_that_do_not_fit_those_of_the_parent() -> None:
    path, problem = axes_problem(country=["France", "Japan"], city=Axis(within="country", values={"France": ["Paris"]}))
    assert path == "space.axes.city.values"
    assert problem == "nothing for `Japan`, a value of `country`"
    path, problem = axes_problem(
        country=["France"], city=Axis(within="country", values={"France": ["a"], "Frnce": ["b"]})
    )
    assert path == "space.axes.city.values.Frnce"
    assert problem == "`country` has no value `Frnce`; did you mean `France`?"


def test_more_items_than_can_be_counted() -> None:
    with pytest.raises(SpecError, match=r"more than 10\^4000 items"):
        build_space(SpaceSpec(axes={f"a{number}": Axis(values={"v": 10**18}) for number in range(300)}), 0)


def test_a_file_must_have_been_read() -> None:
    with pytest.raises(ValueError, match="has not been read"):
        build_space(SpaceSpec(axes={"place": Axis(file="places.txt")}), 0)
