"""How long a prompt wants its answer, where it says so in figures.

Rule of this file: the last length that is named counts, as the instruction that a prompt ends with is the nearest.
"""

import re

CHARS_PER_WORD = 6.0
"""Of the invented sentences, with the space behind each word."""
SENTENCE_WORDS = 16
"""Of an invented sentence, about."""
AT_MOST_SHARE = 0.7
"""How much of a length is used that is a bound, and no aim."""

_LENGTH = re.compile(
    r"(\bat most |\bunder |\bno more than |\bup to )?\b(?:(\d{1,4}) ?(?:to|-|and) ?)?(\d{1,4})[ -]words?\b"
    r"|\b(?:one|a single|in one) (?:\w{1,12} )?(sentence)\b"
)


def words_asked(cues: str) -> int | None:
    """The length in words that a prompt, in small letters, asks for; None where it names none."""
    asked = None
    for at_most, low, high, sentence in _LENGTH.findall(cues):
        if sentence:
            asked = SENTENCE_WORDS
        else:
            middle = (int(low or high) + int(high)) / 2 * (AT_MOST_SHARE if at_most else 1.0)
            asked = max(1, round(middle))
    return asked
