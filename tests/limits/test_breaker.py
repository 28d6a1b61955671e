"""The breaker opens on outages only, asks with one probe, and loads the server again slowly."""

import math
import random

import pytest

from corpusmill.limits.breaker import Breaker
from corpusmill.limits.charge import Charge
from corpusmill.limits.claim import Claim


def sent(breaker: Breaker, number: int, now: float) -> Claim:
    claim = Claim("job", Charge())
    claim.number, claim.granted_at = number, now
    claim.is_probe = breaker.sent(now)
    return claim


def open_breaker(seed: int = 0) -> Breaker:
    breaker = Breaker(random.Random(seed))
    for number in range(10):
        breaker.failed(1.0, sent(breaker, number, 1.0))
    return breaker


def test_ten_failures_in_a_row_open_it_and_nine_do_not() -> None:
    breaker = Breaker(random.Random(0))
    for number in range(9):
        breaker.failed(1.0, sent(breaker, number, 0.0))
    assert breaker.state.value == "closed"
    breaker.failed(1.0, sent(breaker, 9, 0.0))
    assert breaker.state.value == "open"


def test_failures_among_as_many_others_keep_it_closed() -> None:
    breaker = Breaker(random.Random(0))
    for number in range(0, 200, 2):
        sent(breaker, number, number / 10)
        breaker.failed(number / 10, sent(breaker, number + 1, number / 10))
    assert breaker.state.value == "closed"


def test_quick_failures_among_requests_that_are_answered_late_keep_it_closed() -> None:
    breaker, chance = Breaker(random.Random(0)), random.Random(5)
    for number in range(5000):
        claim = sent(breaker, number, number / 50)
        if chance.random() < 0.2:
            breaker.failed(number / 50 + 0.02, claim)
    assert breaker.state.value == "closed", "nothing was answered yet, and nothing speaks for an outage"


def test_answers_to_requests_sent_before_the_outage_do_not_hide_it() -> None:
    breaker = Breaker(random.Random(0))
    for number in range(100):
        sent(breaker, number, number / 50)
    for number in range(100, 110):
        breaker.failed(2.5, sent(breaker, number, 2.5))
        breaker.alive(2.5, is_probe=False)
    assert breaker.state.value == "open"


def test_more_than_half_of_what_is_sent_in_ten_seconds_opens_it_from_twenty_failures_on() -> None:
    breaker = Breaker(random.Random(0))
    failures = 0
    for number in range(100):
        claim = sent(breaker, number, number * 0.1)
        if number % 3:
            failures += 1
            breaker.failed(number * 0.1, claim)
        if breaker.state.value == "open":
            break
    assert failures == 20


@pytest.mark.parametrize("seed", range(20))
def test_one_probe_at_a_time_with_a_backoff_that_doubles_up_to_a_minute(seed: int) -> None:
    breaker, now = open_breaker(seed), 1.0
    for count in range(12):
        wait = breaker.ready_at(now) - now
        assert 0 <= wait <= min(60.0, 2.0**count)
        now = breaker.ready_at(now)
        probe = sent(breaker, 100 + count, now)
        assert probe.is_probe
        assert breaker.ready_at(now) == math.inf
        breaker.failed(now, probe)


def test_an_answered_probe_starts_at_a_tenth_and_grows_to_all() -> None:
    breaker = open_breaker()
    breaker.sent(2.0)
    breaker.alive(3.0, is_probe=True)
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
    breaker = Breaker(random.Random(0))
    early = [sent(breaker, number, 0.5) for number in range(60)]
    for claim in early[:10]:
        breaker.failed(1.0, claim)
    breaker.sent(2.0)
    breaker.alive(3.0, is_probe=True)
    for claim in early:
        breaker.failed(4.0, claim)
    assert breaker.state.value == "ramping"
    for number in range(200, 203):
        breaker.failed(4.0, sent(breaker, number, 3.5))
    assert breaker.state.value == "open"
