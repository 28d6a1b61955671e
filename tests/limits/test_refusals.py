"""What a gate does about each kind of refusal, and how it tells what it waits for."""

import random

import pytest

from corpusmill.limits.charge import Charge, Limits
from corpusmill.limits.claim import Answered, Claim, Failed, Headers, Lost, Refusal, RefusalKind, Refused
from corpusmill.limits.gate import Gate
from corpusmill.limits.statistics import look_at

CHARGE = Charge(100, 100, 500)


def make(**limits: float) -> Gate[Claim]:
    """Return a gate that its first request has opened."""
    gate: Gate[Claim] = Gate(Limits(**limits), random.Random(0), 0.0)  # type: ignore[arg-type] # figures only
    gate.settle(send(gate, 0.0), Answered(), 1.0)
    return gate


def send(gate: Gate[Claim], now: float) -> Claim:
    claim = Claim("job", CHARGE)
    assert gate.request(claim, now)
    return claim


def refuse(gate: Gate[Claim], kind: RefusalKind, now: float, seconds: float | None = None) -> None:
    gate.settle(send(gate, now), Refused(Refusal(kind, seconds)), now + 0.02)


def rate(gate: Gate[Claim], now: float) -> float:
    """Return what the gate lets pass in a minute."""
    gate.grants(now)
    return look_at(gate, now).buckets[0].rate_per_minute


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [(RefusalKind.RATE, 1.0), (RefusalKind.SLOW_DOWN, 5.0), (RefusalKind.QUOTA, 60.0)],
)
def test_a_refusal_without_a_wait_pauses_for_what_its_kind_needs(kind: RefusalKind, seconds: float) -> None:
    gate = make(requests_per_minute=600)
    refuse(gate, kind, 10.0)
    assert look_at(gate, 10.02).paused_seconds == pytest.approx(seconds)
    assert look_at(gate, 10.02).paused_by == kind.value


def test_slow_down_halves_the_rate_and_half_as_much_again_comes_back_every_quarter_of_an_hour() -> None:
    gate = make(requests_per_minute=600)
    refuse(gate, RefusalKind.SLOW_DOWN, 10.0)
    assert rate(gate, 20.0) == pytest.approx(600 * 0.995 / 2, rel=0.01)
    assert rate(gate, 10.0 + 900) == pytest.approx(600 * 0.995 * 0.75, rel=0.01)
    assert rate(gate, 10.0 + 1800) == pytest.approx(600 * 0.995, rel=0.01)


def test_a_daily_limit_pauses_until_its_reset_is_visible_and_leaves_the_rate_alone() -> None:
    gate = make(requests_per_minute=600)
    refuse(gate, RefusalKind.RATE, 10.0, seconds=20_000.0)
    waiting = Claim("job", CHARGE)
    assert not gate.request(waiting, 11.0)
    seen = look_at(gate, 11.0)
    assert (seen.paused_by, seen.held_by) == ("daily limit", "daily limit")
    assert seen.paused_seconds == pytest.approx(20_000 - 0.98)
    assert gate.next_wake(11.0) == pytest.approx(20_010.02)
    assert rate(gate, 20_010.1) == pytest.approx(600 * 0.995)


def test_a_wait_no_server_can_mean_is_cut_to_two_days() -> None:
    gate = make(requests_per_minute=600)
    refuse(gate, RefusalKind.RATE, 10.0, seconds=1e12)
    assert look_at(gate, 10.02).paused_seconds <= 2 * 86400


def test_a_refusal_is_refunded() -> None:
    gate = make(requests_per_minute=600, tokens_per_minute=60_000)
    before = look_at(gate, 5.0).charged_total
    refuse(gate, RefusalKind.RATE, 10.0)
    assert look_at(gate, 10.1).charged_total == before


def day_headers(left: int) -> Headers:
    return {
        "x-ratelimit-limit-requests": "1000",
        "x-ratelimit-remaining-requests": str(left),
        "x-ratelimit-reset-requests": f"{(1000 - left) * 86.4}s",
    }


