from collections import Counter

import pytest

from corpusmill.simulate.chance import prompt_key
from corpusmill.simulate.faults import (
    ACCOUNT_FAULTS,
    TEXT_FAULTS,
    TRANSPORT_FAULTS,
    Fault,
    FaultPlan,
    parse_faults,
    problem_of_rates,
)

KEYS = [prompt_key(3, f"prompt {number}") for number in range(20_000)]


def test_every_fault_is_of_exactly_one_class() -> None:
    assert Counter(TEXT_FAULTS + TRANSPORT_FAULTS + ACCOUNT_FAULTS) == Counter(Fault)


def test_entries_are_read_in_order_and_later_ones_override() -> None:
    assert parse_faults(["http_500=0.05, hang = 0.01", "hang=0.5"]) == {"http_500": 0.05, "hang": 0.5}
    assert parse_faults([]) == {}


def test_all_means_every_fault_but_those_of_the_account() -> None:
    rates = parse_faults(["all=0.05,reset=0"])
    assert set(rates) == {*TRANSPORT_FAULTS, *TEXT_FAULTS}
    assert rates["reset"] == 0
    assert rates["refusal"] == 0.05


@pytest.mark.parametrize("entry", ["http_500", "http_500=", "http_500=often", "=0.5x", ""])
def test_an_entry_of_another_form_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="NAME=RATE"):
        parse_faults([entry])


@pytest.mark.parametrize(
    ("rates", "problem"),
    [
        ({"refusals": 0.1}, "did you mean refusal?"),
        ({"zebra": 0.1}, "known: rate_limit"),
        ({"hang": 1.5}, "between 0 and 1"),
        ({"hang": -0.1}, "between 0 and 1"),
        ({"hang": float("nan")}, "between 0 and 1"),
        ({"hang": 0.6, "reset": 0.5}, "more than 1"),
    ],
)
def test_rates_that_make_no_sense_are_named(rates: dict[str, float], problem: str) -> None:
    assert problem in (problem_of_rates(rates) or "")


def test_rates_that_fill_the_whole_are_accepted() -> None:
    assert problem_of_rates(dict.fromkeys(map(str, Fault), 1 / len(Fault))) is None


def test_faults_come_as_often_as_asked_for() -> None:
    rates = {"http_500": 0.05, "hang": 0.01, "refusal": 0.04, "length": 0.02}
    plan = FaultPlan(rates)
    seen = Counter(plan.fault(key, 0) for key in KEYS)
    through = 1 - rates["http_500"] - rates["hang"]
    for name, rate in rates.items():
        expected = len(KEYS) * rate * (through if name in TEXT_FAULTS else 1)
        assert abs(seen[Fault(name)] - expected) < 4 * expected**0.5
    assert set(seen) == {None, *map(Fault, rates)}


def test_a_fault_of_the_transport_passes_and_a_fault_of_the_text_stays() -> None:
    transport = FaultPlan({"reset": 0.5})
    text = FaultPlan({"refusal": 0.5})
    for key in KEYS[:100]:
        assert {transport.fault(key, visit) for visit in range(40)} == {None, Fault.RESET}
        assert len({text.fault(key, visit) for visit in range(40)}) == 1


def test_the_same_visit_always_meets_the_same_fault() -> None:
    rates = parse_faults(["all=0.05"])
    first, second = FaultPlan(rates), FaultPlan(rates)
    assert [first.fault(key, 3) for key in KEYS[:500]] == [second.fault(key, 3) for key in KEYS[:500]]


def test_a_rate_of_zero_never_happens_and_a_rate_of_one_always() -> None:
    never, always = FaultPlan({"hang": 0.0}), FaultPlan({"hang": 1.0})
    assert {never.fault(key, 0) for key in KEYS} == {None}
    assert {always.fault(key, 0) for key in KEYS} == {Fault.HANG}
