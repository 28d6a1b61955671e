"""What an evaluation found, with how sure that is, in words where figures would be misread.

Rule of this file: pure. A difference is called one only where the test says so after the correction for all of them;
everything else is not told apart, with the difference that this sample could have shown.
"""

import math
from typing import Literal

import msgspec

from corpusmill.evaluate.answers import Answer, unanswered
from corpusmill.evaluate.intervals import (
    CLUSTERS_LEAST,
    Comparison,
    Interval,
    Score,
    clusters_needed,
    compare,
    holm,
    interval,
)
from corpusmill.evaluate.judge import Pair
from corpusmill.evaluate.judgement import Judgement, judgement_of, preference_of
from corpusmill.evaluate.scores import LOWER_IS_BETTER, MISSING_IS_WRONG, PREFERENCE, Verdicts, scores_of

SIGNIFICANT = 0.05
WORTH_SHOWING = 0.05
"""A difference that most would care for: how many clusters would show it is told where the sample shows none."""

UNBIASED = 0.5
"""Share of verdicts for the answer that stands first, from a judge to whom order is nothing."""

Verdict = Literal["better", "worse", "not told apart"]
Over = Literal["all", "answered by both"]
ALL: Over = "all"


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
        answers: draws that there is an answer to.
        unanswered: items that no draw has an answer to. They count as wrong in recall, F1 and format.
        unanswered_by: why, by reason.
        scores: over all items.
        of_answered: the scores in which an item without an answer counts, over the others alone; empty where there is
            none.
        usd_per_answer: None where a price is unknown.
    """

    model: str
    answers: int
    unanswered: int
    unanswered_by: dict[str, int]
    scores: dict[str, Interval]
    of_answered: dict[str, Interval]
    cost: Cost
    usd_per_answer: float | None


class Difference(msgspec.Struct, frozen=True):
    """A model against the baseline in one score.

    Attributes:
        difference: the model minus the baseline.
        items: those that it is taken over; where one model has no answer, precision, groundedness, consistency and
            preference can be told of what both answered only.
        p_value, p_corrected: of the paired test, alone and corrected for all differences (Holm).
        detectable: what a sample of this size shows four times in five.
        clusters_needed: how many would so show a difference of 0.05; 0 where nobody can tell.
    """

    model: str
    baseline: str
    score: str
    items: Over
    difference: Interval
    p_value: float
    p_corrected: float
    verdict: Verdict
    detectable: float
    clusters_needed: int


class Judging(msgspec.Struct, frozen=True):
    """What was asked of the judge.

    Attributes:
        model: the judge.
        asks: for a preference or a score.
        unjudged: answers, or pairs of them, of which no verdict could be read; they are in none of its figures.
        judgements: each model against the baseline, where a preference was asked for.
    """

    model: str
    asks: str
    unjudged: int
    cost: Cost
    judgements: list[Judgement]


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
    judge: Judging | None
    warnings: list[str]


class Asked(msgspec.Struct, frozen=True):
    """One model's part: who, what it said to each item, why it said nothing to some, and what that took."""

    model: str
    answers: list[Answer]
    unanswered_by: dict[str, int]
    cost: Cost


class Judged(msgspec.Struct, frozen=True):
    """The judge's part: who, what it said by model, and what that took.

    Attributes:
        pairs: of a model's answers and the baseline's, where a preference was asked for.
        scores: of a model's answers, where a score was asked for.
        unjudged: by model, what could not be read.
    """

    model: str
    asks: str
    pairs: dict[str, list[Pair]]
    scores: dict[str, Verdicts]
    unjudged: dict[str, int]
    cost: Cost


def conclude(
    name: str, cluster: str, asked: dict[str, Asked], judged: Judged | None, *, grounded: bool, seed: int
) -> Result:
    """Return the result; the first of the models asked is the baseline."""
    bench = _Bench(asked, judged, grounded=grounded, seed=seed)
    models = {key: bench.model(key) for key in asked}
    baseline, *others = asked
    found = [each for key in others for each in bench.compared(key, baseline)]
    corrected = holm([comparison.p_value for *_, comparison in found])
    differences = [
        _difference(key, baseline, score, over, comparison, p_value, len(bench.clusters))
        for (key, score, over, comparison), p_value in zip(found, corrected, strict=True)
    ]
    judging = None
    if judged is not None:
        judgements = [
            judgement_of(key, baseline, pairs, judged.unjudged[key], bench.clusters, seed=seed)
            for key, pairs in judged.pairs.items()
        ]
        unjudged = sum(judged.unjudged.values())
        judging = Judging(judged.model, judged.asks, unjudged, judged.cost, judgements)
    warnings = _warnings(cluster, len(bench.clusters), models, judging)
    return Result(name, cluster, len(bench.clusters), models, differences, judging, warnings)


