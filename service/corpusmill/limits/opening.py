"""How a fresh gate opens: one request goes first, the rest follow when the server takes it, or after two seconds.

Rule of this file: a process that starts again cannot know how much of the limits is used up, or whether its key is
good. One request finds out; if it comes to nothing, the next one goes alone as well.
"""

import math

OPENING_SECONDS = 2.0
"""How long to wait for the first answer where nothing is known of how quickly the server refuses."""


class Opening:
    """The opening of one gate.

    Attributes:
        seconds: how long the first request is waited for, at most.
        is_open: whether requests pass freely.
        opens_at: seconds; when they do so or did so first.
    """

    def __init__(self, seconds: float = OPENING_SECONDS) -> None:
        self.seconds = seconds
        self.is_open = False
        self.opens_at = -math.inf

    def ready_at(self) -> float:
        """Return when a request may pass: long ago for the first one and once open."""
        return -math.inf if self.is_open else self.opens_at

    def sent(self, now: float) -> None:
        """Note that a request passes; the first one starts the wait."""
        if self.opens_at == -math.inf:
            self.opens_at = now + self.seconds

    def taken(self, now: float) -> None:
        """Note that the server has taken a request, or refused it for its limits: it may be used."""
        if not self.is_open:
            self.opens_at = min(self.opens_at, now)

    def missed(self, now: float) -> None:
        """Note that a request came to nothing, or was never sent: the next one is the first."""
        if not self.is_open and now < self.opens_at:
            self.opens_at = -math.inf

    def close(self) -> None:
        """Start anew: the next request goes alone."""
        self.is_open = False
        self.opens_at = -math.inf

    def opens(self, now: float) -> bool:
        """Return True once: when the gate opens for good."""
        if self.is_open or not -math.inf < self.opens_at <= now:
            return False
        self.is_open = True
        return True
