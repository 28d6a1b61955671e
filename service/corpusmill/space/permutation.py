"""Seeded shuffles: of a short list at once, and of [0, n) for any n, one position at a time."""

from hashlib import shake_128
from math import isqrt
from struct import unpack

_ROUNDS = 8


def shuffled(size: int, key: bytes) -> list[int]:
    """Return the numbers below `size` in an order that depends on the key only; each order is equally likely.

    They are sorted by 64-bit words of a keyed SHAKE128 stream.
    """
    words = unpack(f"<{size}Q", shake_128(key).digest(8 * size))
    return sorted(range(size), key=words.__getitem__)


class Permutation:
    """A seeded bijection of [0, size) that is computed position by position, at any size.

    A number is split into two digits, `high` below a = ceil(sqrt(size)) and `low` below b = ceil(size / a), and goes
    through a Feistel network over them (eight rounds; Black and Rogaway, "Ciphers with Arbitrary Finite
    Domains", 2002, the generalised Feistel and the cycle-walking constructions).

    Why it is a bijection: a round (x, y) -> (y, (x + hash(y)) mod m) can be undone, as y is still there to be hashed,
    so the network is a bijection of [0, a*b). A result that is not below `size` is sent through again; the cycle on
    which the argument lies leads back to it, so the walk ends below `size`, and two arguments cannot end at the same
    place. As a*b < size + a, about one in sqrt(size) arguments walks at all.

    Args:
        size: how many positions there are, at least 1.
        key: other keys give unrelated bijections.
    """

    __slots__ = ("_digit_bytes", "_hash_bytes", "_low_count", "_rounds", "size")

    def __init__(self, size: int, key: bytes) -> None:
        high_count = isqrt(size - 1) + 1
        self.size = size
        self._low_count = -(-size // high_count)
        self._digit_bytes = (high_count.bit_length() + 7) // 8
        # Eight bytes more than a digit has make the modulo's bias vanish.
        self._hash_bytes = self._digit_bytes + 8
        self._rounds = tuple(
            (shake_128(key + bytes([number])), (high_count, self._low_count)[number % 2]) for number in range(_ROUNDS)
        )

    def __call__(self, position: int, tweak: int = 0) -> int:
        """Return where a position goes; every tweak below 2^64 gives another bijection."""
        prefix = tweak.to_bytes(8, "little")
        while True:
            position = self._encipher(position, prefix)
            if position < self.size:
                return position

    def _encipher(self, position: int, prefix: bytes) -> int:
        digit_bytes, hash_bytes = self._digit_bytes, self._hash_bytes
        left, right = divmod(position, self._low_count)
        for state, modulus in self._rounds:
            keyed = state.copy()
            keyed.update(prefix + right.to_bytes(digit_bytes, "little"))
            left, right = right, (left + int.from_bytes(keyed.digest(hash_bytes), "little")) % modulus
        return left * self._low_count + right
