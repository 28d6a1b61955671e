"""Which endpoint of several gets a request, and when a straggler's request is sent twice."""

from collections import Counter

import msgspec
import pytest

from corpusmill.limits.hedge import HedgePolicy, Straggler, is_worth_a_hedge
from corpusmill.limits.pool import Load, least_outstanding

LATE = Straggler(
    out_seconds=50.0, is_hedged=False, items_left=5, items=1000, hedges_sent=0, requests_sent=1000, queue_depth=0
)


def test_the_least_busy_member_is_used_and_equal_ones_take_turns() -> None:
    assert least_outstanding([Load(5), Load(3), Load(4)], start=0) == 1
    turns = Counter(least_outstanding([Load(2), Load(2), Load(2)], start) for start in range(30))
    assert turns == {0: 10, 1: 10, 2: 10}


def test_a_member_twice_as_large_gets_twice_as_much() -> None:
    outstanding = [0, 0]
    for number in range(300):
        loads = [Load(outstanding[0], weight=2.0), Load(outstanding[1], weight=1.0)]
        outstanding[least_outstanding(loads, number)] += 1
    assert outstanding == [200, 100]


def test_a_paused_member_comes_after_all_others() -> None:
    assert least_outstanding([Load(0, held_seconds=30.0), Load(500)], start=0) == 1
    assert least_outstanding([Load(0, held_seconds=30.0), Load(9, held_seconds=2.0)], start=0) == 1


def test_a_pool_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        least_outstanding([], start=0)


def test_hedging_is_off_unless_asked_for() -> None:
    assert not is_worth_a_hedge(HedgePolicy(), LATE, p99_seconds=20.0)
    assert is_worth_a_hedge(HedgePolicy(is_on=True), LATE, p99_seconds=20.0)


@pytest.mark.parametrize(
    "change",
    [
        {"out_seconds": 10.0},
        {"is_hedged": True},
        {"items_left": 500},
        {"hedges_sent": 10},
        {"queue_depth": 1},
    ],
)
def test_each_condition_alone_keeps_a_hedge_back(change: dict[str, float]) -> None:
    straggler = msgspec.structs.replace(LATE, **change)
    assert not is_worth_a_hedge(HedgePolicy(is_on=True), straggler, p99_seconds=20.0)
    assert not is_worth_a_hedge(HedgePolicy(is_on=True), LATE, p99_seconds=None)
