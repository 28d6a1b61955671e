"""The nonce that makes equal prompts differ."""

from hashlib import blake2b


def nonce(seed: int, index: int, attempt: int, part: int = 0) -> str:
    """Return a text in the form of a UUID that is the same for the same numbers, and else differs.

    The numbers are hashed with BLAKE2b. The version digit is 8 and the variant digit `a`: the form that RFC 9562
    leaves to applications, so that every UUID parser takes it. 120 bits are left: among 10^12 nonces two are
    equal with a probability below 10^-12.

    Args:
        seed: the job's seed.
        index: the item's index, which also tells its draw.
        attempt: how many completions were asked for before, from 0.
        part: which of the calls that one step takes, from 0.
    """
    place = b"%d:%d:%d:%d" % (seed, index, attempt, part) if part else b"%d:%d:%d" % (seed, index, attempt)
    text = blake2b(place, digest_size=15, person=b"nonce").hexdigest()
    return f"{text[:8]}-{text[8:12]}-8{text[12:15]}-a{text[15:18]}-{text[18:]}"
