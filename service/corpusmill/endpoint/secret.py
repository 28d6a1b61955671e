"""A credential that cannot be printed by accident.

The rule of this file: the text leaves a `Secret` only through `reveal`, which is called where a header is built and
nowhere else.
"""

import hmac
from collections.abc import Iterable
from typing import Final

MASK: Final = "***"
MAX_MESSAGE_CHARS: Final = 300


class Secret:
    """Text whose `repr`, `str` and `format` are `***`; neither JSON nor pickle takes it.

    Surrounding white space is dropped: a key read from a file ends in a line break more often than not. Two secrets
    are equal if their texts are.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text.strip()

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not serialised")


def presentable(text: str, secrets: Iterable[Secret]) -> str:
    """`text` as one line of at most 300 printable characters, each occurrence of the secrets replaced by `***`.

    Masking comes before cutting, so that no half of a secret is left at the end.
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret.reveal(), MASK)
    printable = "".join(char if char.isprintable() else " " for char in text[: 10 * MAX_MESSAGE_CHARS])
    line = " ".join(printable.split())
    return line if len(line) <= MAX_MESSAGE_CHARS else line[: MAX_MESSAGE_CHARS - 1] + "…"
