"""A kept spec is the spec again, and a changed one is told from it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.spec.freeze import changed_paths, spec_to_json
from corpusmill.spec.load import parse_spec
from corpusmill.spec.schema import JobSpec
from tests.spec.documents import DELETE, DOCUMENT, spec

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = TEXTS | NUMBERS | st.booleans()
LISTS = st.lists(SCALARS, max_size=4)
JSON = st.recursive(
    SCALARS | st.none(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)
AXES = LISTS | st.fixed_dictionaries(
    {},
    optional={
        "values": LISTS | st.dictionaries(TEXTS, st.integers(1, 9) | LISTS, max_size=3),
        "file": TEXTS.filter(bool),
        "within": NAMES,
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {
        "name": st.just("job"),
        "space": st.fixed_dictionaries(
            {"axes": st.dictionaries(NAMES, AXES, min_size=1, max_size=3)},
            optional={"where": TEXTS.filter(bool), "draws": st.integers(1, 9), "limit": st.none() | st.integers(1, 9)},
        ),
        "steps": st.lists(
            st.fixed_dictionaries(
                {"name": NAMES, "prompt": TEXTS.filter(bool)},
                optional={"system": TEXTS, "parameters": st.dictionaries(TEXTS, JSON, max_size=3)},
            ),
            min_size=1,
            max_size=2,
        ),
        "examples": st.lists(st.fixed_dictionaries({"name": NAMES, "prompt": TEXTS}), min_size=1, max_size=2),
    },
    optional={
        "seed": st.integers(-(2**63), 2**63 - 1),
        "limits": st.just({}),
        "budget": st.fixed_dictionaries({}, optional={"usd": st.floats(0.01, 1e9), "calls": st.none()}),
        "shards": st.just({"records": 50_000}),
        "filters": st.lists(
            st.fixed_dictionaries({"of": NAMES}, optional={"min_chars": st.integers(0, 9)}), max_size=2
        ),
    },
)


def read(document: dict[str, Any]) -> JobSpec:
    return parse_spec(msgspec.json.encode(document), "json")


@given(DOCUMENTS)
def test_a_kept_spec_is_the_spec_again(document: dict[str, Any]) -> None:
    original = read(document)
    kept = spec_to_json(original)
    again = parse_spec(kept, "json")
    assert again == original
    assert list(again.space.axes) == list(original.space.axes)
    assert changed_paths(original, again) == []
    assert spec_to_json(again) == kept


@given(DOCUMENTS, DOCUMENTS)
def test_specs_are_kept_alike_exactly_if_nothing_differs(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = read(one), read(other)
    assert (spec_to_json(first) == spec_to_json(second)) == (changed_paths(first, second) == [])
    assert bool(changed_paths(first, second)) == bool(changed_paths(second, first))


def test_defaults_and_the_order_of_parameters_make_no_difference() -> None:
    plain = spec({"steps.0.parameters": {"a": 1, "b": {"c": 1, "d": 2}}})
    told = spec(
        {"steps.0.parameters": {"b": {"d": 2, "c": 1}, "a": 1}, "seed": 0, "limits": {}, "budget": {"usd": None},
         "shards": {"compress": "none"}, "filters.0.no_refusal": False, "dedup": None, "space.order": "balanced"}
    )  # fmt: skip
    assert spec_to_json(plain) == spec_to_json(told)
    assert b"seed" not in spec_to_json(told)


def test_axes_and_values_stay_in_their_order() -> None:
    weights = spec({"space.axes": {"z": {"values": {"y": 1, "b": 2}}, "a": [2, 1]}, "steps.0.prompt": "x"})
    kept = msgspec.json.decode(spec_to_json(weights))
    assert list(kept["space"]["axes"]) == ["z", "a"]
    assert list(kept["space"]["axes"]["z"]["values"]) == ["y", "b"]


CHANGES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"seed": 3, "name": "other"}, ["name", "seed"]),
    ({"steps.1.prompt": "Other."}, ["steps[1].prompt"]),
    ({"steps.1.parameters": {"temperature": 1.0}}, ["steps[1].parameters"]),
    ({"steps.2": {"name": "x", "prompt": "y"}}, ["steps[2]"]),
    ({"space.axes.genre": ["horror", "western"]}, ["space.axes.genre"]),
    ({"space.axes.genre.0": "weird western"}, ["space.axes.genre"]),
    ({"space.axes": dict(reversed(DOCUMENT["space"]["axes"].items()))}, ["space.axes"]),
    ({"space.axes.tone": ["grim"], "space.axes.place": DELETE}, ["space.axes.place", "space.axes.tone"]),
    ({"space.limit": 5}, ["space.limit"]),
    ({"filters": DELETE, "dedup": {"of": "plot"}}, ["filters", "dedup"]),
    ({f"space.axes.a{number}": ["x"] for number in range(20)}, [f"space.axes.a{number}" for number in range(10)]),
]


@pytest.mark.parametrize(("changes", "paths"), CHANGES, ids=str)
def test_a_change_is_told_with_its_path(changes: dict[str, Any], paths: list[str]) -> None:
    assert changed_paths(spec(), spec(changes)) == paths


def test_values_that_print_otherwise_are_a_change() -> None:
    one, real, true = (spec({"space.axes.genre": [value]}) for value in (1, 1.0, True))
    assert changed_paths(one, real) == changed_paths(real, true) == changed_paths(one, true) == ["space.axes.genre"]
