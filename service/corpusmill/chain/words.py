"""The words of a text as numbers: the same word, whatever its case, has the same number wherever it stands.

Rules of this file: numbers are stored beside journals for good, so these functions never change their answers. Whole
arrays at a time: a text of 470 words takes about 30 microseconds.

A word is a run of letters and digits; in scripts that put no spaces between words, each character is one.
"""

import functools
import unicodedata

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]

_SPACELESS = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x2FDF), (0x3041, 0x30FF), (0x31F0, 0x31FF),
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF),
)  # fmt: skip
"""Thai, Lao, Burmese, Khmer, kana and ideographs: a character is a word."""

_BASE = 0x9E3779B97F4A7C15
_RUNS = 0xC2B2AE3D27D4EB4F
_PAGE = 1 << 16


@functools.lru_cache(maxsize=4)
def word_numbers(text: str) -> Words:
    """Return a 64-bit number for each word, in order. Not to be written to: several filters may ask for one text."""
    points, kinds = _points(text)
    starts = _starts(kinds)
    if not len(starts):
        return np.empty(0, np.uint64)
    powers, inverses = _powers(len(points))
    # A word is a polynomial over its characters; dividing by the power of its place makes it the same everywhere.
    sums = np.add.reduceat(points * powers[: len(points)] * (kinds > 0), starts)
    numbers = mixed(sums * inverses.take(starts))
    numbers.setflags(write=False)
    return numbers


def run_numbers(numbers: Words, length: int) -> Words:
    """Return a number for each run of so many words, in order; none for a text with fewer words."""
    count = len(numbers) - length + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    sums = np.zeros(count, np.uint64)
    for place in range(length):
        sums *= np.uint64(_RUNS)
        sums += numbers[place : place + count]
    return mixed(sums)


def words_between(text: str, first: int, count: int) -> str:
    """Return the part of a text from word number `first` on that has `count` words, folded as words are compared."""
    folded = _folded(text)
    starts = _starts(_points(text)[1])
    end = int(starts[first + count]) if first + count < len(starts) else len(folded)
    return folded[int(starts[first]) : end].strip()


def mixed(numbers: Words) -> Words:
    """Spread what tells numbers apart over all their bits, in place (as MurmurHash3's finaliser does, once)."""
    numbers ^= numbers >> np.uint64(32)
    numbers *= np.uint64(0xD6E8FEB86659FD93)
    numbers ^= numbers >> np.uint64(32)
    return numbers


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def _points(text: str) -> tuple[Words, npt.NDArray[np.uint8]]:
    """Return the text's folded characters as numbers, and what each is: 0 between words, 1 of a word, 2 a word."""
    if text.isascii():
        small = np.frombuffer(_folded(text).encode(), np.uint8)
        return small.astype(np.uint64), _kinds().take(small)
    points = np.frombuffer(_folded(text).encode("utf-32-le", "surrogatepass"), "<u4")
    return points.astype(np.uint64), _kinds().take(points, mode="clip")


def _starts(kinds: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """Return where words begin."""
    begins = kinds > 0
    begins[1:] &= (kinds[1:] & kinds[:-1]) != 1
    return begins.nonzero()[0]


@functools.cache
def _kinds() -> npt.NDArray[np.uint8]:
    """Return what each character of the basic plane is; all beyond it, as its last place, are words of their own."""
    kinds = np.array([unicodedata.category(chr(point))[0] in "LMN" for point in range(_PAGE)], np.uint8)
    for first, last in _SPACELESS:
        kinds[first : last + 1] *= 2
    kinds[_PAGE - 1] = 2
    return kinds


def _powers(length: int) -> tuple[Words, Words]:
    """Return the powers of the base and of its inverse modulo 2**64, for at least so many places."""
    return _table(max(1 << (length - 1).bit_length(), 1 << 14))


@functools.lru_cache(maxsize=2)
def _table(length: int) -> tuple[Words, Words]:
    inverse = pow(_BASE, -1, 1 << 64)
    steps = np.full((2, length), [[_BASE], [inverse]], np.uint64)
    steps[:, 0] = 1
    powers, inverses = np.multiply.accumulate(steps, axis=1)
    return powers, inverses
