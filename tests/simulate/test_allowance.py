import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.simulate.allowance import Allowance, Bucket, duration_text
from corpusmill.simulate.options import SimulateOptions

STEPS = st.lists(st.tuples(st.floats(0, 90), st.integers(1, 400)), min_size=1, max_size=60)


def allowance(**options: object) -> Allowance:
    return Allowance(SimulateOptions(**options), 0.0)  # type: ignore[arg-type] # the tests name the fields


@pytest.mark.parametrize(
    ("limit", "used", "requested", "wait_seconds"),
    [(10_000, 8_554, 3_082, 9.816), (30_000, 14_567, 24_754, 18.642), (200_000, 162_960, 42_288, 1.5744)],
)
def test_the_wait_is_the_one_that_public_429_messages_show(
    limit: int, used: int, requested: int, wait_seconds: float
) -> None:
    bucket = Bucket("tokens", limit, 60.0, used_up=False, now=0.0)
    bucket.take(used, 0.0)
    refusal = bucket.refusal(requested, 0.0)
    assert refusal is not None
    assert (refusal.limit, refusal.used, refusal.requested) == (limit, used, requested)
    assert refusal.wait_seconds == pytest.approx(wait_seconds)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.012, "12ms"), (0.9991, "1s"), (1, "1s"), (1.574, "1.574s"), (60, "1m0s"), (360, "6m0s"),
     (252.172, "4m12.172s"), (3600, "1h0m0s"), (83_909.144, "23h18m29.144s")],
)  # fmt: skip
def test_durations_are_told_as_openai_tells_them(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_headers_tell_the_limit_what_remains_and_when_it_is_full_again() -> None:
    limits = allowance(requests_per_minute=5_000, tokens_per_minute=160_000)
    assert limits.admit(24, 0.0) is None
    assert limits.headers(0.0) == {
        "x-ratelimit-limit-requests": "5000",
        "x-ratelimit-remaining-requests": "4999",
        "x-ratelimit-reset-requests": "12ms",
        "x-ratelimit-limit-tokens": "160000",
        "x-ratelimit-remaining-tokens": "159976",
        "x-ratelimit-reset-tokens": "9ms",
    }
    assert allowance(requests_per_minute=5, rate_limit_headers=False).headers(0.0) == {}
    assert allowance().headers(0.0) == {}


@settings(deadline=None)
@given(limit=st.integers(1, 500), steps=STEPS)
def test_no_interval_admits_more_than_the_capacity_and_the_refill(limit: int, steps: list[tuple[float, int]]) -> None:
    limits = allowance(tokens_per_minute=limit)
    now, admitted = 0.0, []
    for pause, tokens in steps:
        now += pause
        if limits.admit(tokens, now) is None:
            admitted.append((now, tokens))
    for first in range(len(admitted)):
        for last in range(first, len(admitted)):
            interval = admitted[last][0] - admitted[first][0]
            assert sum(tokens for _, tokens in admitted[first : last + 1]) <= limit + interval * limit / 60 + 1e-3


@settings(deadline=None)
@given(limit=st.integers(1, 500), steps=STEPS)
def test_a_client_that_waits_as_told_is_admitted_and_not_a_millisecond_late(
    limit: int, steps: list[tuple[float, int]]
) -> None:
    limits = allowance(tokens_per_minute=limit)
    now = 0.0
    for pause, tokens in steps:
        now += pause
        refusal = limits.admit(tokens, now)
        if refusal is None:
            continue
        if refusal.wait_seconds is None:
            assert tokens > limit
            continue
        early = now + refusal.wait_seconds - 60 / limit - 0.001
        if early > now:
            assert limits.admit(tokens, early) is not None
        now += refusal.wait_seconds
        assert limits.admit(tokens, now) is None


def test_a_request_that_passes_one_limit_only_is_charged_nothing() -> None:
    limits = allowance(requests_per_minute=10, tokens_per_minute=100)
    assert limits.admit(90, 0.0) is None
    refusal = limits.admit(20, 0.0)
    assert refusal is not None
    assert refusal.kind == "tokens"
    assert limits.headers(0.0)["x-ratelimit-remaining-requests"] == "9"


def test_of_two_refusals_the_longer_one_is_told() -> None:
    limits = allowance(requests_per_minute=1, tokens_per_minute=100)
    assert limits.admit(10, 0.0) is None
    longer = limits.admit(20, 0.0)
    assert longer is not None
    assert longer.kind == "requests"
    never = limits.admit(101, 0.0)
    assert never is not None
    assert (never.kind, never.wait_seconds) == ("tokens", None)


@settings(deadline=None)
@given(reserved=st.integers(1, 1_000), used=st.integers(0, 1_000))
def test_settling_charges_what_was_used_and_reserving_what_might_have_been(reserved: int, used: int) -> None:
    settling = allowance(tokens_per_minute=1_000)
    reserving = allowance(tokens_per_minute=1_000, accounting="reserve")
    for limits in (settling, reserving):
        assert limits.admit(reserved, 0.0) is None
    assert settling.settle(reserved, used, 0.0) == used
    assert reserving.settle(reserved, used, 0.0) == reserved
    assert settling.headers(0.0)["x-ratelimit-remaining-tokens"] == str(1_000 - used)
    assert reserving.headers(0.0)["x-ratelimit-remaining-tokens"] == str(1_000 - reserved)


def test_giving_back_never_saves_up_more_than_a_full_bucket() -> None:
    limits = allowance(tokens_per_minute=600)
    assert limits.admit(500, 0.0) is None
    limits.settle(500, 0, 59.0)
    assert limits.headers(59.0)["x-ratelimit-remaining-tokens"] == "600"
    assert limits.admit(600, 59.0) is None
    assert limits.admit(1, 59.0) is not None


def test_a_used_up_allowance_begins_empty() -> None:
    limits = allowance(requests_per_minute=60, used_up=True)
    refusal = limits.admit(1, 0.0)
    assert refusal is not None
    assert refusal.wait_seconds == pytest.approx(1.0)
    assert limits.admit(1, 1.0) is None


@pytest.mark.parametrize(("rpm", "seconds", "burst"), [(3_000, 1.0, 50), (600, 10.0, 100), (30, 1.0, 1), (7, 60.0, 7)])
def test_a_short_burst_window_shrinks_what_can_be_saved_up_and_not_the_rate(
    rpm: int, seconds: float, burst: int
) -> None:
    limits = allowance(requests_per_minute=rpm, burst_seconds=seconds)
    assert sum(limits.admit(1, 0.0) is None for _ in range(rpm + 1)) == burst
    admitted = sum(limits.admit(1, tick / 100) is None for tick in range(1, 6_001))
    assert rpm - 1 <= admitted <= rpm + 1
