"""Plain answers: HTTP/1.1 200 with a stated length, all there, neither packed nor chunked.

Rule of this file: what it reads, any parser would read as the same; whatever is not as plain as that is left to one.
Nearly every completion comes so, and reading it here costs a sixth of what a parser and its stream cost.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

HEAD: Final = re.compile(rb"HTTP/1\.1 200 [^\r\n\0]*(?:\r\n[-!#$%&'*+.^_`|~0-9A-Za-z]+:[^\r\n\0]*)*")
LENGTH: Final = b"\r\ncontent-length:"
NOT_PLAIN: Final = (b"\r\ntransfer-encoding", b"\r\ncontent-encoding", b"\r\nconnection: close", b"\r\nupgrade")
MOST_DIGITS: Final = 9


class Headers(Mapping[str, str]):
    """Headers by name, in whatever case. They are looked for where they stand: of few answers any is asked for."""

    __slots__ = ("_lower", "_octets")

    def __init__(self, octets: bytes, lower: bytes) -> None:
        self._octets, self._lower = octets, lower

    def get(self, name: str, default: Any = None, /) -> Any:
        """Return the value of the first header of this name, or else the default."""
        begins = self._lower.find(b"\r\n%b:" % name.lower().encode())
        if begins < 0:
            return default
        begins += len(name) + 3
        return self._octets[begins : self._lower.find(b"\r\n", begins)].decode(errors="surrogateescape").strip(" \t")

    def __getitem__(self, name: str) -> str:
        value: str | None = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> list[str]:
        lines = self._octets.decode(errors="surrogateescape").split("\r\n")[1:-1]
        return [line.partition(":")[0] for line in lines]


class Head(msgspec.Struct, frozen=True, gc=False):
    """The head of an answer."""

    code: int
    reason: str
    headers: Mapping[str, str]


def read_plain(octets: bytes) -> tuple[Head, bytes, int] | None:
    """Return head and body of a plain answer, and how many octets came behind it, where none belong; None if it is not.

    Its head follows the grammar to the letter (RFC 9112), and no header in it says anything about how the body comes
    but its length.
    """
    end = octets.find(b"\r\n\r\n")
    if end < 0 or not HEAD.fullmatch(octets, 0, end):
        return None
    head = octets[:end].lower() + b"\r\n"
    for name in NOT_PLAIN:
        if name in head:
            return None
    at = head.find(LENGTH)
    digits = head[at + len(LENGTH) : head.find(b"\r\n", at + 2)].strip(b" \t")
    if at < 0 or LENGTH in head[at + 2 :] or not digits.isdigit() or len(digits) > MOST_DIGITS:
        return None
    body_at = end + 4
    behind = len(octets) - body_at - int(digits)
    if behind < 0:
        return None
    return Head(200, "", Headers(octets[: end + 2], head)), octets[body_at : body_at + int(digits)], behind
