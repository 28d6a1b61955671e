"""What an evaluation found, with how sure that is, in words where figures would be misread.

Rule of this file: pure. A difference is called one only where the test says so after the correction for all of them;
everything else is not told apart, with the difference that this sample could have shown.
"""

import math
from typing import Literal

import msgspec

from corpusmill.evaluate.answers import Answer
from corpusmill.evaluate.intervals import CLUSTERS_LEAST, Interval, clusters_needed, compare, holm, interval
from corpusmill.evaluate.scores import LOWER_IS_BETTER, scores_of

SIGNIFICANT = 0.05
WORTH_SHOWING = 0.05
"""A difference that most would care for: how many clusters would show it is told where the sample shows none."""

Verdict = Literal["better", "worse", "not told apart"]


class Cost(msgspec.Struct, frozen=True):
    """What the answers of a model took; None where it is not known.

    Attributes:
        latency_seconds: median and 95th percentile of the calls of this run.
    """

    calls: int
    input_tokens: int
    output_tokens: int
    usd: float | None
    latency_seconds: tuple[float, float] | None


class ModelResult(msgspec.Struct, frozen=True):
    """One model.

    Attributes:
        unanswered: items that it gave no answer to; they are in no score.
        usd_per_answer: None where a price is unknown.
    """

    model: str
    answers: int
    unanswered: int
    scores: dict[str, Interval]
    cost: Cost
    usd_per_answer: float | None


class Difference(msgspec.Struct, frozen=True):
    """A model against the baseline in one score.

    Attributes:
        difference: the model minus the baseline.
        p_value, p_corrected: of the paired test, alone and corrected for all differences (Holm).
        detectable: what a sample of this size shows four times in five.
        clusters_needed: how many would so show a difference of 0.05; 0 where nobody can tell.
    """

    model: str
    baseline: str
    score: str
    difference: Interval
    p_value: float
    p_corrected: float
    verdict: Verdict
    detectable: float
    clusters_needed: int


class Result(msgspec.Struct, frozen=True):
    """All of it.

    Attributes:
        clusters: independent groups of answers; what the intervals rest on.
        warnings: what a reader must know before he believes anything.
    """

    evaluation: str
    cluster: str
    clusters: int
    models: dict[str, ModelResult]
    differences: list[Difference]
    warnings: list[str]


class Asked(msgspec.Struct, frozen=True):
    """One model's part: who, what it said, how many items it gave no answer to, and what that took."""

    model: str
    answers: list[Answer]
    unanswered: int
    cost: Cost


def conclude(name: str, cluster: str, asked: dict[str, Asked], *, grounded: bool, seed: int) -> Result:
    """Return the result; the first of the models asked is the baseline."""
    clusters = sorted({answer.cluster for each in asked.values() for answer in each.answers})
    scores = {key: scores_of(each.answers, clusters, grounded=grounded) for key, each in asked.items()}
    models = {
        key: ModelResult(
            model=each.model,
            answers=len(each.answers),
            unanswered=each.unanswered,
            scores={score: interval(value, seed=seed) for score, value in scores[key].items()},
            cost=each.cost,
            usd_per_answer=each.cost.usd / len(each.answers) if each.cost.usd is not None and each.answers else None,
        )
        for key, each in asked.items()
    }
    baseline, *others = asked
    found = [
        (key, score, compare(scores[key][score], scores[baseline][score], seed=seed))
        for key in others
        for score in scores[key]
        if score in scores[baseline]
    ]
    corrected = holm([comparison.p_value for _, _, comparison in found])
    differences = [
        Difference(
            model=key,
            baseline=baseline,
            score=score,
            difference=comparison.difference,
            p_value=comparison.p_value,
            p_corrected=p_value,
            verdict=_verdict(score, comparison.difference.estimate, p_value, len(clusters)),
            detectable=comparison.detectable,
            clusters_needed=clusters_needed(comparison, len(clusters), WORTH_SHOWING),
        )
        for (key, score, comparison), p_value in zip(found, corrected, strict=True)
    ]
    return Result(name, cluster, len(clusters), models, differences, _warnings(cluster, len(clusters), models))


def _verdict(score: str, difference: float, p_value: float, clusters: int) -> Verdict:
    if clusters < CLUSTERS_LEAST or math.isnan(p_value) or p_value >= SIGNIFICANT:
        return "not told apart"
    return "better" if (difference > 0) != (score in LOWER_IS_BETTER) else "worse"


def _warnings(cluster: str, clusters: int, models: dict[str, ModelResult]) -> list[str]:
    warnings = []
    if clusters < CLUSTERS_LEAST:
        warnings.append(
            f"too small to tell: {clusters} different values of {cluster}; "
            f"below {CLUSTERS_LEAST} neither intervals nor tests are to be trusted"
        )
    for key, each in models.items():
        if each.unanswered:
            warnings.append(f"{key} gave no answer to {each.unanswered:,} items, which are in none of its scores")
    return warnings