def test_a_daily_limit_in_the_headers_is_recognised_counted_and_not_spread_over_the_day() -> None:
    gate = make(tokens_per_minute=6_000_000)
    now = 2.0
    for left in range(960, 900, -1):
        gate.settle(send(gate, now), Answered(100, 100, day_headers(left)), now + 0.1)
        now += 0.2
    seen = {row.name: row for row in look_at(gate, now).buckets}
    assert seen["requests_per_day"].limit == 1000
    assert seen["requests_per_day"].remaining == pytest.approx(900, abs=3)
    gate.settle(send(gate, now), Answered(100, 100, day_headers(0)), now + 0.1)
    waiting = Claim("job", CHARGE)
    assert not gate.request(waiting, now + 0.2)
    assert look_at(gate, now + 0.2).held_by == "requests_per_day"


def test_a_raised_limit_in_the_headers_is_adopted_at_once_where_none_is_configured() -> None:
    gate, now = make(), 2.0
    for number in range(60):
        limit = 3000 if number < 40 else 6000
        used = 300 + number
        headers = {
            "x-ratelimit-limit-requests": str(limit),
            "x-ratelimit-remaining-requests": str(limit - used),
            "x-ratelimit-reset-requests": f"{used * 60 / limit}s",
        }
        gate.settle(send(gate, now), Answered(100, 100, headers), now + 0.05)
        now += 0.1
        if number in (39, 59):
            assert [row.limit for row in look_at(gate, now).buckets] == [limit]


def test_what_the_head_waits_for_is_told() -> None:
    gate = make(concurrency=1)
    flying = send(gate, 2.0)
    assert not gate.request(Claim("job", CHARGE), 2.0)
    assert look_at(gate, 3.0).held_by == "width"
    gate.settle(flying, Lost(), 3.0)
    assert look_at(gate, 3.0).held_by is None

    gate = make(tokens_per_minute=600)
    send(gate, 30.0)
    assert not gate.request(Claim("job", CHARGE), 30.0)
    assert look_at(gate, 30.0).held_by == "tokens_per_minute"

    gate = make(concurrency=100)
    for claim in [send(gate, 2.0) for _ in range(10)]:
        gate.settle(claim, Failed(), 2.1)
    assert look_at(gate, 2.1).breaker == "open"
    assert not gate.request(Claim("job", CHARGE), 2.1)
    assert look_at(gate, 2.1).held_by == "breaker"


def test_a_fresh_gate_with_limits_waits_for_its_first_request_two_seconds_at_most() -> None:
    gate: Gate[Claim] = Gate(Limits(requests_per_minute=600), random.Random(0), 0.0)
    send(gate, 0.0)
    assert not gate.request(Claim("job", CHARGE), 0.1)
    assert look_at(gate, 0.1).held_by == "opening"
    assert gate.next_wake(0.1) == 2.0
    assert not gate.grants(1.9)
    assert not gate.grants(2.0), "it opens without a burst"
    assert len(gate.grants(2.0 + 60 / 597 + 1e-6)) == 1


def test_a_first_request_that_is_never_sent_leaves_its_place_to_the_next() -> None:
    gate: Gate[Claim] = Gate(Limits(requests_per_minute=600), random.Random(0), 0.0)
    gate.withdraw(send(gate, 0.0), 0.0)
    send(gate, 0.1)


def test_a_probe_that_is_never_sent_leaves_its_place_to_the_next() -> None:
    gate = make(concurrency=100)
    for claim in [send(gate, 2.0) for _ in range(10)]:
        gate.settle(claim, Failed(), 2.1)
    gate.withdraw(send(gate, 10.0), 10.0)
    send(gate, 10.1)
    assert look_at(gate, 10.1).breaker == "probing"


