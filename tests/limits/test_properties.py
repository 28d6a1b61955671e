"""What holds of a gate under any interleaving of arrivals, outcomes, cancellations, pauses and changed limits."""

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.limits.charge import Charge, Limits
from corpusmill.limits.claim import (
    Answered,
    Claim,
    ClaimState,
    Failed,
    Lost,
    Outcome,
    Refusal,
    RefusalKind,
    Refused,
    Rejected,
)
from corpusmill.limits.gate import Gate
from corpusmill.limits.statistics import look_at

TOKENS = st.integers(0, 4000)
ARRIVE = st.tuples(st.just("arrive"), st.sampled_from("abc"), TOKENS, TOKENS)
PASS = st.tuples(st.just("pass"), st.sampled_from([0.0, 0.001, 0.02, 0.3, 1.0, 5.0, 61.0]))
ANSWER = st.tuples(st.just("answer"), st.integers(0, 99), TOKENS, TOKENS)
END = st.tuples(st.just("end"), st.integers(0, 99), st.sampled_from(["refuse", "fail", "reject", "lose", "full"]))
CANCEL = st.tuples(st.just("cancel"), st.integers(0, 99))
PAUSE = st.tuples(st.just("pause"), st.sampled_from([0.1, 3.0]))
RERATE = st.tuples(st.just("rerate"), st.sampled_from([60.0, 600.0, 6000.0]), st.sampled_from([1, 5, 100]))
STEPS = st.lists(st.one_of(ARRIVE, ARRIVE, PASS, PASS, ANSWER, END, CANCEL, PAUSE, RERATE), max_size=80)
OUTCOMES: dict[str, Outcome] = {
    "refuse": Refused(Refusal(RefusalKind.RATE, 2.0)),
    "full": Refused(Refusal(RefusalKind.CAPACITY)),
    "fail": Failed(),
    "reject": Rejected(),
    "lose": Lost(),
}


class World:
    """Drives a gate as tickets would, and writes down what it did."""

    def __init__(self) -> None:
        self.now = 100.0
        self.requests_per_minute = 600.0
        self.gate: Gate[Claim] = Gate(self.limits(5), random.Random(0), self.now)
        self.waiting: list[Claim] = []
        self.flying: list[Claim] = []
        self.arrived: dict[str, list[Claim]] = {job: [] for job in "abc"}
        self.granted: list[Claim] = []
        self.passed: list[tuple[float, float]] = []
        self.rates: list[tuple[float, float]] = [(self.now, self.requests_per_minute)]
        self.due = [0.0, 0.0]

    def limits(self, width: int) -> Limits:
        return Limits(requests_per_minute=self.requests_per_minute, tokens_per_minute=60_000, concurrency=width)

    def take(self, claim: Claim) -> None:
        self.flying.append(claim)
        self.granted.append(claim)
        self.passed.append((self.now, 1.0))
        self.due[0] += 1
        self.due[1] += claim.charge.input_tokens + claim.charge.output_tokens

    def grants(self) -> None:
        for claim in self.gate.grants(self.now):
            self.waiting.remove(claim)
            self.take(claim)

    def give_back(self, claim: Claim) -> None:
        self.passed.append((self.now, -1.0))
        self.due[0] -= 1
        self.due[1] -= claim.charge.input_tokens + claim.charge.output_tokens

    def step(self, step: tuple[object, ...]) -> None:
        match step:
            case ("arrive", str(job), int(input_tokens), int(output_tokens)):
                self.arrive(Claim(job, Charge(input_tokens, output_tokens)))
            case ("pass", float(seconds)):
                self.now += seconds
            case ("answer", int(which), int(input_tokens), int(output_tokens)) if self.flying:
                self.answer(self.flying.pop(which % len(self.flying)), input_tokens, output_tokens)
            case ("end", int(which), str(outcome)) if self.flying:
                self.end(self.flying.pop(which % len(self.flying)), outcome)
            case ("cancel", int(which)) if self.waiting or self.flying:
                self.cancel((self.waiting + self.flying)[which % len(self.waiting + self.flying)])
            case ("pause", float(seconds)):
                self.gate.pause(seconds, "test", self.now)
            case ("rerate", float(requests_per_minute), int(width)):
                self.rerate(requests_per_minute, width)
        self.grants()

    def arrive(self, claim: Claim) -> None:
        self.arrived[claim.job].append(claim)
        if self.gate.request(claim, self.now):
            self.take(claim)
        else:
            self.waiting.append(claim)

    def answer(self, claim: Claim, input_tokens: int, output_tokens: int) -> None:
        self.gate.settle(claim, Answered(input_tokens, output_tokens), self.now)
        self.due[1] += input_tokens + output_tokens - claim.charge.input_tokens - claim.charge.output_tokens

    def end(self, claim: Claim, outcome: str) -> None:
        self.gate.settle(claim, OUTCOMES[outcome], self.now)
        if outcome in ("refuse", "full"):
            self.give_back(claim)

    def cancel(self, claim: Claim) -> None:
        if claim.state is ClaimState.GRANTED:
            self.give_back(claim)
            self.flying.remove(claim)
        else:
            self.waiting.remove(claim)
        self.gate.withdraw(claim, self.now)

    def rerate(self, requests_per_minute: float, width: int) -> None:
        self.requests_per_minute = requests_per_minute
        self.rates.append((self.now, requests_per_minute))
        self.gate.rerate(self.limits(width), self.now)

    def allowed(self, start: float, end: float) -> float:
        """Return the requests that the limits in force allow in an interval, without any burst."""
        changes = [*self.rates, (float("inf"), 0.0)]
        return sum(
            rate / 60 * max(0.0, min(end, until) - max(start, since))
            for (since, rate), (until, _) in itertools.pairwise(changes)
        )


def replay(steps: list[tuple[object, ...]]) -> World:
    world = World()
    for step in steps:
        world.step(step)
    return world


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_no_interval_passes_more_than_the_burst_and_the_rate(steps: list[tuple[object, ...]]) -> None:
    world = replay(steps)
    fastest = max(rate for _, rate in world.rates)
    burst = max(fastest / 60 * 0.25, 1 + fastest / 60 * 0.05)
    for first in range(len(world.passed)):
        passed = 0.0
        for at, amount in world.passed[first:]:
            passed += amount
            assert passed <= burst + world.allowed(world.passed[first][0], at) + 1e-6


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_the_order_within_a_job_is_kept(steps: list[tuple[object, ...]]) -> None:
    world = replay(steps)
    for job, arrived in world.arrived.items():
        granted = [claim for claim in world.granted if claim.job == job]
        assert granted == [claim for claim in arrived if claim in granted]


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_charges_equal_settlements(steps: list[tuple[object, ...]]) -> None:
    world = replay(steps)
    charged = look_at(world.gate, world.now).charged_total
    assert abs(charged["requests"] - world.due[0]) < 1e-6
    assert abs(charged["tokens"] - world.due[1]) < 1e-6
    assert world.gate.in_flight == len(world.flying)


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_no_wake_up_is_lost_and_everybody_is_served(steps: list[tuple[object, ...]]) -> None:
    world = replay(steps)
    for _ in range(5 * len(steps) + 50):
        if not world.waiting and not world.flying:
            break
        wake = world.gate.next_wake(world.now)
        assert wake is not None or world.flying or not world.waiting, "waiting for nothing"
        if wake is not None:
            world.now = max(wake, world.now) + 1e-6
            world.step(("pass", 0.0))
        elif world.flying:
            world.step(("answer", 0, 1, 1))
    assert not world.waiting
    assert len(world.gate.queue) == 0
