"""Texts with near duplicates among them, and the exact answer to which those are.

Rule of this file: the answer is found without any hash, on sets of word triples, over all pairs.
"""

import itertools
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator

WORDS = 470
"""Words of a text on average, as in GPT-3's plots."""

_LETTERS = "eeeetttaaaooiinnsshhrrddlcumwfgypbvk"


def made_texts(count: int, seed: int, *, words: int = WORDS, shared: float = 0.0) -> Iterator[str]:
    """Yield texts, two in five of them variants of an earlier one, with 0.3 to 12 % of its words edited.

    Args:
        count: texts.
        seed: replays them.
        words: of a text, on average.
        shared: share of each text that is the same boilerplate.
    """
    rng = random.Random(seed)
    vocabulary = ["".join(rng.choices(_LETTERS, k=rng.randint(2, 9))) for _ in range(8000)]
    weights = [1 / (rank + 10) for rank in range(len(vocabulary))]
    cumulative = list(itertools.accumulate(weights))
    boilerplate = rng.choices(vocabulary, cum_weights=cumulative, k=int(words * shared))
    recent: list[list[str]] = []
    for _ in range(count):
        if recent and rng.random() < 0.4:
            yield " ".join(boilerplate + _varied(rng.choice(recent), vocabulary, rng))
            continue
        own = int(words * (1 - shared) * rng.uniform(0.5, 1.5))
        text = rng.choices(vocabulary, cum_weights=cumulative, k=own)
        recent = [*recent[-200:], text]
        yield " ".join(boilerplate + text)


def triples(text: str) -> set[tuple[str, ...]]:
    """Return a text's word triples."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {tuple(words[place : place + 3]) for place in range(len(words) - 2)}


class AllPairs:
    """The exact Jaccard similarity of a text to every one that was added."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)

    def add(self, text: str) -> None:
        """Add a text."""
        held = triples(text)
        for each in held:
            self._holders[each].append(len(self._sizes))
        self._sizes.append(len(held))

    def most_similar(self, text: str) -> float:
        """Return the similarity of the most similar text."""
        held = triples(text)
        shared = Counter(row for each in held for row in self._holders.get(each, ()))
        return max((both / (len(held) + self._sizes[row] - both) for row, both in shared.items()), default=0.0)


def _varied(text: list[str], vocabulary: list[str], rng: random.Random) -> list[str]:
    share = rng.uniform(0.003, 0.12)
    varied = [rng.choice(vocabulary) if rng.random() < share else word for word in text]
    if rng.random() < 0.2:
        varied = ["sure", "here", "is", "the", "text", *varied]
    if rng.random() < 0.2:
        varied = varied[: int(len(varied) * rng.uniform(0.75, 1))]
    if rng.random() < 0.2:
        varied = [word.capitalize() for word in varied]
    return varied
