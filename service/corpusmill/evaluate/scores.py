"""What answers come to: one score for each question that an evaluation asks, over the clusters.

Rule of this file: every score is a ratio of sums over clusters, so that the statistics are the same for all.
"""

from collections.abc import Callable

import numpy as np

from corpusmill.evaluate.answers import Answer, draws_of
from corpusmill.evaluate.intervals import Score

PARTS: dict[str, tuple[Callable[[Answer], float], Callable[[Answer], float]]] = {
    "precision": (lambda answer: answer.right, lambda answer: answer.told),
    "recall": (lambda answer: answer.right, lambda answer: answer.named),
    "f1": (lambda answer: 2 * answer.right, lambda answer: answer.told + answer.named),
    "groundedness": (lambda answer: answer.grounded, lambda answer: answer.told),
    "format": (lambda answer: answer.formed, lambda _answer: 1),
}
"""Score -> what of an answer is counted above, and what below."""

CONSISTENCY = ("agreement", "same_shape", "length_spread")
"""Scores of the draws of an item among themselves; they say nothing of what is true."""

SCORES = (*PARTS, *CONSISTENCY)
LOWER_IS_BETTER = frozenset({"length_spread"})

MEANINGS = {
    "precision": "of the items listed, the share that is true",
    "recall": "of what is true, the share that is listed",
    "f1": "precision and recall in one",
    "groundedness": "of the items listed, the share that stands in the source",
    "format": "share of answers in the form asked for",
    "agreement": "items that two draws have in common",
    "same_shape": "pairs of draws that look alike",
    "length_spread": "how far the lengths of two draws lie apart (less is steadier)",
}


def scores_of(answers: list[Answer], clusters: list[str], *, grounded: bool) -> dict[str, Score]:
    """Return all scores of one model.

    Args:
        answers: of the model.
        clusters: of all models, in the order of all scores.
        grounded: whether there is a source.
    """
    rows = {cluster: row for row, cluster in enumerate(clusters)}
    scores: dict[str, Score] = {}
    for name, (above, below) in PARTS.items():
        if name == "groundedness" and not grounded:
            continue
        score = Score(np.zeros(len(clusters)), np.zeros(len(clusters)))
        for answer in answers:
            score.numerators[rows[answer.cluster]] += above(answer)
            score.denominators[rows[answer.cluster]] += below(answer)
        scores[name] = score
    drawn = draws_of(answers)
    for name in CONSISTENCY if drawn else ():
        score = Score(np.zeros(len(clusters)), np.zeros(len(clusters)))
        for draws in drawn:
            score.numerators[rows[draws.cluster]] += getattr(draws, name)
            score.denominators[rows[draws.cluster]] += draws.pairs
        scores[name] = score
    return scores
