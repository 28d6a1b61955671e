"""A gate that runs for months against a server that says anything: it never breaks, and never waits without end."""

import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.limits.charge import Charge, Limits
from corpusmill.limits.claim import Answered, Claim, Failed, Lost, Outcome, Refusal, RefusalKind, Refused, Rejected
from corpusmill.limits.gate import Gate
from corpusmill.limits.pause import PAUSE_SECONDS_MOST
from corpusmill.limits.statistics import look_at

FIGURE = st.one_of(
    st.integers(-5, 5000).map(str),
    st.sampled_from(["999999999999999999", "1" * 30, "1e400", "nan", "inf", "-inf", "", "0.5", "٣"]),
)
RESET = st.one_of(FIGURE, st.sampled_from(["6m0s", "12ms", "9999999999d", "0s", "1e999s"]))
SCOPE = st.sampled_from(["", "api_key-", "team-"])
KIND = st.sampled_from(["requests", "tokens", "tokens-day", "requests-minute"])
LIMITS = st.tuples(SCOPE, KIND, FIGURE, FIGURE, RESET)
TOKENS = st.one_of(st.none(), st.floats(0, 1e9))
WAIT = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))
OUTCOME = st.one_of(
    st.tuples(TOKENS, TOKENS, st.lists(LIMITS, max_size=3)).map(
        lambda told: Answered(told[0], told[1], headers(told[2]))
    ),
    st.tuples(st.sampled_from(RefusalKind), WAIT, st.lists(LIMITS, max_size=3)).map(
        lambda told: Refused(Refusal(told[0], told[1]), headers(told[2]))
    ),
    st.sampled_from([Failed(), Rejected(), Lost()]),
)
SECONDS = st.sampled_from([0.0, 0.001, 0.1, 1.0, 59.0, 60.0, 3600.0, 86400.0, 40 * 86400.0])
STEPS = st.lists(st.tuples(SECONDS, OUTCOME), max_size=60)
STARTS = st.one_of(
    st.just(Limits()),
    st.builds(
        Limits,
        requests_per_minute=st.one_of(st.none(), st.floats(1e-3, 1e9)),
        tokens_per_minute=st.one_of(st.none(), st.floats(1e-3, 1e12)),
        tokens_per_day=st.one_of(st.none(), st.floats(1.0, 1e15)),
    ),
)


def headers(limits: list[tuple[str, str, str, str, str]]) -> dict[str, str]:
    names = ("limit", "remaining", "reset")
    return {
        f"x-ratelimit-{scope}{part}-{kind}": value
        for scope, kind, *values in limits
        for part, value in zip(names, values, strict=True)
    }


@settings(max_examples=200, deadline=None)
@given(STARTS, STEPS, st.sampled_from([0.0, 1e9]))
def test_whatever_a_server_says_a_gate_goes_on(limits: Limits, steps: list[tuple[float, Outcome]], now: float) -> None:
    gate: Gate[Claim] = Gate(limits, random.Random(0), now)
    waiting: list[Claim] = []
    flying: list[Claim] = []
    for seconds, outcome in steps:
        now += seconds
        claim = Claim("job", Charge(100, 100, 500))
        (flying if gate.request(claim, now) else waiting).append(claim)
        for granted in gate.grants(now):
            waiting.remove(granted)
            flying.append(granted)
        if flying:
            gate.settle(flying.pop(0), outcome, now)
        seen = look_at(gate, now)
        assert 0 <= seen.paused_seconds <= PAUSE_SECONDS_MOST
        assert all(0 < row.rate_per_minute < math.inf and row.remaining >= 0 for row in seen.buckets)
        wake = gate.next_wake(now)
        assert wake is None or now <= wake < math.inf
        assert wake is not None or flying or not waiting, "waiting for nothing"


def test_a_year_of_answers_leaves_the_rate_what_it_was() -> None:
    gate: Gate[Claim] = Gate(Limits(requests_per_minute=600, tokens_per_minute=60_000), random.Random(0), 0.0)
    for number in range(20_000):
        claim, now = Claim(f"job {number}", Charge(100.3, 99.9, 500)), number * 1577.0
        assert gate.request(claim, now)
        gate.settle(claim, Answered(100.1, 100.7), now + 1.3)
    now = 20_000 * 1577.0
    burst = [Claim("last", Charge(5, 5, 10)) for _ in range(1000)]
    passed = sum(gate.request(claim, now) for claim in burst)
    while now < 20_000 * 1577.0 + 30:
        now += 0.02
        passed += len(gate.grants(now))
    assert abs(passed - 30 * 10 * 0.995) < 4
    seen = look_at(gate, now)
    assert abs(seen.charged_total["requests"] - 20_000 - passed) < 1e-6
    assert seen.queue_depth_by_job.keys() == {"last"}
