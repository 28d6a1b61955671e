"""Limits counted in minutes: recognised by the count, spent until their end, and never waited for beyond it."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.limits.charge import Charge, Limits
from corpusmill.limits.claim import Answered, Claim, Refusal, RefusalKind, Refused
from corpusmill.limits.gate import Gate
from corpusmill.limits.statistics import look_at
from corpusmill.limits.window import SHARE_MOST, TARGET, Window

LIMIT = 6000.0
CHARGE = Charge(5, 4.8, 4.8)
STEP = 0.1


class Server:
    """Counts a steady stream of its one client in minutes that begin at `began_at`, or otherwise."""

    def __init__(self, kind: str, began_at: float = 0.0, rate: float = 99.0) -> None:
        self.kind, self.began_at, self.rate = kind, began_at, rate

    def used(self, now: float) -> float:
        if self.kind == "fixed":
            return self.rate * (now - max(self.began_at + (now - self.began_at) // 60 * 60, 0.0))
        return self.rate * min(now, 60.0) if self.kind == "sliding" else 1.0


def watch(server: Server, seconds: float) -> Window:
    """Show a window a reading every tenth of a second, from the first request on."""
    window = Window(server.used(STEP), STEP, server.rate * STEP, LIMIT)
    for step in range(2, int(seconds / STEP)):
        now = step * STEP
        window.read(server.used(now), now, server.rate * now, LIMIT)
    return window


@pytest.mark.parametrize("began_at", [0.0, -20.0, -47.3])
def test_after_two_ends_the_next_one_is_known(began_at: float) -> None:
    window = watch(Server("fixed", began_at), 150.0)
    assert window.is_known
    assert (window.ends_at - began_at) % 60 == pytest.approx(0.0, abs=2 * STEP)


@pytest.mark.parametrize("kind", ["sliding", "bucket"])
def test_what_never_falls_at_once_is_no_window(kind: str) -> None:
    window = watch(Server(kind), 400.0)
    assert not window.is_known
    assert window.share(0.5, 400.0) is None


def test_windows_of_a_second_are_not_taken_for_minutes() -> None:
    window = Window(1.0, 0.1, 1.0, 100.0)
    for step in range(2, 3000):
        window.read(step * STEP % 1 * 100, step * STEP, step * 10.0, 100.0)
    assert not window.is_known


def test_what_is_left_is_spread_over_what_is_left_of_the_minute() -> None:
    window = watch(Server("fixed"), 150.0)
    assert window.share(0.5, 150.0) == pytest.approx((TARGET - 0.5) / 0.5, rel=0.01)
    assert window.share(0.9, 150.0) == pytest.approx((TARGET - 0.9) / 0.5, rel=0.01)
    assert window.share(0.0, 150.0) == SHARE_MOST
    assert window.share(0.5, 180.5) is None, "nothing was seen of the next one yet"


def test_a_window_that_is_only_supposed_never_raises_the_rate() -> None:
    window = watch(Server("fixed"), 30.0)
    assert not window.is_known
    assert window.share(0.2, 30.0) is None
    assert window.share(0.6, 30.0) == pytest.approx((TARGET - 0.6) / 0.5, rel=0.01)


def test_an_end_that_does_not_come_is_not_waited_for_again() -> None:
    window = watch(Server("fixed"), 175.0)
    assert window.is_known
    for step in range(40):
        window.read(5900.0, 179.0 + step * STEP, 99.0 * (179.0 + step * STEP), LIMIT)
    assert not window.is_known


def test_answers_that_give_back_what_was_reserved_are_no_new_window() -> None:
    window = Window(100.0, 0.0, 100.0, LIMIT)
    window.read(600.0, 1.0, 600.0, LIMIT)
    assert not window.read(60.0, 1.1, 60.0, LIMIT), "540 of what was sent was not used"
    assert window.began_at == 0.0


def test_a_reading_that_comes_late_tells_a_beginning_more_exactly() -> None:
    window = watch(Server("fixed"), 59.9)
    window.read(200.0, 62.0, 99.0 * 62, LIMIT)
    window.recall(50.0, 60.5)
    window.recall(5900.0, 59.95)
    assert window.began_at == 60.5


READING = st.tuples(st.floats(0, 1), st.floats(0.001, 90), st.floats(-0.2, 1.2))


@given(st.lists(READING, max_size=60), st.floats(0, 1e9))
def test_whatever_is_read_the_share_is_bounded_and_no_wait_is_longer_than_a_minute(
    readings: list[tuple[float, float, float]], began_at: float
) -> None:
    window, now, sent = Window(0.0, began_at, 0.0, LIMIT), began_at, 0.0
    for used, seconds, own in readings:
        now, sent = now + seconds, sent + own * LIMIT
        window.read(used * LIMIT, now, sent, LIMIT)
        share = window.share(used, now)
        assert share is None or 0 < share <= SHARE_MOST
        renewal_at = window.renewal_at(now, 0.95)
        assert renewal_at is None or renewal_at <= now + 62


def headers(used: float) -> dict[str, str]:
    return {"x-ratelimit-api_key-limit-tokens": "6000", "x-ratelimit-api_key-remaining-tokens": f"{6000 - used:.0f}"}


def gate_after(seconds: float) -> tuple[Gate[Claim], float]:
    """Return a gate that has used a server with fixed minutes for so long, at 98 % of what they allow."""
    gate: Gate[Claim] = Gate(Limits(tokens_per_minute=6000), random.Random(0), 0.0)
    used = now = 0.0
    for now in itertools.takewhile(lambda at: at < seconds, (step * 0.1 for step in itertools.count())):
        used = 0.0 if now % 60 < 0.05 else used
        claim = Claim("job", CHARGE)
        if gate.request(claim, now):
            used += 9.8
            gate.settle(claim, Answered(5, 4.8, headers(used)), now + 0.05)
        else:
            gate.withdraw(claim, now)
    return gate, now


def refused_for_a_minute(gate: Gate[Claim], now: float, sent_at: float) -> float:
    """Return the pause after a refusal that asks for a whole minute."""
    claim = Claim("job", CHARGE)
    assert gate.request(claim, sent_at)
    gate.settle(claim, Refused(Refusal(RefusalKind.RATE, 60.0)), now)
    return look_at(gate, now).paused_seconds


def test_a_pause_ends_with_the_minute_that_caused_it() -> None:
    gate, now = gate_after(177.0)
    assert refused_for_a_minute(gate, now + 0.5, now + 0.4) == pytest.approx(180 - now - 0.5, abs=0.3)


def test_then_one_request_goes_alone_and_if_it_is_refused_too_the_server_has_its_will() -> None:
    gate, now = gate_after(177.0)
    refused_for_a_minute(gate, now + 0.5, now + 0.4)
    probe, other = Claim("job", CHARGE), Claim("job", CHARGE)
    assert gate.request(probe, 182.0)
    assert not gate.request(other, 182.0)
    gate.settle(probe, Refused(Refusal(RefusalKind.RATE, 60.0)), 182.1)
    assert look_at(gate, 182.1).paused_seconds == pytest.approx(60.0)


def test_a_minute_that_is_hardly_used_does_not_cut_a_pause_short() -> None:
    gate, now = gate_after(140.0)
    assert refused_for_a_minute(gate, now + 0.5, now + 0.4) == pytest.approx(60.0)


def test_so_does_one_in_the_first_minute_as_nothing_of_it_counts_a_minute_later() -> None:
    gate, now = gate_after(57.0)
    assert refused_for_a_minute(gate, now + 0.5, now + 0.4) == pytest.approx(60 - now - 0.5, abs=0.3)


def test_without_headers_a_pause_is_as_long_as_the_server_asks() -> None:
    gate: Gate[Claim] = Gate(Limits(tokens_per_minute=6000), random.Random(0), 0.0)
    assert refused_for_a_minute(gate, 0.1, 0.0) == pytest.approx(60.0)
