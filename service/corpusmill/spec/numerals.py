"""Numbers with a point or an exponent, read alike from YAML, JSON and TOML."""

_EXACT_INTEGERS = 2**53


def number(text: str) -> int | float:
    """The number that `text` tells: `1e3` is the integer 1000, but `1.0`, written with a point, a float.

    Raises:
        ValueError: it is not a number.
    """
    value = float(text)
    if "." not in text and value.is_integer() and abs(value) <= _EXACT_INTEGERS:
        return int(value)
    return value
