"""What refusals do to the rate, and how it comes back."""

import pytest

from corpusmill.limits.restraint import Restraint, SlowRamp, static_share


def refuse(restraint: Restraint, now: float) -> bool:
    return restraint.refused(now, sent_at=now - 0.01, is_steered=False)


def test_a_quarter_second_of_burst_leaves_995_in_a_thousand() -> None:
    assert static_share(0.25, 60.0) == pytest.approx(0.995)


def test_burst_is_suspected_first_and_the_rate_after() -> None:
    restraint = Restraint(0.0)
    seen = []
    for second in range(1, 6):
        refuse(restraint, second * 0.1)
        seen.append((round(restraint.burst_seconds, 3), restraint.share))
    assert [burst for burst, _ in seen] == [0.083, 0.028, 0.02, 0.02, 0.02]
    assert seen[0][1] == pytest.approx(0.98)
    assert seen[4][1] / seen[3][1] == pytest.approx(0.93, abs=0.002)


def test_a_whole_flight_of_refusals_counts_once() -> None:
    restraint = Restraint(0.0)
    assert restraint.refused(10.0, sent_at=9.0, is_steered=False)
    for _ in range(100):
        assert not restraint.refused(10.1, sent_at=9.5, is_steered=False)
    assert restraint.share == pytest.approx(0.98, abs=0.001)
    assert restraint.refused(11.0, sent_at=10.5, is_steered=False)


def test_the_rate_comes_back_fast_to_just_below_where_it_failed_and_then_slowly() -> None:
    restraint = Restraint(0.0)
    for tenth in range(1, 12):
        refuse(restraint, tenth * 0.1)
    low = restraint.share
    failed = low / 0.93
    restraint.relax(1.1 + 60)
    assert restraint.share == pytest.approx(failed * 0.98, abs=0.04)
    before = restraint.share
    restraint.relax(1.1 + 160)
    assert restraint.share - before == pytest.approx(100 * 0.0005 * failed, rel=0.1)
    restraint.relax(20_000)
    assert restraint.share == 1.0


def test_where_headers_steer_only_the_third_refusal_in_half_a_minute_counts() -> None:
    restraint = Restraint(0.0)
    for second in (1, 2):
        restraint.refused(second, sent_at=second - 0.1, is_steered=True)
    assert restraint.share == 1.0
    restraint.refused(3.0, sent_at=2.9, is_steered=True)
    assert restraint.share == pytest.approx(0.98)


def test_the_rate_goes_to_just_below_what_was_accepted_and_by_less_than_a_third_at_once() -> None:
    restraint = Restraint(0.0)
    for tenth in (1, 2, 3):
        refuse(restraint, tenth * 0.1)
    shares = [restraint.share]
    for tenth in (4, 5, 6):
        restraint.refused(tenth * 0.1, sent_at=tenth * 0.1 - 0.01, is_steered=False, delivered=0.5)
        shares.append(restraint.share)
    assert shares[1] / shares[0] == pytest.approx(0.7, abs=0.01)
    assert shares[2] == pytest.approx(0.475, abs=0.01)
    assert shares[3] == pytest.approx(0.475, abs=0.01)


def test_weeks_after_the_last_slow_down_the_whole_rate_is_used() -> None:
    ramp = SlowRamp()
    for second in range(8):
        ramp.refused(second + 0.5, sent_at=second + 0.4)
    assert [ramp.share(days * 86400.0) for days in (1, 30, 365)] == [1.0, 1.0, 1.0]