class _Bench:
    """All answers, and the scores that they come to."""

    def __init__(self, asked: dict[str, Asked], judged: Judged | None, *, grounded: bool, seed: int) -> None:
        self._asked, self._judged, self._grounded, self._seed = asked, judged, grounded, seed
        self.clusters = sorted({answer.cluster for each in asked.values() for answer in each.answers})
        self._silent = {key: unanswered(each.answers) for key, each in asked.items()}
        self._scores = {key: self._scored(key, set()) for key in asked}

    def model(self, key: str) -> ModelResult:
        """Return one model's result."""
        each, silent = self._asked[key], self._silent[key]
        answers = sum(answer.given for answer in each.answers)
        spoken = self._scored(key, silent) if silent else {}
        return ModelResult(
            model=each.model,
            answers=answers,
            unanswered=len(silent),
            unanswered_by=each.unanswered_by,
            scores=self._intervals(self._scores[key]),
            of_answered=self._intervals({score: spoken[score] for score in MISSING_IS_WRONG if score in spoken}),
            cost=each.cost,
            usd_per_answer=each.cost.usd / answers if each.cost.usd is not None and answers else None,
        )

    def compared(self, key: str, baseline: str) -> list[tuple[str, str, Over, Comparison]]:
        """Return what can be compared of a model and the baseline: model, score, over which items, what was found."""
        silent = self._silent[key] | self._silent[baseline]
        over: Over = "answered by both" if silent else ALL
        ones, others = self._scores[key], self._scores[baseline]
        spoken = (self._scored(key, silent), self._scored(baseline, silent)) if silent else (ones, others)
        found: list[tuple[str, str, Over, Comparison]] = []
        for score in ones:
            counts = score in MISSING_IS_WRONG
            first, second = (ones, others) if counts else spoken
            if score in first and score in second:
                found.append((key, score, ALL if counts else over, self._compare(first[score], second[score])))
        if self._judged is not None and key in self._judged.pairs:
            sides = preference_of(self._judged.pairs[key], self.clusters)
            found.append((key, PREFERENCE, over, self._compare(sides.won, sides.lost)))
        return [each for each in found if not math.isnan(each[-1].difference.estimate)]

    def _scored(self, key: str, without: set[int]) -> dict[str, Score]:
        """Return a model's scores without some of the items; `answered` only where some model was silent."""
        answers = [answer for answer in self._asked[key].answers if answer.index not in without]
        verdicts = self._judged.scores.get(key) if self._judged is not None else None
        scores = scores_of(answers, self.clusters, grounded=self._grounded, verdicts=verdicts)
        if not any(self._silent.values()) or without:
            del scores["answered"]
        return scores

    def _intervals(self, scores: dict[str, Score]) -> dict[str, Interval]:
        return {score: interval(value, seed=self._seed) for score, value in scores.items()}

    def _compare(self, first: Score, second: Score) -> Comparison:
        return compare(first, second, seed=self._seed)


def _difference(
    key: str, baseline: str, score: str, over: Over, comparison: Comparison, p_value: float, clusters: int
) -> Difference:
    return Difference(
        model=key,
        baseline=baseline,
        score=score,
        items=over,
        difference=comparison.difference,
        p_value=comparison.p_value,
        p_corrected=p_value,
        verdict=_verdict(score, comparison.difference.estimate, p_value, clusters),
        detectable=comparison.detectable,
        clusters_needed=clusters_needed(comparison, clusters, WORTH_SHOWING),
    )


def _verdict(score: str, difference: float, p_value: float, clusters: int) -> Verdict:
    if clusters < CLUSTERS_LEAST or math.isnan(p_value) or p_value >= SIGNIFICANT:
        return "not told apart"
    return "better" if (difference > 0) != (score in LOWER_IS_BETTER) else "worse"


def _warnings(cluster: str, clusters: int, models: dict[str, ModelResult], judging: Judging | None) -> list[str]:
    warnings = []
    if clusters < CLUSTERS_LEAST:
        warnings.append(
            f"too small to tell: {clusters} different values of {cluster}; "
            f"below {CLUSTERS_LEAST} neither intervals nor tests are to be trusted"
        )
    for key, each in models.items():
        if each.unanswered:
            reasons = ", ".join(f"{reason} {count:,}" for reason, count in each.unanswered_by.items())
            warnings.append(
                f"{key} gave no answer to {each.unanswered:,} items{f' ({reasons})' if reasons else ''}: they count as "
                "wrong in recall, F1 and format; in all else models are compared over the items that both answered"
            )
    return warnings + (_judge_warnings(models, judging) if judging is not None else [])


def _judge_warnings(models: dict[str, ModelResult], judging: Judging) -> list[str]:
    warnings = [
        f"the judge is {key} itself; judges favour their own answers (Zheng et al. 2023)"
        for key, each in models.items()
        if each.model == judging.model
    ]
    for each in judging.judgements:
        if each.first.low > UNBIASED or each.first.high < UNBIASED:
            side = "first" if each.first.estimate > UNBIASED else "second"
            warnings.append(
                f"the judge favours what stands {side}: of {each.model} and {each.baseline} it names the first in "
                f"{each.first.estimate:.3f} [{each.first.low:.3f}, {each.first.high:.3f}] of its choices; "
                "where its two orders disagree, the pair ties"
            )
    if judging.unjudged:
        what = "pairs" if judging.judgements else "answers"
        warnings.append(f"the judge's verdict on {judging.unjudged:,} {what} could not be read; they are not counted")
    return warnings
