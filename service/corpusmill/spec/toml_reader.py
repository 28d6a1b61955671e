"""TOML text to plain values, with bounded work."""

import tomllib

import re2

from .errors import SpecError
from .numerals import number
from .portable import MAX_DEPTH

_KEY_PART = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_LONG_DOTTED_KEY = re2.compile(rf"(?:{_KEY_PART}[ \t]*\.[ \t]*){{{MAX_DEPTH - 1}}}")
"""tomllib needs time and memory that grow with the square of the parts of one dotted key."""


def read_toml(text: str) -> object:
    """The document of a TOML text.

    Raises:
        SpecError: with line and column where there is one: it is no TOML, or nested deeper than 64 levels.
    """
    if _LONG_DOTTED_KEY.search(text):
        raise SpecError("", f"a dotted key has {MAX_DEPTH} parts or more")
    try:
        return tomllib.loads(text, parse_float=number)
    except tomllib.TOMLDecodeError as error:
        raise SpecError("", str(error).replace("\n", "\\n")) from None
    except RecursionError:
        raise SpecError("", f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError:
        raise SpecError("", "an integer has too many digits") from None
