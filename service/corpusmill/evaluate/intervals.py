"""How sure a score is, and whether two models differ: intervals and tests over whole documents.

Rules of this file: numbers in, numbers out; chance comes from a seed. Every score is a ratio of sums over clusters:
what comes of one document (its tasks, its draws) stands or falls together, so documents are drawn again, never answers.
Taking answers for independent makes intervals too narrow by a factor that nobody sees.
"""

import math
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 4000
"""Bootstrap samples: the ends of an interval move by about a fiftieth of its width between seeds."""

SWAPS = 10_000
"""Random swaps of a paired test; the least p-value that it can give is one in so many."""

BLOCK_CELLS = 1 << 20
"""Most cells of a table of weights at once: 8 MiB."""

CLUSTERS_LEAST = 20
"""Documents below which no interval is to be trusted, whatever its width."""


class Interval(msgspec.Struct, frozen=True):
    """An estimate, and between which ends the truth lies with the confidence asked for; NaN where nothing is known."""

    estimate: float
    low: float
    high: float


class Score(msgspec.Struct, frozen=True):
    """A score as sums per cluster: its value is the sum of `numerators` over the sum of `denominators`.

    Precision is right over (right + wrong), F1 is 2 right over (2 right + wrong + missed), a mean has the count of its
    values as denominator.

    Attributes:
        numerators, denominators: one number a cluster, in the same order of clusters for all models; shape (clusters,).
    """

    numerators: Floats
    denominators: Floats

    @property
    def clusters(self) -> int:
        """How many clusters have something to say."""
        return int(np.count_nonzero(self.denominators))

    @property
    def value(self) -> float:
        """The score, NaN where nothing was counted."""
        return _ratio(float(self.numerators.sum()), float(self.denominators.sum()))


class Comparison(msgspec.Struct, frozen=True):
    """Two models on the same clusters.

    Attributes:
        difference: first minus second.
        p_value: how often chance alone, swapping the models document by document, makes a difference so large.
        detectable: the least difference that a sample of this size finds four times in five.
    """

    difference: Interval
    p_value: float
    detectable: float


def interval(score: Score, *, seed: int = 0, confidence: float = CONFIDENCE, resamples: int = RESAMPLES) -> Interval:
    """Return the score with its interval.

    Studentized bootstrap over clusters (Davison and Hinkley, Bootstrap Methods and their Application, 1997, chapter 5),
    on the logit scale for scores that lie between 0 and 1, where the percentile bootstrap covers too little near the
    ends. The spread that the pivots are laid out with is the jackknife's, which errs on the wide side (Efron and Stein,
    The jackknife estimate of variance, 1981): with few clusters the plain one is too small. Where all clusters agree
    exactly there is no spread to draw from: the end is then the exact binomial bound for as many clusters (Clopper and
    Pearson, 1934).
    """
    estimate = score.value
    if math.isnan(estimate):
        return Interval(estimate, math.nan, math.nan)
    numerators, denominators = _speaking(score)
    if np.ptp(numerators / denominators) == 0:
        return _unanimous(estimate, len(numerators), confidence)
    scale = _Scale(bounded=bool(np.all((numerators >= 0) & (numerators <= denominators))))
    centre, spread = scale.to(estimate), _jackknifed(numerators, denominators, scale)
    errors: list[Floats] = []
    for weights in _weights(len(numerators), resamples, seed):
        sums, totals = weights @ numerators, weights @ denominators
        ratios = sums / np.maximum(totals, 1e-300)
        residuals = (weights * (numerators - ratios[:, None] * denominators) ** 2).sum(axis=1)
        spreads = np.sqrt(residuals) / totals * scale.slope(ratios)
        usable = (totals > 0) & (spreads > 0) & scale.inside(ratios)
        errors.append((scale.to_all(ratios[usable]) - centre) / spreads[usable])
    pivots = np.concatenate(errors)
    if len(pivots) < resamples // 2:
        return _unanimous(estimate, len(numerators), confidence)
    low, high = _ends(pivots, confidence)
    return Interval(estimate, scale.back(centre - high * spread), scale.back(centre - low * spread))


