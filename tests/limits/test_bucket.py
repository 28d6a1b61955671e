"""One bucket: its rate, its burst, its debt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.limits.bucket import Bucket
from corpusmill.limits.charge import Kind


def make(limit: float, burst_seconds: float = 0.25) -> Bucket:
    bucket = Bucket(Kind.TOKENS, limit, 60.0, now=0.0)
    bucket.shape(0.0, 1.0, burst_seconds)
    return bucket


@given(st.lists(st.floats(0, 5000), min_size=2, max_size=100), st.sampled_from([600.0, 60_000.0]))
def test_charges_taken_as_early_as_allowed_keep_the_rate_in_every_interval(amounts: list[float], limit: float) -> None:
    bucket, now = make(limit), 0.0
    times = []
    for amount in amounts:
        now = max(now, bucket.ready_at(amount))
        bucket.charge(amount, now)
        times.append(now)
    burst = max(bucket.capacity, max(amounts) + bucket.slack)
    for first in range(len(times)):
        for last in range(first, len(times)):
            passed = sum(amounts[first : last + 1])
            assert passed <= burst + bucket.rate * (times[last] - times[first]) + 1e-6 * burst


def test_a_charge_larger_than_the_burst_passes_as_debt_and_the_next_one_waits_for_it() -> None:
    bucket = make(6000)
    assert bucket.capacity == 25
    assert bucket.ready_at(1000) <= 0
    bucket.charge(1000, 0.0)
    assert bucket.ready_at(1) == pytest.approx((1000 - 24) / 100)


def test_a_refund_gives_back_no_more_than_there_was() -> None:
    bucket = make(6000)
    bucket.charge(10, 0.0)
    bucket.charge(-500, 0.0)
    assert bucket.level == 0


def test_a_drained_bucket_goes_on_at_the_rate_from_the_moment_it_is_drained_for() -> None:
    bucket = make(6000)
    bucket.drain(30.0)
    assert bucket.ready_at(1) == pytest.approx(30.01)


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="never let anything pass"):
        make(0)
