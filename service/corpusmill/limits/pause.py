"""A pause of the whole gate: nothing passes until a point in time.

Rule of this file: pauses only grow; a shorter one that comes later changes nothing.
"""

import math

PAUSE_SECONDS_MOST = 2 * 86400.0
"""No server's word closes a gate for longer than two days; then it is asked again."""


class Pause:
    """Until when a gate is closed, and why.

    Attributes:
        until: seconds; in the past if the gate is not paused.
        reason: what the last pause was for.
        seconds_total: how long the gate was paused altogether, what is left of the present pause included.
    """

    def __init__(self) -> None:
        self.until = -math.inf
        self.reason = ""
        self.seconds_total = 0.0

    def extend(self, now: float, seconds: float, reason: str) -> None:
        """Close the gate for so many seconds from now, unless it already is for longer."""
        until = now + min(max(0.0, seconds), PAUSE_SECONDS_MOST)
        if until > self.until:
            self.seconds_total += until - max(now, self.until)
            self.until = until
            self.reason = reason