def compare(
    first: Score,
    second: Score,
    *,
    seed: int = 0,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    swaps: int = SWAPS,
) -> Comparison:
    """Return how two models differ on the same clusters.

    The interval is a studentized bootstrap that draws the same documents for both, its spread the jackknife's as for
    one model. The test is approximate randomization: under the hypothesis that the models are alike, each document's
    two results may be swapped (Yeh, More accurate tests for the statistical significance of result differences, COLING
    2000).

    Raises:
        ValueError: the scores have different clusters.
    """
    if first.numerators.shape != second.numerators.shape:
        raise ValueError("models are compared on the same clusters only")
    difference = first.value - second.value
    if math.isnan(difference):
        return Comparison(Interval(difference, math.nan, math.nan), math.nan, math.nan)
    spread = _jackknifed_difference(first, second)
    # 1.96 and 0.84: two-sided 5 % error, 80 % power.
    detectable = (1.960 + 0.842) * spread
    return Comparison(
        _difference_interval(first, second, spread, seed, confidence, resamples),
        _swapped(first, second, seed, swaps),
        detectable,
    )


def clusters_needed(comparison: Comparison, clusters: int, difference: float) -> int:
    """Return how many clusters would show a difference of this size four times in five."""
    if math.isnan(comparison.detectable) or difference <= 0:
        return 0
    return math.ceil(clusters * (comparison.detectable / difference) ** 2)


