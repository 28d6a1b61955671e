"""Where all randomness of this room comes from: the job's seed, split into independent keys by purpose.

Rule of this file: nothing here may ever give another result for the same arguments, on any platform or Python version;
a job that is resumed must meet the same order again.
"""

from hashlib import blake2b
from typing import Final

import msgspec

_MASK: Final = 2**64 - 1
_FIRST_FACTOR: Final = 0x9E3779B97F4A7C15
_SECOND_FACTOR: Final = 0xD6E8FEB86659FD93


def subkey(seed: int, *purpose: str | int) -> bytes:
    """Return 16 bytes that depend on the seed and on what they are for; other purposes give unrelated keys.

    The arguments are hashed in their JSON form, which no two different lists share.
    """
    return blake2b(msgspec.json.encode((seed, *purpose)), digest_size=16).digest()


def word(key: bytes, number: int) -> int:
    """Return the `number`-th of the key's 64-bit words, each unrelated to the others."""
    return int.from_bytes(blake2b(number.to_bytes(8, "little"), key=key, digest_size=8).digest(), "little")


def mixed(number: int, key_word: int) -> int:
    """Return 32 well mixed bits of a number (of its low 64 bits): two multiplications, as this is on the hot path.

    It is the multiply-and-shift mixing of the SplitMix64 generator, shortened; good for spreading, not for secrets.
    """
    bits = (number * _FIRST_FACTOR + key_word) & _MASK
    return ((bits ^ bits >> 32) * _SECOND_FACTOR & _MASK) >> 32
