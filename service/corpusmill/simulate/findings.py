"""What a clinical note names, and what a careless reader says it names.

Rules of this file: a finding is true where its words stand in the note. The known share of those that are told is
invented: half of them a real finding with another number, half another finding altogether; so that what a filter
removes can be compared with what it should.
"""

import re
from random import Random
from typing import NamedTuple

from corpusmill.simulate.grammar import read_rules

_NOTE = read_rules("note.txt")
_OWN = read_rules("findings.txt")


def _once(*terms: str) -> tuple[str, ...]:
    """Each term once, whatever its case: who misses it would find it a second time."""
    return tuple({term.lower(): term for term in terms}.values())


TERMS: dict[str, tuple[str, ...]] = {
    "diagnosis": _once(*_NOTE["condition"], *_OWN["diagnosis"]),
    "medication": _once(*_NOTE["drug"], *_OWN["medication"]),
    "prognosis": _once(*_OWN["prognosis"]),
    "test": _once(*_NOTE["test"], *_OWN["test"]),
}
"""What can be found, by what is looked for."""

REWORDED_SHARE = 0.02
"""Share of the true findings that are told in other words than the note's, where nobody says otherwise."""
_SYNONYMS = (
    ("three times daily", "3x a day"),
    ("twice daily", "2x a day"),
    ("daily", "every day"),
    ("at night", "nightly"),
)
NONE_FOUND = "None found."

_SOUGHT = re.compile(
    r"\b(?:list|names?|mentions?|any|every|all|was|were)\b[^.?!\n]{0,40}?\b(diagnos[ei]s|medications?|prognos[ei]s|tests?)\b"
)
_NOTE_NAMED = re.compile(r"\bnotes?\b")
_KEYS = {"d": "diagnosis", "m": "medication", "p": "prognosis", "t": "test"}
_NUMBER = re.compile(r"\d+")


class Care(NamedTuple):
    """How carefully a note is read.

    Attributes:
        invented: of the findings that are told, in the mean, the share that the note does not name; below 1.
        missed: of what the note names, the share that is not told.
        sloppy: of the lists, the share that has numbers and an introduction instead of bullets.
        reworded: of the true findings, the share that is told in other words than the note's.
    """

    invented: float = 0.0
    missed: float = 0.0
    sloppy: float = 0.0
    reworded: float = REWORDED_SHARE

    def times(self, share: float) -> "Care":
        """Return a reader who has only this share of each fault."""
        return Care(*(each * share for each in self))


class Finding(NamedTuple):
    """One thing that is said to be in a note, and whether it was invented."""

    text: str
    invented: bool


def sought_in(cues: str) -> str:
    """What a prompt, in small letters, wants found in a note; "" where it wants something else."""
    found = _SOUGHT.search(cues)
    return _KEYS[found[1][0]] if found and _NOTE_NAMED.search(cues) else ""


def named_in(source: str, sought: str) -> list[str]:
    """What of the sought a text names, in the order of the terms."""
    lowered = source.lower()
    return [term for term in TERMS[sought] if term.lower() in lowered]


def findings(source: str, sought: str, random: Random, care: Care) -> list[Finding]:
    """What a reader lists: what the text names, some of it in other words, and what it does not name.

    Args:
        source: the text, with or without the question around it.
        sought: a key of `TERMS`.
        random: decides what is invented and missed.
        care: the reader's.
    """
    true = named_in(source, sought)
    told: list[Finding] = []
    for term in true:
        if care.missed and random.random() < care.missed:
            continue
        told.append(Finding(_reworded(term, random, care.reworded), invented=False))
        if random.random() < care.invented / (1 - care.invented):
            taken = {finding.text.lower() for finding in told}
            told.append(Finding(_invented(source, sought, true, random, taken), invented=True))
    unique = {finding.text.lower(): finding for finding in told}
    return list(unique.values())


def _reworded(term: str, random: Random, share: float) -> str:
    """A finding in other words, seldom; else as it is."""
    if random.random() >= share:
        return term
    for words, synonym in _SYNONYMS:
        if term.endswith(words):
            return term.removesuffix(words) + synonym
    *rest, last = term.split()
    return f"{last} of {' '.join(rest)}" if rest else term


def _invented(source: str, sought: str, true: list[str], random: Random, taken: set[str]) -> str:
    """Something that the text does not name, and that is not told already: what is told twice is told once."""
    numbered = [term for term in true if _NUMBER.search(term)]
    if numbered and random.random() < 0.5:
        altered = _NUMBER.sub(lambda number: str(int(number[0]) * 2 + 5), random.choice(numbered), count=1)
        if altered.lower() not in source.lower() and altered.lower() not in taken:
            return altered
    lowered = source.lower()
    return random.choice([term for term in TERMS[sought] if term.lower() not in lowered and term.lower() not in taken])
