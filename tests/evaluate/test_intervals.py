"""What the statistics promise: coverage, calibrated tests, and no certainty from too little."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.evaluate.intervals import Score, clusters_needed, compare, holm, interval
from tests.evaluate.coverage import BOUNDS, SIZES, covered


def score(right: list[float], told: list[float]) -> Score:
    return Score(np.array(right, dtype=np.float64), np.array(told, dtype=np.float64))


@pytest.mark.parametrize("documents", SIZES[:2])
def test_over_200_simulations_the_intervals_contain_the_truth(documents: int) -> None:
    """Precision and recall of three models, their differences, and a judge's preference."""
    for what, share in covered(200, documents).items():
        assert BOUNDS[0] <= share <= BOUNDS[1], what


def test_answers_of_one_document_are_no_more_evidence_than_their_document() -> None:
    once = score([1, 0, 1, 1, 0, 1, 1, 1] * 5, [1] * 40)
    tenfold = Score(once.numerators * 10, once.denominators * 10)
    found, expected = interval(tenfold), interval(once)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=30))
def test_an_interval_contains_its_estimate_and_stays_within_its_scale(counts: list[tuple[int, int]]) -> None:
    found = interval(score([right for right, _ in counts], [right + wrong for right, wrong in counts]), resamples=200)
    if math.isnan(found.estimate):
        return
    assert 0 <= found.low <= found.high <= 1
    assert found.low - 1e-9 <= found.estimate <= found.high + 1e-9


def test_a_score_without_a_fault_is_not_certain() -> None:
    found = interval(score([3] * 10, [3] * 10))
    assert (found.estimate, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.692, abs=0.001), "Clopper and Pearson's bound for 10 of 10"


def test_models_that_are_alike_are_told_apart_one_time_in_twenty() -> None:
    p_values = []
    for seed in range(100):
        random = np.random.default_rng(seed)
        shares = random.beta(8, 2, 30)
        ones, others = (random.binomial(12, shares).astype(np.float64) for _ in range(2))
        told = np.full(30, 12.0)
        p_values.append(compare(Score(ones, told), Score(others, told), seed=seed, resamples=100).p_value)
    assert 0.01 <= float(np.mean(np.array(p_values) < 0.05)) <= 0.09


def test_a_plain_difference_is_found_and_a_small_sample_finds_none() -> None:
    random = np.random.default_rng(1)
    told = np.full(40, 10.0)
    good, bad = (Score(random.binomial(10, share, 40).astype(np.float64), told) for share in (0.95, 0.75))
    found = compare(good, bad)
    assert found.p_value < 0.001
    assert found.difference.low > 0.1
    few = compare(Score(good.numerators[:4], told[:4]), Score(bad.numerators[:4], told[:4]))
    assert few.p_value > 0.1
    assert few.detectable > found.detectable
    assert clusters_needed(few, 4, 0.05) > 40


def test_holm_corrects_upwards_and_keeps_the_order() -> None:
    assert holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06]
    assert holm([0.5, math.nan])[0] == 0.5
