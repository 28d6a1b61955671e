"""Header steering: a server's bucket is recognised, projected, held at four fifths; everything else is left alone."""

import itertools

import pytest

from corpusmill.limits.bucket import Bucket
from corpusmill.limits.charge import DAY_SECONDS, Kind, Limits
from corpusmill.limits.headers import Reading
from corpusmill.limits.server_view import ServerView
from corpusmill.limits.steering import Form, Steering, share_at


def reading(used: float, reset_seconds: float | None, limit: float = 3000.0) -> Reading:
    return Reading("requests", Kind.REQUESTS, None, limit, used, reset_seconds)


def feed(readings: list[Reading], sent_each: float = 6.0) -> Steering:
    """Give readings a tenth of a second apart; a server of 3,000 a minute leaks 5 in that time."""
    steering = Steering(readings[0], sent_at=0.0, sent=0.0)
    for number, row in enumerate(readings[1:], 1):
        steering.read(row, sent_at=number * 0.1, sent=number * sent_each)
    return steering


def test_a_bucket_is_recognised_by_its_reset() -> None:
    assert feed([reading(used, used / 50) for used in range(100, 130)]).form is Form.BUCKET


def test_a_daily_limit_is_recognised_by_its_reset() -> None:
    assert feed([reading(used, used / 3000 * DAY_SECONDS) for used in range(100, 130)]).form is Form.DAY
    assert feed([reading(used, 30_000 - used) for used in range(100, 130)]).form is Form.DAY


def test_windows_and_resets_that_fit_nothing_are_left_to_the_static_rate() -> None:
    steering = feed([reading(used, 59.0) for used in range(100, 130)])
    assert steering.form is Form.WINDOW
    assert steering.share(10.0, 100.0, is_busy=True) is None


def test_without_a_reset_nothing_is_recognised() -> None:
    steering = feed([reading(used, None) for used in range(100, 130)])
    assert steering.form is Form.WINDOW
    assert steering.share(10.0, 100.0, is_busy=True) is None


def test_an_old_reading_changes_nothing() -> None:
    steering = feed([reading(used, used / 50) for used in range(1000, 1030)])
    before = steering.used_share(5.0, 30.0)
    steering.read(reading(2900, 58.0), sent_at=1.0, sent=10)
    assert steering.used_share(5.0, 30.0) == before


def test_the_level_is_projected_by_what_was_sent_and_what_leaked() -> None:
    steering = feed([reading(1000 + number, (1000 + number) / 50) for number in range(30)])
    assert steering.used_share(2.9 + 4.0, 29 * 6 + 320.0) == pytest.approx((1029 + 320 - 4 * 50) / 3000, rel=0.001)


def test_what_the_server_counts_beyond_what_was_sent_is_learnt() -> None:
    steering = feed([reading(1000 + number, (1000 + number) / 50) for number in range(200)], sent_each=2.0)
    assert steering.bias == pytest.approx(3.0, rel=0.05)


def test_the_rate_falls_as_the_bucket_fills_and_is_the_limit_at_four_fifths() -> None:
    shares = [share_at(used / 100) for used in range(101)]
    assert share_at(0.8) == 1.0
    assert all(wider >= narrower for wider, narrower in itertools.pairwise(shares))
    assert shares[0] == pytest.approx(3.0)
    assert shares[-1] == 0.02


def test_an_empty_bucket_gets_a_little_more_for_a_while_and_only_if_it_is_what_holds_requests_back() -> None:
    steering = feed([reading(1, 0.02) for _ in range(30)])
    assert steering.share(3.0, 30.0, is_busy=False) is None
    assert steering.share(3.0, 30.0, is_busy=True) == 1.25
    assert steering.share(14.0, 30.0, is_busy=True) == 1.25
    assert steering.share(16.0, 30.0, is_busy=True) is None


def test_headers_are_not_believed_after_three_refusals_that_say_there_was_room() -> None:
    view = ServerView()
    headers = [
        {
            "x-ratelimit-limit-requests": "3000",
            "x-ratelimit-remaining-requests": str(3000 - used),
            "x-ratelimit-reset-requests": f"{used / 50}s",
        }
        for used in range(600, 700)
    ]
    for number, row in enumerate(headers[:50]):
        view.read(row, number * 0.1, (number, 0, 0, 0), number * 0.1 + 1)
    assert view.is_steering(10.0)
    for number, row in enumerate(headers[50:53]):
        view.refused(row, 10.0 + number, (100 + number, 0, 0, 0), 10.5 + number)
    assert not view.is_steering(13.0)
    assert view.is_steering(13.0 + 601)


def test_headers_lower_a_configured_limit_never_raise_it_and_stand_in_for_a_missing_one() -> None:
    view = ServerView()
    for number in range(40):
        used = 300 + number
        headers = {
            "x-ratelimit-limit-requests": "3000",
            "x-ratelimit-remaining-requests": str(3000 - used),
            "x-ratelimit-reset-requests": f"{used / 50}s",
        }
        view.read(headers, number * 0.1, (number, 0, 0, 0), number * 0.1 + 1)
    assert view.effective(Limits(requests_per_minute=4000).rows()) == [(Kind.REQUESTS, 3000.0, 60.0)]
    assert view.effective(Limits(requests_per_minute=1000).rows()) == [(Kind.REQUESTS, 1000.0, 60.0)]
    assert view.effective([]) == [(Kind.REQUESTS, 3000.0, 60.0)]
    bucket = Bucket(Kind.REQUESTS, 1000.0, 60.0, 0.0)
    assert view.share(bucket, 1000.0, 5.0, (0, 0, 0, 0), 1.0) is None, "a lower limit is the operator's wish"
