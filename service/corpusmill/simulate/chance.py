"""Random decisions as pure functions of a 64-bit key.

Rule of this file: nothing keeps state. Who knows the seed, the prompt and what is being decided gets the same number
in every process, so a simulated endpoint answers the same prompt the same way after a restart.
"""

from hashlib import blake2b

_TWO_TO_64 = 2.0**64


def prompt_key(seed: int, prompt: str) -> int:
    """The 64-bit key of a prompt under a seed; lone surrogates, which JSON can carry, are keyed too."""
    digest = blake2b(prompt.encode("utf-8", "surrogatepass"), digest_size=8, salt=(seed % 2**64).to_bytes(16))
    return int.from_bytes(digest.digest())


def derive(key: int, purpose: str, number: int = 0) -> int:
    """A new 64-bit key, independent of `key` and of those derived for other purposes and numbers."""
    return int.from_bytes(blake2b(f"{key}/{purpose}/{number}".encode(), digest_size=8).digest())


def unit(key: int, purpose: str, number: int = 0) -> float:
    """A number in [0, 1), uniform over keys."""
    return derive(key, purpose, number) / _TWO_TO_64
