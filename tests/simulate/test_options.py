import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.simulate import OptionError, SimulateOptions
from corpusmill.simulate.visits import Visits


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("models", ()),
        ("models", ("a", " ")),
        ("api_key", ""),
        ("text_chars", 10),
        ("requests_per_minute", 0),
        ("tokens_per_minute", -5),
        ("accounting", "guess"),
        ("default_max_tokens", 0),
        ("burst_seconds", 61.0),
        ("latency_seconds", -1.0),
        ("latency_seconds", float("nan")),
        ("latency_spread", 9.0),
        ("hang_seconds", float("inf")),
        ("faults", {"zebra": 0.5}),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(OptionError) as caught:
        SimulateOptions(**{field: value})  # type: ignore[arg-type] # wrong on purpose
    assert caught.value.option == field
    assert "\n" not in str(caught.value)


def test_the_key_never_shows() -> None:
    shown = repr(SimulateOptions(api_key="sk-very-secret", seed=9))
    assert "sk-very-secret" not in shown
    assert "seed=9" in shown


@settings(deadline=None)
@given(keys=st.lists(st.integers(0, 30), max_size=200), capacity=st.integers(2, 40))
def test_visits_are_counted_within_the_bound_and_recent_ones_never_forgotten(keys: list[int], capacity: int) -> None:
    visits = Visits(capacity)
    for place, key in enumerate(keys):
        recent = keys[:place][::-1]
        if key in recent and len(set(recent[: recent.index(key)])) < capacity // 2:
            assert visits.of(key) >= 1
        before = visits.of(key)
        assert before <= recent.count(key)
        visits.record(key)
        assert visits.of(key) == before + 1
        assert len(visits._young) + len(visits._old) <= capacity
