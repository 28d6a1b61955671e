"""One answer against what is true: which items it lists, which of them are right, and in what form it comes.

Rule of this file: pure; texts in, counts out. Case, punctuation and spacing never decide.
"""

import re2

from corpusmill.chain.filters.grounding import folded
from corpusmill.chain.parsers import ParseError, parse_list


def items_of(answer: str, none: str) -> list[str]:
    """Return the different items that an answer lists; none where it says that it found none, or says nothing."""
    if folded(answer) in (folded(none), " "):
        return []
    try:
        told = [str(item) for item in parse_list(answer)]
    except ParseError:
        return []
    return different(told)


def different(items: list[str]) -> list[str]:
    """Return the items that say something, each once, whatever its case."""
    return list({folded(item): item for item in items if folded(item).strip()}.values())


def right_of(told: list[str], true: list[str], match: float) -> int:
    """Return how many of the told items are true ones, each told item for one true one, the likest first.

    Two items are one where the words of one contain those of the other, and they share enough of all their words.

    Args:
        told: different items.
        true: different items.
        match: the least share of common words, 1 for all.
    """
    pairs = [
        (likeness, one, other)
        for one, told_item in enumerate(told)
        for other, true_item in enumerate(true)
        if (likeness := _likeness(told_item, true_item)) >= match
    ]
    taken: set[int] = set()
    used: set[int] = set()
    for _, one, other in sorted(pairs, reverse=True):
        if one not in taken and other not in used:
            taken.add(one)
            used.add(other)
    return len(taken)


def grounded_of(told: list[str], source: str) -> int:
    """Return how many of the items stand in the source."""
    text = folded(source)
    return sum(folded(item) in text for item in told)


def is_formed(answer: str, form: str, none: str) -> bool:
    """Whether every line of an answer has the form asked for, or the answer says that there is nothing."""
    if folded(answer) == folded(none):
        return True
    lines = [line.strip() for line in answer.splitlines() if line.strip()]
    return bool(lines) and all(re2.fullmatch(form, line) for line in lines)


def agreement(ones: list[str], others: list[str]) -> float:
    """Return the share of items that two draws have in common, of all that either has; 1 where both have none."""
    first, second = ({folded(item) for item in items} for items in (ones, others))
    return len(first & second) / len(first | second) if first | second else 1.0


def shape(answer: str) -> str:
    """Return what a list looks like: the first character of each line by kind, repeated ones once."""
    marks = [_mark(line.strip()) for line in answer.splitlines() if line.strip()]
    return "".join(mark for place, mark in enumerate(marks) if place == 0 or mark != marks[place - 1])


def _mark(line: str) -> str:
    first = line[:1]
    return "1" if first.isdigit() else "a" if first.isalpha() else first


def _likeness(one: str, other: str) -> float:
    first, second = set(folded(one).split()), set(folded(other).split())
    if not (first <= second or second <= first):
        return 0.0
    return len(first & second) / len(first | second)
