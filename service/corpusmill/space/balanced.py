"""The balanced order: in any prefix, the places of each dimension come equally often, give or take one."""

from collections.abc import Sequence
from math import gcd, lcm, prod

from corpusmill.space.keys import mixed, word
from corpusmill.space.stride import choose_stride


class Balanced:
    """An order in which every dimension runs through all its places again and again.

    Let n_1..n_k be the sizes, L their least common multiple, g_j = gcd(lcm(n_1..n_{j-1}), n_j), and C the product of
    the g_j; then L * C is the number of cells, because lcm(M, n) = M * n / gcd(M, n). A position i is step r of pass q,
    i = q * L + r. There dimension j is at place

        (r + o_j) mod n_j   with the offset   o_j = (d_j(q) + h_j(r div n_j)) mod g_j,

    where h_j is a hash and the digits d_1(q)..d_k(q) are those of x(q) = (a * q + b) mod C in the radices g_j, for a
    stride a that has no factor in common with C.

    **Balance.** n_j divides L, so an aligned block of n_j positions lies within one pass, and r div n_j is constant in
    it. So o_j is constant, and the block visits each of the n_j places once, going round. Any prefix is some whole
    blocks and a part of one: counts differ by at most 1. L * C is a multiple of n_j too, so this holds across draws.

    **Bijection.** A cell gives back its position. Suppose r is known modulo M = lcm(n_1..n_{j-1}), which g_j divides.
    The place in dimension j, less r, is o_j modulo g_j, and so o_j, which is below g_j. The place less o_j is r modulo
    n_j, so now r is known modulo lcm(M, n_j). (It starts with M = 1 and g_1 = 1.) In the end r is known, with it every
    h_j, then every digit of x, and q because multiplication by a can be undone modulo C.

    **Draws.** A draw adds a constant to x, to what is hashed, and to each place, which changes neither proof.

    **Pairs.** Which pairs of places of dimensions i and j meet depends on o_j - o_i only. Within a pass the hash makes
    that look random. From pass to pass the digits of x, for a suitable stride, are spread far more evenly than random
    ones (they are additive recurrences, as in a lattice rule), so pairs meet early; `space.stride` looks for one.

    Args:
        sizes: of the dimensions, each at least 1.
        key: other keys give other strides, offsets and hashes.
    """

    __slots__ = ("_dimensions", "_draw_words", "_length", "_passes", "_start", "_stride", "size")

    def __init__(self, sizes: Sequence[int], key: bytes) -> None:
        length, radices = 1, []
        for size in sizes:
            radices.append(gcd(length, size))
            length = lcm(length, size)
        self.size = prod(sizes)
        self._length = length
        self._passes = self.size // length
        self._stride = choose_stride(sizes, radices, key)
        self._start = word(key, 0)
        words = [(word(key, 2 * number + 1), word(key, 2 * number + 2)) for number in range(len(sizes))]
        self._dimensions = tuple(
            (size, radix, hash_word) for size, radix, (hash_word, _) in zip(sizes, radices, words, strict=True)
        )
        self._draw_words = tuple((size, draw_word) for size, (_, draw_word) in zip(sizes, words, strict=True))

    def cell(self, position: int, draw: int = 0) -> Sequence[int]:
        """Return the place in each dimension at a position of a draw."""
        number, step = divmod(position, self._length)
        digits = (number * self._stride + (draw + 1) * self._start) % self._passes
        first_block = draw * self._start
        places = []
        for size, radix, hash_word in self._dimensions:
            place = step
            if radix > 1:
                digits, digit = divmod(digits, radix)
                place += (digit + mixed(first_block + step // size, hash_word)) % radix
            places.append(place % size)
        if draw == 0:
            return places
        return [
            (place + mixed(draw, word)) % size for place, (size, word) in zip(places, self._draw_words, strict=True)
        ]
