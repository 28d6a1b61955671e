"""Why a document is not used.

Rule of this file: the reasons are a closed set of words, those of the gates being the names of their options.
"""

from typing import Final

GATES: Final = ("min_chars", "max_chars", "matching", "not_matching")
"""Reasons that the spec gives on purpose; any other one is told by the document's name."""


class FaultError(Exception):
    """A document cannot be used.

    Attributes:
        reason: `vanished`, `unreadable`, `outside`, `not_a_file`, `too_large`, `encoding`, `malformed`, `no_text`,
            `no_group`, `empty`, or a gate's name.
        detail: for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
