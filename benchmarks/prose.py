"""Invented prose for the server's answers: as long as a plot outline, and as hard to compress as English."""

import random

VOCABULARY = 8000
CONSONANTS = [*"bcdfghlmnprstvw", "br", "st", "th", "sh", "gr", "pl"]
VOWELS = [*"aeiou", "ea", "ou", "ai"]
ENDINGS = ["", "", "", "n", "r", "s", "t", "ed", "ing", "ly"]


def invented_texts(count: int, chars: int, seed: int = 0) -> list[str]:
    """Return so many different texts of so many characters each: paragraphs of sentences of words.

    Few words come often and many seldom, as in any language (Zipf's law): in blocks of a few hundred, zstd makes them
    about 2.5 times smaller, which is what it makes of English prose.
    """
    draw = random.Random(seed)
    words = [_word(draw, 1 + rank * 4 // VOCABULARY) for rank in range(VOCABULARY)]
    return [_text(draw, words, chars) for _ in range(count)]


def _word(draw: random.Random, syllables: int) -> str:
    body = "".join(draw.choice(CONSONANTS) + draw.choice(VOWELS) for _ in range(syllables))
    return body + draw.choice(ENDINGS)


def _text(draw: random.Random, words: list[str], chars: int) -> str:
    paragraphs: list[str] = []
    length = 0
    while length < chars:
        paragraphs.append(" ".join(_sentence(draw, words) for _ in range(draw.randint(3, 6))))
        length += len(paragraphs[-1]) + 2
    return "\n\n".join(paragraphs)[:chars]


def _sentence(draw: random.Random, words: list[str]) -> str:
    sentence = " ".join(words[int(len(words) ** draw.random()) - 1] for _ in range(draw.randint(6, 22)))
    return sentence.capitalize() + "."
