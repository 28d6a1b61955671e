"""How often the 95 % intervals contain the truth, where the truth is known: `python -m tests.evaluate.coverage`.

Each simulated evaluation has three models, as a real one has: base, tuned and teacher, read by simulated readers who
list what documents name. Documents differ: for each model a document has its own share of right items and of items that
are found, drawn around the known means, so answers to one document resemble each other. That is what a bootstrap over
answers would miss. So it is with the pairs that a judge compares. A last row has the readers of the simulated endpoint,
whose texts about notes are parsed and matched as in an evaluation. Simulation n has seed n, from 0 on.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
import yaml
from msgspec.structs import replace
from numpy.typing import NDArray

from corpusmill.evaluate.answers import Answer, counted
from corpusmill.evaluate.intervals import Interval, Score, compare, interval
from corpusmill.evaluate.items import HeldOut
from corpusmill.evaluate.scores import scores_of
from corpusmill.evaluate.spec import EvaluationSpec
from corpusmill.recipes import recipe_files
from corpusmill.simulate.brief import read_brief
from corpusmill.simulate.chance import derive, prompt_key
from corpusmill.simulate.findings import TERMS, Care
from corpusmill.simulate.text import invent
from tests.recipes.notes import notes

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
NOTES = 60
CARE = Care(invented=0.15, missed=0.12, sloppy=0.3, reworded=0.0)
READERS = {"tuned": 0.2, "base": 1.0}
"""Simulated reader -> what it has of these faults."""
Evaluation = Callable[[int, int, int], Iterator[tuple[str, Interval, float]]]
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


def read(seed: int, documents: int, resamples: int = 1000) -> Iterator[tuple[str, Interval, float]]:
    """As `one`, of simulated readers of notes: texts that are parsed, matched and counted as in an evaluation."""
    spec = msgspec.convert(yaml.safe_load(recipe_files("medical-loop")["heldout.yaml"]), EvaluationSpec)
    asked = list(notes(documents, seed))
    clusters = [str(note["id"]) for note in asked]
    scores = {}
    for number, (model, share) in enumerate(READERS.items()):
        care = CARE.times(share)
        answers = [each for note in asked for each in _answers(note, number, care, spec)]
        scores[model] = scores_of(answers, clusters, grounded=True)
        for part, truth in zip(PARTS, (1 - care.invented, 1 - care.missed), strict=True):
            yield part, interval(scores[model][part], seed=seed, resamples=resamples), truth
    for part, fault in zip(PARTS, (CARE.invented, CARE.missed), strict=True):
        found = compare(*(scores[model][part] for model in READERS), seed=seed, resamples=resamples, swaps=1)
        yield "difference", found.difference, fault * (READERS["base"] - READERS["tuned"])


def _answers(note: Mapping[str, Any], reader: int, care: Care, spec: EvaluationSpec) -> Iterator[Answer]:
    """Yield a reader's answers to all questions about a note."""
    for task, terms in TERMS.items():
        question = f"List every {task} that the note below names, each behind a dash.\n\n{note['text']}"
        named = [term for term in terms if term in note[task]]
        item = HeldOut(0, 0, f"{note['id']} {task}", b"", note["id"], named, note["text"], question, "")
        brief = replace(read_brief(question), care=care)
        for draw in range(DRAWS):
            text = invent(brief, derive(prompt_key(reader, question), "draw", draw), 2_500)
            yield counted(item, draw, text, spec)


def covered(simulations: int, documents: int, evaluation: Evaluation = one, resamples: int = 1000) -> dict[str, float]:
    """Return, by what is told, the share of intervals that contain the truth."""
    hits, asked = Counter[str](), Counter[str]()
    for seed in range(simulations):
        for what, found, truth in evaluation(seed, documents, resamples):
            asked[what] += 1
            hits[what] += found.low <= truth <= found.high
    return {what: hits[what] / asked[what] for what in COLUMNS if asked[what]}


def main() -> int:
    """Print the shares for several numbers of documents; fail where one lies outside of 93 to 97 %."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=200)
    simulations = parser.parse_args().simulations
    sound = True
    sys.stdout.write(f"share of 95 % intervals that contain the truth, {simulations:,} simulations, seeds from 0\n")
    sys.stdout.write(f"{'documents':>17}" + "".join(f"{what:>12}" for what in COLUMNS) + "\n")
    evaluations: list[tuple[str, Evaluation, int]] = [("", one, documents) for documents in SIZES]
    for name, evaluation, documents in [*evaluations, ("notes, ", read, NOTES)]:
        shares = covered(simulations, documents, evaluation)
        sound = sound and all(BOUNDS[0] <= share <= BOUNDS[1] for share in shares.values())
        cells = (f"{shares[what]:>12.1%}" if what in shares else f"{'-':>12}" for what in COLUMNS)
        sys.stdout.write(f"{f'{name}{documents}':>17}" + "".join(cells) + "\n")
        sys.stdout.flush()
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
