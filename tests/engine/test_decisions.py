"""The engine's pure parts: what comes next, what may be spent, what is tried again."""

import random
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from corpusmill.endpoint.failures import Failure, FailureKind
from corpusmill.engine.budget import Budget, Price, Room
from corpusmill.engine.retry import TRIES, Tries
from corpusmill.engine.schedule import Idle, Schedule
from corpusmill.journal.done import DoneSet


def drained(schedule: Schedule, kept: random.Random | None = None) -> list[int]:
    """Take items one at a time until none is left, deciding each at once."""
    taken = []
    while (found := schedule.next()) is not Idle.OVER:
        assert not isinstance(found, Idle) or found is Idle.LOOK_AGAIN
        if isinstance(found, int):
            taken.append(found)
            schedule.decided(kept=kept is None or kept.random() < 0.5)
    return taken


@given(st.sets(st.integers(0, 99)), st.none() | st.integers(1, 120), st.integers(1, 7))
def test_every_position_comes_once_but_what_is_done_excluded_or_beyond_the_limit(
    finished: set[int], limit: int | None, modulus: int
) -> None:
    done = DoneSet()
    for index in finished:
        done.add(index)
    schedule = Schedule(100, done, keeps=lambda index: index % modulus == 0, limit=limit)
    passing = [index for index in range(100) if index in finished or index % modulus == 0][:limit]
    assert drained(schedule) == [index for index in passing if index not in finished]


@given(st.integers(0, 60), st.integers(1, 100), st.integers(1, 5), st.randoms(use_true_random=False))
def test_a_run_begins_where_the_last_one_had_nothing_left_to_do_and_misses_nothing(
    handed_out: int, limit: int, modulus: int, chance: random.Random
) -> None:
    done, looked_at = DoneSet(), list[int]()

    def keeps(index: int) -> bool:
        looked_at.append(index)
        return index % modulus == 0

    first = Schedule(100, done, keeps=keeps, limit=limit)
    taken = [index for index in (first.next() for _ in range(handed_out)) if isinstance(index, int)]
    done.update(index for index in taken if chance.random() < 0.9)
    horizon = first.horizon
    assert horizon >= next((index for index in taken if index not in done), len(taken))
    expected = drained(Schedule(100, done, keeps=keeps, limit=limit))
    looked_at.clear()
    assert drained(Schedule(100, done, horizon=horizon, keeps=keeps, limit=limit)) == expected
    assert not [index for index in looked_at if index < horizon]


def test_the_horizon_does_not_wait_in_memory_for_an_item_that_takes_long() -> None:
    done = DoneSet()
    schedule = Schedule(10**6, done)
    first = schedule.next()
    tracemalloc.start()
    for _ in range(300_000):
        index = schedule.next()
        assert isinstance(index, int)
        done.add(index)
        if index % 1000 == 0:
            assert schedule.horizon == first == 0
    held_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held_bytes < 3_000_000
    done.add(0)
    assert schedule.horizon == 300_001


@given(st.integers(1, 60), st.randoms(use_true_random=False))
def test_a_target_is_never_overshot_when_items_come_one_at_a_time(target: int, chance: random.Random) -> None:
    schedule = Schedule(1000, DoneSet(), target=target)
    drained(schedule, chance)
    assert schedule.kept == target


def test_near_a_target_no_more_items_are_out_than_are_likely_needed() -> None:
    schedule = Schedule(10_000, DoneSet(), target=10)
    out = 0
    while schedule.next() is not Idle.WAIT:
        out += 1
    assert out == 10


@given(st.lists(st.integers(0, 300_000), max_size=50))
def test_the_done_set_is_a_set(indexes: list[int]) -> None:
    done, model = DoneSet(), set[int]()
    for index in [*indexes, *range(131_072, 131_072 + 65_536, 7919)]:
        assert done.add(index) == (index not in model)
        model.add(index)
    assert len(done) == len(model)
    assert all((index in done) == (index in model) for index in [*indexes, 0, 5, 65_535, 65_536, 10**9])