def test_a_limit_learnt_later_is_not_given_back_what_it_was_never_charged() -> None:
    gate = make(tokens_per_day=100_000)
    early = [send(gate, 2.0) for _ in range(20)]
    gate.rerate(Limits(tokens_per_day=100_000, tokens_per_minute=60_000), 3.0)
    late = send(gate, 10.0)
    left = {row.name: row.remaining for row in look_at(gate, 10.0).buckets}
    for claim in early:
        gate.settle(claim, Answered(1, 1), 10.0)
    seen = {row.name: row.remaining for row in look_at(gate, 10.0).buckets}
    assert seen["tokens_per_minute"] == left["tokens_per_minute"]
    assert seen["tokens_per_day"] == pytest.approx(left["tokens_per_day"] + 20 * 198, abs=1)
    gate.settle(late, Answered(1, 1), 10.0)
    assert look_at(gate, 10.0).buckets[1].remaining == pytest.approx(left["tokens_per_minute"] + 198, abs=1)


def test_a_whole_flight_refused_for_lack_of_capacity_narrows_the_width_once() -> None:
    gate = make(concurrency=100)
    for claim in [send(gate, 2.0) for _ in range(40)]:
        gate.settle(claim, Refused(Refusal(RefusalKind.CAPACITY)), 2.1)
    seen = look_at(gate, 2.1)
    assert 0.7 * 40 <= seen.width <= 0.75 * 40
    assert (seen.paused_by, seen.breaker) == ("capacity", "closed")
    assert look_at(gate, 2.1 + 200).width == 100, "it comes back"


def test_single_refusals_for_lack_of_capacity_among_many_requests_change_nothing() -> None:
    gate, now = make(concurrency=500), 2.0
    for number in range(300):
        now += 0.02
        claim = send(gate, now)
        if number % 10 == 0:
            gate.settle(claim, Refused(Refusal(RefusalKind.CAPACITY)), now + 0.01)
    seen = look_at(gate, now)
    assert (seen.width, seen.paused_by, seen.breaker) == (500, None, "closed")
    refuse(gate, RefusalKind.CAPACITY, now, seconds=3.0)
    assert look_at(gate, now + 0.02).paused_seconds == pytest.approx(3.0), "what the server asks for is done"


@pytest.mark.parametrize("seconds", [-1.0, -1e18, float("nan")])
def test_a_wait_that_makes_no_sense_pauses_nobody(seconds: float) -> None:
    gate = make(requests_per_minute=600)
    refuse(gate, RefusalKind.RATE, 10.0, seconds=seconds)
    assert look_at(gate, 10.02).paused_seconds == 0


@pytest.mark.parametrize("seconds", [1e18, float("inf")])
def test_no_wait_is_longer_than_two_days(seconds: float) -> None:
    gate = make(requests_per_minute=600)
    refuse(gate, RefusalKind.RATE, 10.0, seconds=seconds)
    assert look_at(gate, 10.02).paused_seconds == pytest.approx(2 * 86400)


@pytest.mark.parametrize("tokens", [1e8, 1e15, 1e300])
def test_a_usage_figure_gone_wrong_holds_for_a_minute_at_most(tokens: float) -> None:
    gate = make(tokens_per_minute=60_000)
    gate.settle(send(gate, 10.0), Answered(tokens, tokens), 11.0)
    assert not gate.request(Claim("job", CHARGE), 12.0)
    assert gate.grants(12.0) == []
    assert len(gate.grants(12.0 + 61)) == 1


@pytest.mark.parametrize("limit", [0.0, -5.0, float("nan"), float("inf")])
def test_a_limit_that_is_no_rate_is_refused_and_the_old_one_holds(limit: float) -> None:
    gate = make(requests_per_minute=600)
    with pytest.raises(ValueError, match="a limit of"):
        gate.rerate(Limits(requests_per_minute=limit), 10.0)
    assert rate(gate, 20.0) == pytest.approx(600 * 0.995)
    send(gate, 20.0)