def holm(p_values: list[float]) -> list[float]:
    """Return p-values corrected for there being several (Holm, Scandinavian Journal of Statistics, 1979)."""
    known = [place for place, p_value in enumerate(p_values) if not math.isnan(p_value)]
    corrected, highest = [math.nan] * len(p_values), 0.0
    for rank, place in enumerate(sorted(known, key=lambda place: p_values[place])):
        highest = max(highest, min(1.0, (len(known) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected


class _Scale:
    """The scale on which errors are closest to symmetric: logits for shares, else the score's own."""

    def __init__(self, *, bounded: bool) -> None:
        self._bounded = bounded

    def to(self, value: float) -> float:
        return math.log(value / (1 - value)) if self._bounded else value

    def to_all(self, values: Floats) -> Floats:
        return np.log(values / (1 - values)) if self._bounded else values

    def back(self, value: float) -> float:
        if not self._bounded:
            return float(value)
        return 1 / (1 + math.exp(-value)) if value > -700 else 0.0

    def inside(self, values: Floats) -> NDArray[np.bool_]:
        return (values > 0) & (values < 1) if self._bounded else np.isfinite(values)

    def slope(self, values: Floats) -> Floats:
        return 1 / np.maximum(values * (1 - values), 1e-12) if self._bounded else np.ones_like(values)


def _speaking(score: Score) -> tuple[Floats, Floats]:
    """Return the clusters that have something to say."""
    speaks = score.denominators > 0
    return score.numerators[speaks], score.denominators[speaks]


def _ends(pivots: Floats, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low, high = np.quantile(pivots, [tail, 1 - tail])
    return float(low), float(high)


def _jackknifed(numerators: Floats, denominators: Floats, scale: _Scale) -> float:
    """Return the standard error of the ratio on the scale, by leaving out each cluster.

    Where the others' ratio lies at an end, which the scale does not have, its deviation is told by the delta method.
    """
    clusters, whole = len(numerators), float(denominators.sum())
    estimate = float(numerators.sum()) / whole
    others = (numerators.sum() - numerators) / (whole - denominators)
    slope = float(scale.slope(np.array([estimate]))[0])
    inside = scale.inside(others)
    on_scale = scale.to_all(np.where(inside, others, estimate)) - scale.to(estimate)
    deviations = np.where(inside, on_scale, (others - estimate) * slope)
    return math.sqrt((clusters - 1) / clusters * float(((deviations - deviations.mean()) ** 2).sum()))


def _difference_interval(
    first: Score, second: Score, spread: float, seed: int, confidence: float, resamples: int
) -> Interval:
    difference = first.value - second.value
    pivots: list[Floats] = []
    for weights in _weights(len(first.numerators), resamples, seed):
        ones, others = _ratios(weights, first), _ratios(weights, second)
        residuals = _drawn_residuals(weights, first, ones) - _drawn_residuals(weights, second, others)
        spreads = np.sqrt((weights * residuals**2).sum(axis=1))
        usable = spreads > 0
        pivots.append((ones - others - difference)[usable] / spreads[usable])
    errors = np.concatenate(pivots)
    if spread == 0 or len(errors) < resamples // 2:
        unseen = _unseen(int(np.count_nonzero(first.denominators + second.denominators)), confidence)
        return Interval(difference, difference - unseen, difference + unseen)
    low, high = _ends(errors, confidence)
    return Interval(difference, difference - high * spread, difference - low * spread)


def _drawn_residuals(weights: Floats, score: Score, ratios: Floats) -> Floats:
    """Return what each cluster adds to the error of the ratio in each bootstrap sample; NaN where nothing was drawn."""
    totals = weights @ score.denominators
    kept = np.where(totals > 0, totals, np.nan)[:, None]
    residuals: Floats = (score.numerators - ratios[:, None] * score.denominators) / kept
    return residuals


def _jackknifed_difference(first: Score, second: Score) -> float:
    """Return the standard error of the difference of two ratios, by leaving out each cluster of both."""
    clusters = len(first.numerators)
    deviations = _left_out(first) - _left_out(second)
    deviations = deviations[~np.isnan(deviations)]
    return math.sqrt((clusters - 1) / clusters * float(((deviations - deviations.mean()) ** 2).sum()))


def _left_out(score: Score) -> Floats:
    """Return the score without each of its clusters; NaN where nothing is left."""
    rest = score.denominators.sum() - score.denominators
    return np.where(rest > 0, (score.numerators.sum() - score.numerators) / np.where(rest > 0, rest, 1), np.nan)


def _weights(clusters: int, resamples: int, seed: int) -> list[Floats]:
    """Return how often each cluster is drawn in each bootstrap sample, in blocks; shape of each (samples, clusters)."""
    random = np.random.default_rng(seed)
    block = max(1, BLOCK_CELLS // max(clusters, 1))
    shares = np.full(clusters, 1 / clusters)
    sizes = [min(block, resamples - start) for start in range(0, resamples, block)]
    return [random.multinomial(clusters, shares, size=size).astype(np.float64) for size in sizes]


def _ratios(weights: Floats, score: Score) -> Floats:
    totals = weights @ score.denominators
    return np.where(totals > 0, (weights @ score.numerators) / np.where(totals > 0, totals, 1), np.nan)


def _swapped(first: Score, second: Score, seed: int, swaps: int) -> float:
    observed = abs(first.value - second.value)
    random = np.random.default_rng(seed + 1)
    clusters, extreme, done = len(first.numerators), 0, 0
    while done < swaps:
        size = min(swaps - done, max(1, BLOCK_CELLS // clusters))
        swap = random.integers(0, 2, size=(size, clusters)).astype(np.float64)
        ones = _mixed(swap, first, second)
        others = _mixed(swap, second, first)
        extreme += int(np.count_nonzero(np.abs(ones - others) >= observed - 1e-12))
        done += size
    return (extreme + 1) / (swaps + 1)


def _mixed(swap: Floats, first: Score, second: Score) -> Floats:
    """Return the ratio of the first model with the swapped clusters taken from the second; shape (swaps,)."""
    numerators = first.numerators.sum() + swap @ (second.numerators - first.numerators)
    denominators = first.denominators.sum() + swap @ (second.denominators - first.denominators)
    return np.where(denominators > 0, numerators / np.where(denominators > 0, denominators, 1), 0.0)


def _unanimous(estimate: float, clusters: int, confidence: float) -> Interval:
    """Return the exact binomial ends for clusters that all say the same; open ends where that is not 0 or 1."""
    unseen = _unseen(clusters, confidence)
    if estimate == 1:
        return Interval(1.0, 1 - unseen, 1.0)
    if estimate == 0:
        return Interval(0.0, 0.0, unseen)
    return Interval(estimate, estimate, estimate)


def _unseen(clusters: int, confidence: float) -> float:
    """Return the share of clusters that may be otherwise though none of so many is (Clopper and Pearson)."""
    return 1.0 - float(((1 - confidence) / 2) ** (1 / clusters))


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.nan
