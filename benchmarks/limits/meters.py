"""How servers count: a continuous bucket, a sliding window, fixed windows.

Rule of this file: the server's count is the only referee. Each meter knows what it has let through, what it would say
in its headers, and how much of its allowance was really used.
"""

from collections import deque
from typing import Protocol


class Meter(Protocol):
    """One limit of a server."""

    limit: float

    def wait_seconds(self, amount: float, now: float) -> float:
        """Return 0 if the amount may pass now, else when to come again."""

    def charge(self, amount: float, now: float) -> None:
        """Count an amount; below zero it is given back."""

    def used(self, now: float) -> float:
        """Return what is used of the limit."""

    def reset_seconds(self, now: float) -> float:
        """Return when all of it is back."""

    def begin(self, now: float) -> None:
        """Start measuring."""

    def utilisation(self, now: float) -> float:
        """Return what was used of what was allowed since `begin`."""


class LeakyBucket:
    """Holds a period's worth and leaks it continuously, as OpenAI's limits do."""

    def __init__(self, limit: float, used_share: float = 0.0, period_seconds: float = 60.0) -> None:
        self.limit = limit
        self._rate = limit / period_seconds
        self._level = used_share * limit
        self._at = self._began_at = 0.0
        self._leaked = 0.0

    def _leak(self, now: float) -> None:
        leaked = min(max(self._level, 0.0), (now - self._at) * self._rate)
        self._level -= leaked
        self._leaked += leaked
        self._at = now

    def wait_seconds(self, amount: float, now: float) -> float:
        """Return 0 if the amount may pass now, else the exact time until it may."""
        self._leak(now)
        return max(0.0, (self._level + amount - self.limit) / self._rate)

    def charge(self, amount: float, now: float) -> None:
        """Count an amount; below zero it is given back."""
        self._leak(now)
        self._level = max(0.0, self._level + amount)

    def used(self, now: float) -> float:
        """Return the level."""
        self._leak(now)
        return self._level

    def reset_seconds(self, now: float) -> float:
        """Return when the bucket is empty."""
        return self.used(now) / self._rate

    def begin(self, now: float) -> None:
        """Start measuring."""
        self._leak(now)
        self._began_at, self._leaked = now, 0.0

    def utilisation(self, now: float) -> float:
        """Return what has leaked of what could have: stored credit that is spent does not count."""
        self._leak(now)
        return self._leaked / (self._rate * (now - self._began_at))


class SlidingWindow:
    """Lets a limit through in any period."""

    def __init__(self, limit: float, used_share: float = 0.0, period_seconds: float = 60.0) -> None:
        self.limit = limit
        self._period = period_seconds
        self._seen: deque[tuple[float, float]] = deque()
        self._sum = 0.0
        self._accepted = 0.0
        self._began_at = 0.0
        if used_share:
            self._seen.append((0.0, used_share * limit))
            self._sum = used_share * limit

    def _forget(self, now: float) -> None:
        while self._seen and self._seen[0][0] <= now - self._period:
            self._sum -= self._seen.popleft()[1]

    def wait_seconds(self, amount: float, now: float) -> float:
        """Return 0 if the amount may pass now, else when the oldest one leaves the window."""
        self._forget(now)
        if self._sum + amount <= self.limit + 1e-9:
            return 0.0
        return max(0.001, self._seen[0][0] + self._period - now)

    def charge(self, amount: float, now: float) -> None:
        """Count an amount."""
        self._seen.append((now, amount))
        self._sum += amount
        self._accepted += amount

    def used(self, now: float) -> float:
        """Return what the last period let through."""
        self._forget(now)
        return self._sum

    def reset_seconds(self, now: float) -> float:
        """Return when the newest one leaves the window."""
        return self._seen[-1][0] + self._period - now if self._seen else 0.0

    def begin(self, now: float) -> None:
        """Start measuring."""
        self._began_at, self._accepted = now, 0.0

    def utilisation(self, now: float) -> float:
        """Return what was accepted of what was allowed."""
        return self._accepted / (self.limit / self._period * (now - self._began_at))


class FixedWindow:
    """Lets a limit through in each period of the clock."""

    def __init__(self, limit: float, used_share: float = 0.0, period_seconds: float = 60.0) -> None:
        self.limit = limit
        self._period = period_seconds
        self._window = 0
        self._used = used_share * limit
        self._accepted = 0.0
        self._began_at = 0.0

    def _turn(self, now: float) -> None:
        window = int(now / self._period)
        if window != self._window:
            self._window, self._used = window, 0.0

    def wait_seconds(self, amount: float, now: float) -> float:
        """Return 0 if the amount may pass now, else when the next window begins."""
        self._turn(now)
        return 0.0 if self._used + amount <= self.limit + 1e-9 else self.reset_seconds(now)

    def charge(self, amount: float, now: float) -> None:
        """Count an amount."""
        self._turn(now)
        self._used += amount
        self._accepted += amount

    def used(self, now: float) -> float:
        """Return what this window has let through."""
        self._turn(now)
        return self._used

    def reset_seconds(self, now: float) -> float:
        """Return when the next window begins."""
        return (self._window + 1) * self._period - now

    def begin(self, now: float) -> None:
        """Start measuring."""
        self._began_at, self._accepted = now, 0.0

    def utilisation(self, now: float) -> float:
        """Return what was accepted of what was allowed."""
        return self._accepted / (self.limit / self._period * (now - self._began_at))
