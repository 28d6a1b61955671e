"""Estimates come close in the aggregate, and deadlines follow what was seen."""

import random

import pytest

from corpusmill.limits.deadline import Deadline
from corpusmill.limits.estimator import Estimator


def test_before_anything_is_known_the_estimate_is_rather_high() -> None:
    charge = Estimator().estimate(3500, 800)
    assert charge.input_tokens == 1000
    assert charge.output_tokens == 400
    assert charge.max_output_tokens == 800


def test_the_aggregate_is_within_one_per_cent_of_the_usage() -> None:
    chance, estimator = random.Random(1), Estimator()
    expected = used = 0.0
    for number in range(2000):
        chars = chance.randint(500, 8000)
        input_tokens = round(120 + chars / chance.gauss(4.5, 0.25))
        output_tokens = round(min(2000, chance.lognormvariate(6.3, 0.4)))
        charge = estimator.estimate(chars, 2000)
        if number >= 200:
            expected += charge.input_tokens + charge.output_tokens
            used += input_tokens + output_tokens
        estimator.learn(chars, input_tokens, output_tokens)
    assert expected == pytest.approx(used, rel=0.01)
    assert estimator.statistics().error_ratio < 0.3


def test_prompts_that_hardly_differ_in_length_are_estimated_by_their_mean() -> None:
    chance, estimator = random.Random(1), Estimator()
    for _ in range(100):
        estimator.learn(1000 + chance.randint(0, 3), 250 + chance.randint(-5, 5), 100)
    assert estimator.estimate(1001, 500).input_tokens == pytest.approx(250, rel=0.02)
    assert estimator.estimate(4000, 500).input_tokens == pytest.approx(1000, rel=0.05)


def test_an_output_is_never_expected_beyond_max_tokens() -> None:
    estimator = Estimator()
    for _ in range(50):
        estimator.learn(100, 25, 600)
    assert estimator.estimate(100, 200).output_tokens == 200
    assert estimator.estimate(100, None).output_tokens == pytest.approx(600)


def test_the_suggestion_holds_99_in_100_outputs() -> None:
    chance, estimator = random.Random(3), Estimator()
    outputs = [round(chance.lognormvariate(6, 0.5)) for _ in range(512)]
    for count, output in enumerate(outputs):
        assert (estimator.suggested_max_tokens() is None) == (count < 100)
        estimator.learn(100, 25, output)
    suggestion = estimator.suggested_max_tokens()
    assert suggestion is not None
    assert 0.98 <= sum(output <= suggestion for output in outputs) / len(outputs) < 1


def test_deadlines_are_two_minutes_first_and_then_follow_the_slowest_answers() -> None:
    deadline = Deadline()
    assert deadline.seconds(1000) == 120
    for _ in range(20):
        deadline.learn(2.0, 100)
    assert deadline.seconds(100) == 30
    for _ in range(600):
        deadline.learn(20.0, 500)
    assert deadline.seconds(500) == pytest.approx(80)
    assert deadline.seconds(4000) == pytest.approx(2 * 4000 * 0.04)
    assert deadline.seconds(100_000) == 600