@given(st.lists(st.lists(st.integers(0, 300_000), max_size=50), max_size=4), st.booleans())
def test_marking_many_as_done_is_marking_each(several: list[list[int]], is_filled: bool) -> None:
    done, model = DoneSet(), set[int]()
    for indexes in [[70_000], *several, list(range(131_072, 196_608)) if is_filled else [], [131_072], *several]:
        done.update(indexes)
        model.update(indexes)
        assert len(done) == len(model)
    probed = {near for index in model if index % 97 == 0 or len(model) < 999 for near in (index - 1, index, index + 1)}
    assert all((index in done) == (index in model) for index in probed - {-1})
    assert done.add(131_073) == (131_073 not in model)
    assert list(done) == sorted(model | {131_073})
    for index in (0, 70_000, 70_001, 131_072, 131_074, 196_608, 10**6):
        assert done.count_below(index) == sum(1 for each in model | {131_073} if each < index)


def test_a_full_page_of_the_done_set_takes_no_memory() -> None:
    done = DoneSet()
    for index in range(65_536):
        done.add(index)
    assert 65_535 in done
    assert 65_536 not in done
    assert len(done) == 65_536


@given(
    st.integers(1, 50),
    st.integers(1, 10_000),
    st.lists(st.tuples(st.integers(1, 500), st.integers(0, 100)), max_size=100),
)
def test_what_is_spent_never_exceeds_the_budget(calls: int, dollars: int, wishes: list[tuple[int, int]]) -> None:
    budget, out = Budget(calls, dollars, Price(0, 0)), []
    for worst, share in wishes:
        price = Price(1, worst)
        room = budget.reserve(price)
        if room is Room.YES:
            out.append((price, Price(1, worst * share // 100)))
        elif out:
            budget.settle(*out.pop(0))
        assert budget.spent.calls + len(out) <= calls
        assert budget.spent.picodollars + sum(price.picodollars for price, _ in out) <= dollars
        if room is Room.NEVER:
            assert budget.spent.calls + 1 > calls or budget.spent.picodollars + worst > dollars


def test_an_outage_never_uses_up_an_item() -> None:
    tries, chance = Tries(), random.Random(1)
    for _ in range(1000):
        assert tries.delay_seconds(Failure(FailureKind.CONNECT, "down"), "a", 7, chance) is not None


def test_what_fails_while_others_are_served_is_given_up() -> None:
    tries, chance = Tries(), random.Random(1)
    delays = [tries.delay_seconds(Failure(FailureKind.SERVER_ERROR, "500"), "a", n, chance) for n in range(TRIES + 1)]
    assert None not in delays[:-1]
    assert delays[-1] is None


def test_a_spec_may_ask_for_fewer_tries() -> None:
    tries, chance = Tries(3), random.Random(1)
    delays = [tries.delay_seconds(Failure(FailureKind.EMPTY_CHOICE, "x"), "a", 0, chance) for _ in range(3)]
    assert None not in delays[:-1]
    assert delays[-1] is None


def test_another_endpoint_that_serves_others_says_nothing_about_one_that_is_down() -> None:
    tries, chance = Tries(), random.Random(1)
    for n in range(1000):
        assert tries.delay_seconds(Failure(FailureKind.CONNECT, "down"), "dead", 0, chance) is not None
        if n % 200 == 0:
            tries.delay_seconds(Failure(FailureKind.RESET, "x"), "alive", n, chance)


def test_useless_answers_always_count_and_rate_limits_never() -> None:
    chance = random.Random(1)
    useless = Tries()
    assert [useless.delay_seconds(Failure(FailureKind.MALFORMED, "x"), "a", 0, chance) for _ in range(TRIES)][
        -1
    ] is None
    paced = Tries()
    delays = [paced.delay_seconds(Failure(FailureKind.RATE_LIMITED, "x"), "a", n, chance) for n in range(100)]
    assert delays == [0.0] * 100


@given(st.integers(0, 60))
def test_delays_are_bounded(times: int) -> None:
    tries, chance = Tries(), random.Random(times)
    delays = [tries.delay_seconds(Failure(FailureKind.RESET, "x"), "a", 0, chance) for _ in range(times)]
    assert all(delay is not None and 0 <= delay <= 60 for delay in delays)
