"""A small grammar: a symbol stands for one of several phrases, and a phrase may name further symbols in braces.

Rule of this file: phrases are compiled once, when a grammar is made, so that telling one costs a format and a few
look-ups. A grammar that names a symbol nobody defines does not come into being.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources import files
from math import gcd
from string import Formatter

Phrase = tuple[str, tuple[str, ...]]
"""A `%`-format and the symbols that fill it."""

MAX_SENTENCES = 20_000
"""More is never told in one go."""


class Grammar:
    """The rules: symbol -> phrases.

    Args:
        rules: symbol -> its phrases, none of them empty.
        bound: the symbols that every text fixes for itself.

    Raises:
        ValueError: a phrase names a symbol that is neither.
    """

    def __init__(self, rules: Mapping[str, Sequence[str]], bound: Iterable[str]) -> None:
        self.rules: dict[str, tuple[Phrase, ...]] = {}
        known = {*rules, *bound}
        for symbol, phrases in rules.items():
            self.rules[symbol] = tuple(_compiled(phrase) for phrase in phrases)
            if unknown := {slot for _, slots in self.rules[symbol] for slot in slots} - known:
                raise ValueError(f"{symbol} names undefined symbols: {sorted(unknown)}")


class Voice:
    """One text being told.

    Args:
        grammar: what can be said.
        bound: symbol -> what it stands for throughout this text.
        random: uniform numbers in [0, 1).
    """

    def __init__(self, grammar: Grammar, bound: Mapping[str, str], random: Callable[[], float]) -> None:
        self._rules = grammar.rules
        self._bound = bound
        self.random = random

    def word(self, symbol: str) -> str:
        """One phrase of the symbol."""
        phrases = self._rules[symbol]
        return self._told(phrases[int(self.random() * len(phrases))])

    def sentence(self, symbol: str) -> str:
        """One phrase of the symbol, its first letter a capital."""
        return _capitalised(self.word(symbol))

    def sentences(self, symbol: str, chars: float) -> list[str]:
        """Sentences of the symbol until `chars` characters are told, none twice before all its phrases were used."""
        told: list[str] = []
        while chars > 0 and len(told) < MAX_SENTENCES:
            for phrase in self._walk(self._rules[symbol]):
                told.append(_capitalised(self._told(phrase)))
                chars -= len(told[-1]) + 1
                if chars <= 0:
                    break
        return told

    def _walk(self, phrases: tuple[Phrase, ...]) -> Iterable[Phrase]:
        """All the phrases once, from a random one on in steps of a random size that has no divisor in common."""
        count = len(phrases)
        place = int(self.random() * count)
        step = 1 + int(self.random() * (count - 1))
        while gcd(step, count) > 1:
            step -= 1
        for _ in range(count):
            yield phrases[place]
            place = (place + step) % count

    def _told(self, phrase: Phrase) -> str:
        form, slots = phrase
        if not slots:
            return form
        bound = self._bound
        return form % tuple([bound[slot] if slot in bound else self.word(slot) for slot in slots])


def read_rules(*names: str) -> dict[str, list[str]]:
    """The rules in the files of those names under `phrases/`; a later file's symbol replaces an earlier one's.

    A line `[symbol]` begins a rule; every other line holds its phrases, joined by " | "; `#` begins a comment line.
    """
    rules: dict[str, list[str]] = {}
    for name in names:
        text = (files("corpusmill.simulate") / "phrases" / name).read_text("utf-8")
        phrases: list[str] = []
        for line in text.splitlines():
            if line.startswith("["):
                phrases = rules[line.strip("[]")] = []
            elif line and not line.startswith("#"):
                phrases.extend(line.split(" | "))
    return rules


def with_article(noun: str) -> str:
    """`a` or `an` before a noun or adjective, by its first letter."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def _compiled(phrase: str) -> Phrase:
    parts = list(Formatter().parse(phrase))
    form = "".join(literal.replace("%", "%%") + ("" if slot is None else "%s") for literal, slot, _, _ in parts)
    slots = tuple(slot for _, slot, _, _ in parts if slot is not None)
    return (form, slots) if slots else (phrase, ())


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
