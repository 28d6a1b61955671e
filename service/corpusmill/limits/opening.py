"""How a fresh gate opens: one request goes first, the rest follow when it is settled, or after two seconds.

Rule of this file: a process that starts again cannot know how much of the limits is used up; one request finds out.
"""

import math

OPENING_SECONDS = 2.0


class Opening:
    """The opening of one gate; with `is_open` there is nothing to find out.

    Attributes:
        is_open: whether requests pass freely.
        opens_at: seconds; when they do so or did so first.
    """

    def __init__(self, is_open: bool) -> None:
        self.is_open = is_open
        self.opens_at = -math.inf

    def ready_at(self) -> float:
        """Return when a request may pass: long ago for the first one and once open."""
        return -math.inf if self.is_open else self.opens_at

    def sent(self, now: float) -> None:
        """Note that a request passes; the first one starts the two seconds."""
        if self.opens_at == -math.inf:
            self.opens_at = now + OPENING_SECONDS

    def settled(self, now: float) -> None:
        """Note an outcome, which is the first one's as long as the gate is not open."""
        if not self.is_open:
            self.opens_at = now

    def withdrawn(self) -> None:
        """Note that the request was never sent after all: the next one is the first."""
        if not self.is_open:
            self.opens_at = -math.inf

    def opens(self, now: float) -> bool:
        """Return True once: when the gate opens for good."""
        if self.is_open or not -math.inf < self.opens_at <= now:
            return False
        self.is_open = True
        return True
