"""A judge of answers about a note, whose taste and whose bias for the first position are known.

Rules of this file: of two answers the one with fewer faults is better, a fault being an item that the note does not
name, or one that it names and the answer leaves out; as many faults are a tie. A known share of verdicts falls on what
stands first, whatever it says.
"""

import re
from random import Random
from typing import NamedTuple

from corpusmill.chain.parsers import ParseError, parse_list
from corpusmill.simulate.findings import named_in, sought_in

FIRST, SECOND, TIE = "A", "B", "tie"

_REQUEST = re.compile(r"\n\[REQUEST\]\n(.*?)\n\[ANSWER", re.DOTALL)
_ANSWERS = re.compile(r"\n\[ANSWER(?: [AB])?\]\n(.*?)(?=\n\[ANSWER B\]\n|\n\[VERDICT\]\n)", re.DOTALL)
_CUE_CHARS = 800
"""How much of the head of a request is read for what it seeks."""


class Case(NamedTuple):
    """What a judge is asked.

    Attributes:
        request: with the note in it.
        answers: one to be scored, or two to be compared.
    """

    request: str
    answers: tuple[str, ...]


def read_case(prompt: str) -> Case | None:
    """Return what a prompt puts before a judge; None where it does not."""
    request = _REQUEST.search(prompt)
    answers = tuple(_ANSWERS.findall(prompt))
    return Case(request[1], answers) if request and answers else None


def faults_of(request: str, answer: str) -> int:
    """Return how many items an answer invents or leaves out; 0 where the request is not about a note."""
    sought = sought_in(request[:_CUE_CHARS].lower())
    if not sought:
        return 0
    named = {term.lower() for term in named_in(request, sought)}
    return len(named ^ _told(answer))


def preferred(case: Case) -> str:
    """Return which of two answers is better."""
    first, second = (faults_of(case.request, answer) for answer in case.answers)
    return TIE if first == second else FIRST if first < second else SECOND


def verdict(case: Case, random: Random, bias: float) -> str:
    """Return what the judge says of two answers, with the bias for the first that it has."""
    return FIRST if random.random() < bias else preferred(case)


def score(case: Case, low: int, high: int) -> int:
    """Return what the judge says of one answer: the best score less one for each fault."""
    return max(low, high - faults_of(case.request, case.answers[0]))


def _told(answer: str) -> set[str]:
    if answer.strip().lower().rstrip(".") == "none found":
        return set()
    try:
        return {str(item).lower() for item in parse_list(answer)}
    except ParseError:
        return set()
