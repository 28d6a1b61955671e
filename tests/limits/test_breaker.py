"""The breaker opens on outages only, asks with one probe, and loads the server again slowly."""

import math
import random

import pytest

from corpusmill.limits.breaker import Breaker


def open_breaker(seed: int = 0) -> Breaker:
    breaker = Breaker(random.Random(seed))
    for _ in range(10):
        breaker.failed(1.0, sent_at=1.0, is_probe=False)
    return breaker


def test_ten_failures_in_a_row_open_it_and_nine_do_not() -> None:
    breaker = Breaker(random.Random(0))
    for _ in range(9):
        breaker.failed(1.0, sent_at=0.0, is_probe=False)
    assert breaker.state.value == "closed"
    breaker.failed(1.0, sent_at=0.0, is_probe=False)
    assert breaker.state.value == "open"


def test_an_answer_between_failures_keeps_it_closed() -> None:
    breaker = Breaker(random.Random(0))
    for second in range(100):
        breaker.failed(second, sent_at=second, is_probe=False)
        breaker.alive(second + 0.5, sent_at=second + 0.1, is_probe=False)
        breaker.alive(second + 0.6, sent_at=second + 0.1, is_probe=False)
    assert breaker.state.value == "closed"


def test_answers_to_requests_sent_before_the_outage_do_not_hide_it() -> None:
    breaker = Breaker(random.Random(0))
    for _ in range(10):
        breaker.failed(5.0, sent_at=4.0, is_probe=False)
        breaker.alive(5.0, sent_at=1.0, is_probe=False)
    assert breaker.state.value == "open"


def test_more_than_half_of_twenty_in_ten_seconds_open_it() -> None:
    breaker = Breaker(random.Random(0))
    for step in range(40):
        at = step * 0.2
        breaker.failed(at, sent_at=at, is_probe=False)
        breaker.failed(at, sent_at=at, is_probe=False)
        breaker.alive(at + 0.1, sent_at=at + 0.1, is_probe=False)
        if breaker.state.value == "open":
            break
    assert 6 <= step <= 7


@pytest.mark.parametrize("seed", range(20))
def test_one_probe_at_a_time_with_a_backoff_that_doubles_up_to_a_minute(seed: int) -> None:
    breaker, now = open_breaker(seed), 1.0
    for count in range(12):
        wait = breaker.ready_at(now) - now
        assert 0 <= wait <= min(60.0, 2.0**count)
        now = breaker.ready_at(now)
        assert breaker.sent(now)
        assert breaker.ready_at(now) == math.inf
        assert not breaker.sent(now)
        breaker.failed(now, sent_at=now, is_probe=True)


def test_an_answered_probe_starts_at_a_tenth_and_grows_to_all() -> None:
    breaker = open_breaker()
    breaker.sent(2.0)
    breaker.alive(3.0, sent_at=2.0, is_probe=True)
    shares = [breaker.share(3.0 + seconds) for seconds in range(0, 40, 5)]
    assert shares[:3] == pytest.approx([0.1, 0.15, 0.225])
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert breaker.next_step_at(3.5) == 8.0
    breaker.sent(60.0)
    assert breaker.state.value == "closed"


def test_a_lost_probe_lets_another_one_go_at_once() -> None:
    breaker = open_breaker()
    breaker.sent(2.0)
    breaker.lost(4.0, is_probe=True)
    assert breaker.ready_at(4.0) == 4.0
    assert breaker.sent(4.0)


def test_requests_that_were_in_flight_when_it_opened_do_not_open_it_again() -> None:
    breaker = open_breaker()
    breaker.sent(2.0)
    breaker.alive(3.0, sent_at=2.0, is_probe=True)
    for _ in range(50):
        breaker.failed(4.0, sent_at=0.5, is_probe=False)
    assert breaker.state.value == "ramping"
    for _ in range(3):
        breaker.failed(4.0, sent_at=3.5, is_probe=False)
    assert breaker.state.value == "open"
