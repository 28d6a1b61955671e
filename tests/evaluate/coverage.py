"""How often the 95 % intervals contain the truth, where the truth is known: `python -m tests.evaluate.coverage`.

A simulated reader lists what documents name. Documents differ: each has its own share of right items and of items that
are found, drawn around the known means, so answers to one document resemble each other. That is what a bootstrap over
answers would miss.
"""

import argparse
import sys

import numpy as np

from corpusmill.evaluate.intervals import Interval, Score, interval

PRECISION, RECALL = 0.86, 0.78
"""The truth."""
LIKENESS = 12.0
"""Beta distributions of the documents' own shares have this sum of parameters: the smaller, the more they differ."""
TASKS, DRAWS = 4, 3
DOCUMENTS = 40


def one(seed: int, documents: int = DOCUMENTS, resamples: int = 1000) -> tuple[Interval, Interval]:
    """Return the intervals of precision and recall of one simulated evaluation."""
    random = np.random.default_rng(seed)
    found = random.beta(RECALL * LIKENESS, (1 - RECALL) * LIKENESS, documents)
    sound = random.beta(PRECISION * LIKENESS, (1 - PRECISION) * LIKENESS, documents)
    named = random.poisson(2.5, (documents, TASKS)).sum(axis=1) * DRAWS
    told = random.poisson(2.5, (documents, TASKS)).sum(axis=1) * DRAWS
    right_of_named = random.binomial(named, found).astype(np.float64)
    right_of_told = random.binomial(told, sound).astype(np.float64)
    precision = Score(right_of_told, told.astype(np.float64))
    recall = Score(right_of_named, named.astype(np.float64))
    return interval(precision, seed=seed, resamples=resamples), interval(recall, seed=seed, resamples=resamples)


def covered(simulations: int, documents: int = DOCUMENTS, resamples: int = 1000) -> tuple[float, float]:
    """Return the shares of simulations whose intervals contain the known precision and recall."""
    hits = np.zeros(2)
    for seed in range(simulations):
        precision, recall = one(seed, documents, resamples)
        hits += (precision.low <= PRECISION <= precision.high, recall.low <= RECALL <= recall.high)
    return float(hits[0] / simulations), float(hits[1] / simulations)


def main() -> int:
    """Print the shares for several numbers of documents; fail where one lies outside of 93 to 97 %."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=1000)
    sound = True
    sys.stdout.write("documents  precision  recall   (share of 95 % intervals that contain the truth)\n")
    for documents in (20, 40, 100):
        shares = covered(parser.parse_args().simulations, documents)
        sound = sound and all(0.93 <= share <= 0.97 for share in shares)
        sys.stdout.write(f"{documents:9}  {shares[0]:9.1%}  {shares[1]:6.1%}\n")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
