"""How much work one rendering may do.

Rule of this file: an operation that grows a value, or touches more than one element of it, pays for that before it is
done. So time and memory of a rendering are bounded, whatever the template says and however its loops are nested.
"""

from itertools import chain
from typing import Any

from corpusmill.spec.errors import RenderError

MAX_OUTPUT_CHARS = 1_000_000
"""The longest text that a rendering may give."""
MAX_WORK = 10_000_000
"""Units of work in one rendering: one unit is one character read or made."""
NODE_WORK = 100
"""Evaluating one node of a template once: a rendering evaluates at most 100,000 of them."""
ELEMENT_WORK = 10
"""Reading or making one element of a list or a mapping, apart from what it holds."""
MAX_INTEGER_BITS = 64
MAX_VALUE_DEPTH = 50


class Budget:
    """What is left to one rendering, and the output it has written so far."""

    __slots__ = ("_chars_left", "_pieces", "_work_left")

    def __init__(self) -> None:
        self._work_left = MAX_WORK
        self._chars_left = MAX_OUTPUT_CHARS
        self._pieces: list[str] = []

    def spend(self, units: int) -> None:
        """Pay for work that is about to be done.

        Raises:
            RenderError: it is more than what is left.
        """
        if units > self._work_left:
            raise RenderError("the template does too much work: its loops or texts grow beyond the bound")
        self._work_left -= units

    def read(self, value: object) -> int:
        """Pay for reading a value with all that it holds; returns the units paid."""
        units = weight(value)
        self.spend(units)
        return units

    def write(self, text: str) -> None:
        """Append to the output."""
        self._chars_left -= len(text)
        if self._chars_left < 0:
            raise RenderError(f"the output is longer than {MAX_OUTPUT_CHARS:,} characters")
        self.spend(len(text))
        self._pieces.append(text)

    def output(self) -> str:
        """All that was written."""
        return "".join(self._pieces)


def weight(value: object) -> int:
    """The work of reading a value with all that it holds; what is shared counts as often as it is reached.

    Raises:
        RenderError: the value is nested too deeply, too heavy, or of a type that no template may see.
    """
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | tuple | dict):
        return _nested_weight(value)
    if isinstance(value, int) and value.bit_length() > MAX_INTEGER_BITS:
        raise RenderError(f"an integer of more than {MAX_INTEGER_BITS} bits")
    if value is None or isinstance(value, int | float):
        return 1
    raise RenderError(f"a value of type {type(value).__name__} cannot be used in a template")


def _nested_weight(value: Any) -> int:
    work = 0
    level: list[Any] = [value]
    for _ in range(MAX_VALUE_DEPTH):
        inner: list[Any] = []
        for container in level:
            work += ELEMENT_WORK * len(container)
            if work > MAX_WORK:
                raise RenderError("a list or mapping is too large to be read as a whole")
            for element in chain(container.keys(), container.values()) if isinstance(container, dict) else container:
                if isinstance(element, list | tuple | dict):
                    inner.append(element)
                else:
                    work += weight(element)
        if not inner:
            return work
        level = inner
    raise RenderError(f"a list or mapping is nested deeper than {MAX_VALUE_DEPTH} levels")
