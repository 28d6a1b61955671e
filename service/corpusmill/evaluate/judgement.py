"""What pairs that were judged come to: who wins, and how much the judge goes by the order.

Rule of this file: numbers in, numbers out, by the statistics of all other scores; pairs about one cluster stand or fall
together.
"""

from collections.abc import Callable

import msgspec
import numpy as np

from corpusmill.evaluate.intervals import Interval, Score, interval
from corpusmill.evaluate.judge import Pair


class Judgement(msgspec.Struct, frozen=True):
    """A model against the baseline in the judge's eyes.

    Attributes:
        pairs, same, unjudged: pairs that are judged; those among them that are the same, which tie unasked; and pairs
            without a verdict that could be read, which are in no figure.
        won, tied, lost: shares of the pairs.
        contradicted: of the pairs asked about, the share where the orders disagree; such a pair ties.
        first: of the verdicts that are no tie, the share for the answer that stood first; 0.5 where order is nothing
            to the judge.
    """

    model: str
    baseline: str
    pairs: int
    same: int
    unjudged: int
    won: Interval
    tied: Interval
    lost: Interval
    contradicted: Interval
    first: Interval


class Preference(msgspec.Struct, frozen=True):
    """The two sides of a comparison: the shares that a model wins and loses. To swap the models swaps these."""

    won: Score
    lost: Score


def judgement_of(
    model: str, baseline: str, pairs: list[Pair], unjudged: int, clusters: list[str], *, seed: int
) -> Judgement:
    """Return what the pairs of a model and the baseline come to."""

    def share(above: Callable[[Pair], int], below: Callable[[Pair], int]) -> Interval:
        return interval(_score(pairs, clusters, above, below), seed=seed)

    return Judgement(
        model=model,
        baseline=baseline,
        pairs=len(pairs),
        same=sum(not pair.asked for pair in pairs),
        unjudged=unjudged,
        won=share(lambda pair: pair.outcome > 0, _one),
        tied=share(lambda pair: pair.outcome == 0, _one),
        lost=share(lambda pair: pair.outcome < 0, _one),
        contradicted=share(lambda pair: pair.contradicted, lambda pair: pair.asked),
        first=share(lambda pair: pair.first, lambda pair: pair.decided),
    )


def preference_of(pairs: list[Pair], clusters: list[str]) -> Preference:
    """Return both sides of the comparison of a model and the baseline."""
    return Preference(
        _score(pairs, clusters, lambda pair: pair.outcome > 0, _one),
        _score(pairs, clusters, lambda pair: pair.outcome < 0, _one),
    )


def _one(_pair: Pair) -> int:
    return 1


def _score(pairs: list[Pair], clusters: list[str], above: Callable[[Pair], int], below: Callable[[Pair], int]) -> Score:
    rows = {cluster: row for row, cluster in enumerate(clusters)}
    score = Score(np.zeros(len(clusters)), np.zeros(len(clusters)))
    for pair in pairs:
        score.numerators[rows[pair.cluster]] += above(pair)
        score.denominators[rows[pair.cluster]] += below(pair)
    return score
