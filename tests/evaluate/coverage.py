"""How often the 95 % intervals contain the truth, where the truth is known: `python -m tests.evaluate.coverage`.

Each simulated evaluation has three models, as a real one has: base, tuned and teacher, read by simulated readers who
list what documents name. Documents differ: for each model a document has its own share of right items and of items that
are found, drawn around the known means, so answers to one document resemble each other. That is what a bootstrap over
answers would miss. So it is with the pairs that a judge compares. Simulation n has seed n, from 0 on.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from corpusmill.evaluate.intervals import Interval, Score, compare, interval

MODELS = {"base": (0.86, 0.78), "teacher": (0.92, 0.88), "tuned": (0.97, 0.95)}
"""Model -> the truth: its precision and recall."""
PARTS = ("precision", "recall")
COLUMNS = (*PARTS, "difference", "won", "preference")
WON, TIED, LOST = 0.35, 0.5, 0.15
"""The truth of a judge: shares of pairs."""
LIKENESS = 12.0
"""Beta distributions of the documents' own shares have this sum of parameters: the smaller, the more they differ."""
TASKS, DRAWS = 4, 3
SIZES = (20, 40, 100)
"""Documents of an evaluation."""
BOUNDS = (0.93, 0.97)


def one(seed: int, documents: int, resamples: int = 1000) -> Iterator[tuple[str, Interval, float]]:
    """Yield the intervals of one simulated evaluation, each with what it is of and the truth.

    A difference is that of two models in one of the parts; a judge compares the last of them with the first.
    """
    random = np.random.default_rng(seed)
    scores: dict[str, list[Score]] = {}
    for model, truths in MODELS.items():
        scores[model] = []
        for part, truth in zip(PARTS, truths, strict=True):
            share = random.beta(truth * LIKENESS, (1 - truth) * LIKENESS, documents)
            listed = random.poisson(2.5, (documents, TASKS)).sum(axis=1) * DRAWS
            right = random.binomial(listed, share).astype(np.float64)
            scores[model].append(Score(right, listed.astype(np.float64)))
            yield part, interval(scores[model][-1], seed=seed, resamples=resamples), truth
    for model, truths in list(MODELS.items())[1:]:
        for first, second, truth, base in zip(scores[model], scores["base"], truths, MODELS["base"], strict=True):
            found = compare(first, second, seed=seed, resamples=resamples, swaps=1)
            yield "difference", found.difference, truth - base
    shares = random.dirichlet([WON * LIKENESS, TIED * LIKENESS, LOST * LIKENESS], documents)
    won, _, lost = (Score(counts, np.full(documents, float(TASKS))) for counts in _pairs(random, shares).T)
    yield "won", interval(won, seed=seed, resamples=resamples), WON
    yield "preference", compare(won, lost, seed=seed, resamples=resamples, swaps=1).difference, WON - LOST


def _pairs(random: np.random.Generator, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many pairs of each document are won, tied and lost."""
    return random.multinomial(TASKS, shares).astype(np.float64)


def covered(simulations: int, documents: int, resamples: int = 1000) -> dict[str, float]:
    """Return, by what is told, the share of intervals that contain the truth."""
    hits, asked = Counter[str](), Counter[str]()
    for seed in range(simulations):
        for what, found, truth in one(seed, documents, resamples):
            asked[what] += 1
            hits[what] += found.low <= truth <= found.high
    return {what: hits[what] / asked[what] for what in COLUMNS}


def main() -> int:
    """Print the shares for several numbers of documents; fail where one lies outside of 93 to 97 %."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=200)
    simulations = parser.parse_args().simulations
    sound = True
    sys.stdout.write(f"share of 95 % intervals that contain the truth, {simulations:,} simulations, seeds from 0\n")
    sys.stdout.write(f"{'documents':>9}" + "".join(f"{what:>12}" for what in COLUMNS) + "\n")
    for documents in SIZES:
        shares = covered(simulations, documents)
        sound = sound and all(BOUNDS[0] <= share <= BOUNDS[1] for share in shares.values())
        sys.stdout.write(f"{documents:9}" + "".join(f"{shares[what]:>12.1%}" for what in COLUMNS) + "\n")
        sys.stdout.flush()
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
