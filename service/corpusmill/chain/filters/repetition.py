"""Recognise texts that repeat themselves: the same lines, paragraphs or runs of words again and again.

Rule of this file: shares are of the whole text, and what came first is not a repetition (after Gopher's rules, Rae et
al. 2021, table A1, with looser bounds: those were made for web pages, and on completions they reject good texts).
"""

from collections.abc import Iterable

import numpy as np

from corpusmill.chain.filters.subject import Check, Rejection, Subject
from corpusmill.chain.words import run_numbers, word_numbers
from corpusmill.spec.schema import Filter, Repetition

RUN_WORDS = 5
"""Words of a run."""

LEAST_RUNS = 20
"""With fewer runs a share of them says little."""


def repetition(spec: Filter) -> Check | None:
    """The text does not repeat itself too much."""
    if spec.no_repetition is False:
        return None
    bounds = Repetition() if spec.no_repetition is True else spec.no_repetition

    def check(subject: Subject) -> Rejection | None:
        text = subject.text
        for unit, most, share in (
            ("lines", bounds.lines, _repeated_chars(text.split("\n")) if "\n" in text else 0.0),
            ("paragraphs", bounds.paragraphs, _repeated_chars(text.split("\n\n")) if "\n\n" in text else 0.0),
            (f"runs of {RUN_WORDS} words", bounds.runs, _repeated_runs(text)),
        ):
            if share > most:
                return Rejection(
                    "no_repetition", f"{share:.0%} of it repeats earlier {unit}; at most {most:.0%} wanted"
                )
        return None

    return check


def _repeated_chars(parts: Iterable[str]) -> float:
    """Return the share of the characters of some parts that stand in parts that came before."""
    seen: set[str] = set()
    total = repeated = 0
    for each in parts:
        part = each.strip()
        total += len(part)
        repeated += len(part) if part in seen else 0
        seen.add(part)
    return repeated / total if total else 0.0


def _repeated_runs(text: str) -> float:
    """Return the share of a text's runs of words that came before."""
    runs = run_numbers(word_numbers(text), RUN_WORDS)
    if len(runs) < LEAST_RUNS:
        return 0.0
    runs.sort()
    return int(np.count_nonzero(runs[1:] == runs[:-1])) / len(runs)
