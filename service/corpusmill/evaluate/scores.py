"""What answers come to: one score for each question that an evaluation asks, over the clusters.

Rules of this file: every score is a ratio of sums over clusters, so that the statistics are the same for all. Where
there is no answer, nothing that is true was told and no form was kept; what was listed, and how steadily, cannot be
said of it.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from corpusmill.evaluate.answers import Answer, draws_of
from corpusmill.evaluate.intervals import Score

JUDGED = "judge"

PARTS: dict[str, tuple[Callable[[Answer], float], Callable[[Answer], float]]] = {
    "precision": (lambda answer: answer.right, lambda answer: answer.told),
    "recall": (lambda answer: answer.right, lambda answer: answer.named),
    "f1": (lambda answer: 2 * answer.right, lambda answer: answer.told + answer.named),
    "groundedness": (lambda answer: answer.grounded, lambda answer: answer.told),
    "format": (lambda answer: answer.formed, lambda _answer: 1),
    "answered": (lambda answer: answer.given, lambda _answer: 1),
}
"""Score -> what of an answer is counted above, and what below."""

MISSING_IS_WRONG = ("recall", "f1", "format", "answered", JUDGED)
"""Scores to which an item without an answer adds, as one that was answered wrong; the others are of answers alone."""

CONSISTENCY = ("agreement", "same_shape", "length_spread")
"""Scores of the draws of an item among themselves; they say nothing of what is true."""

LOWER_IS_BETTER = frozenset({"length_spread"})

PREFERENCE = "preference"
"""The difference of the shares of pairs that a model wins and loses; of two models, and so no score of one."""

MEANINGS = {
    "precision": "of the items listed, the share that is true",
    "recall": "of what is true, the share that is listed",
    "f1": "precision and recall in one",
    "groundedness": "of the items listed, the share that stands in the source",
    "format": "share of answers in the form asked for",
    "answered": "share of draws that there is an answer to",
    JUDGED: "the judge's score, from 0 for the least to 1 for the greatest",
    PREFERENCE: "share of pairs won less share of pairs lost, in the judge's eyes",
    "agreement": "items that two draws have in common",
    "same_shape": "pairs of draws that look alike",
    "length_spread": "how far the lengths of two draws lie apart (less is steadier)",
}

Verdicts = Mapping[tuple[int, int], float]
"""The judge's score of an answer, from 0 to 1, by the answer's index and choice."""


def scores_of(
    answers: list[Answer], clusters: list[str], *, grounded: bool, verdicts: Verdicts | None = None
) -> dict[str, Score]:
    """Return all scores of one model.

    Args:
        answers: of the model.
        clusters: of all models, in the order of all scores.
        grounded: whether there is a source.
        verdicts: the judge's scores; None where it gives none.
    """
    tally = _Tally(clusters)
    scores = {
        name: tally.score((answer.cluster, above(answer), below(answer)) for answer in answers)
        for name, (above, below) in PARTS.items()
        if name != "groundedness" or grounded
    }
    if verdicts is not None:
        scores[JUDGED] = tally.score(
            (answer.cluster, verdicts[answer.index, answer.choice], 1)
            for answer in answers
            if (answer.index, answer.choice) in verdicts
        )
    drawn = draws_of(answers)
    for name in CONSISTENCY if drawn else ():
        scores[name] = tally.score((draws.cluster, getattr(draws, name), draws.pairs) for draws in drawn)
    return scores


class _Tally:
    """Sums by cluster."""

    def __init__(self, clusters: list[str]) -> None:
        self._rows = {cluster: row for row, cluster in enumerate(clusters)}

    def score(self, counts: Iterable[tuple[str, float, float]]) -> Score:
        """Return the score of these: cluster, above, below."""
        score = Score(np.zeros(len(self._rows)), np.zeros(len(self._rows)))
        for cluster, above, below in counts:
            score.numerators[self._rows[cluster]] += above
            score.denominators[self._rows[cluster]] += below
        return score
