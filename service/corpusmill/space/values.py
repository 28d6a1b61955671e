"""What an axis value is once the spec is accepted.

Rule of this file: a value stays what the spec says, and its JSON form is the text of the spec.
"""

import msgspec

from corpusmill.spec.schema import Scalar
from corpusmill.spec.template import Reference

_SEPARATOR = ": "

Value = Scalar | Reference
"""What an item has of an axis: a value of the spec, or a document."""


class Labelled(str):
    """A string "label: definition" that also offers its two parts.

    It is a string in every other way: it prints, compares and hashes as its full text.
    """

    __slots__ = ()

    @property
    def label(self) -> str:
        """What stands before the first ": "."""
        return self.partition(_SEPARATOR)[0]

    @property
    def definition(self) -> str:
        """What stands after the first ": "."""
        return self.partition(_SEPARATOR)[2]


def axis_value(scalar: Scalar) -> Scalar:
    """Return the value that templates see for a scalar of the spec: a string with ": " in it becomes Labelled."""
    return Labelled(scalar) if isinstance(scalar, str) and _SEPARATOR in scalar else scalar


def name_of(value: Value) -> str:
    """Return what a value is called: a string itself, a document's name, else the JSON form.

    The values of an axis have different names even where Python takes them for equal, as it does 1, 1.0 and True.
    """
    return str(value) if isinstance(value, str | Reference) else msgspec.json.encode(value).decode()


def source_of(value: Value) -> str:
    """Return the name of what a value was taken from: of a chunk, its document; of any other value, its own name."""
    return value.source if isinstance(value, Reference) else name_of(value)


def encode_value(value: object) -> str:
    """Return the full text of a Labelled value, or a document's name.

    It is the `enc_hook` of every msgspec encoder that sees axis values; msgspec encodes no subclass of `str` by itself.

    Raises:
        TypeError: the value is of another type that msgspec cannot encode.
    """
    if isinstance(value, Labelled | Reference):
        return str(value)
    raise TypeError(f"a {type(value).__name__} cannot be encoded")
