"""The circuit breaker of one gate: a server that is down is asked by one request at a time, then loaded again slowly.

Rule of this file: only failures of the outage class come here (connect, reset, timeout before the first byte, 5xx), and
only those of requests that were sent after the last change of state count: an outage fails whatever was in flight. What
fails is compared with what was sent, not with what was answered: failures are quick, and answers come much later.
The backoff is "full jitter" (AWS Architecture Blog, "Exponential Backoff And Jitter").
"""

import enum
import math
import random
from collections import deque

from corpusmill.limits.claim import Claim
from corpusmill.limits.streak import Streak

STREAK = (10, 12)
STREAK_RAMPING = (3, 4)
"""So many failures of so many requests sent one after the other are an outage; right after one, fewer are enough."""
WINDOW_SECONDS = 10.0
WINDOW_FAILURES = 20
BACKOFF_FIRST_SECONDS = 1.0
BACKOFF_LAST_SECONDS = 60.0
RAMP_START = 0.1
RAMP_FACTOR = 1.5
RAMP_STEP_SECONDS = 5.0
RAMP_STEPS = math.ceil(math.log(1.0 / RAMP_START, RAMP_FACTOR))


class BreakerState(enum.Enum):
    """Whether requests pass."""

    CLOSED = "closed"
    """All pass."""
    OPEN = "open"
    """None passes until the backoff is over, then one: the probe."""
    PROBING = "probing"
    """The probe is on its way; the rest waits for its outcome."""
    RAMPING = "ramping"
    """The probe was answered: requests pass at a share of the rate that grows to 1."""


class Breaker:
    """Counts outcomes, and says when the next request may pass and how much of the rate may be used.

    Args:
        jitter: where the backoff takes its randomness from.
    """

    def __init__(self, jitter: random.Random) -> None:
        self.state = BreakerState.CLOSED
        self.changed_at = -math.inf
        self.opened_count = 0
        self._jitter = jitter
        self._probe_at = 0.0
        self._backoff_count = 0
        self._failures = Streak()
        self._window = Window()

    def ready_at(self, now: float) -> float:
        """Return when a request may pass; infinity while a probe's outcome is awaited."""
        if self.state is BreakerState.OPEN:
            return self._probe_at
        return math.inf if self.state is BreakerState.PROBING else now

    def share(self, now: float) -> float:
        """Return the part of the rate and of the width that may be used: below 1 only while ramping."""
        if self.state is not BreakerState.RAMPING:
            return 1.0
        steps = int((now - self.changed_at) / RAMP_STEP_SECONDS)
        return min(1.0, RAMP_START * RAMP_FACTOR ** min(steps, RAMP_STEPS))

    def next_step_at(self, now: float) -> float:
        """Return when the share grows next; infinity if it does not."""
        if self.share(now) >= 1.0:
            return math.inf
        steps = int((now - self.changed_at) / RAMP_STEP_SECONDS)
        return self.changed_at + (steps + 1) * RAMP_STEP_SECONDS

    def sent(self, now: float) -> bool:
        """Note that a request passes; True if it is the probe."""
        if self.state is BreakerState.OPEN:
            self._change(BreakerState.PROBING, now)
            return True
        self._window.add(now, is_failure=False)
        if self.state is BreakerState.RAMPING and self.share(now) >= 1.0:
            self._change(BreakerState.CLOSED, now)
        return False

    def alive(self, now: float, is_probe: bool) -> None:
        """Note that the server answered something, be it a refusal."""
        if is_probe:
            self._backoff_count = 0
            self._change(BreakerState.RAMPING, now)

    def failed(self, now: float, claim: Claim) -> None:
        """Note a failure of the outage class."""
        if claim.is_probe:
            self._open(now)
        elif claim.granted_at >= self.changed_at and self.state in (BreakerState.CLOSED, BreakerState.RAMPING):
            self._failures.add(claim.number)
            self._window.add(now, is_failure=True)
            if self._is_streak(claim.number) or self._window.mostly_failures(now):
                self._open(now)

    def lost(self, now: float, is_probe: bool) -> None:
        """Note that nothing will be learnt from a request; if it was the probe, another may go at once."""
        if is_probe:
            self._change(BreakerState.OPEN, now)
            self._probe_at = now

    def _is_streak(self, number: int) -> bool:
        """Return whether nearly all of what was sent one after the other failed."""
        failures, window = STREAK_RAMPING if self.state is BreakerState.RAMPING else STREAK
        return self._failures.count(number, window) >= failures

    def _open(self, now: float) -> None:
        self._change(BreakerState.OPEN, now)
        self.opened_count += 1
        most = min(BACKOFF_LAST_SECONDS, BACKOFF_FIRST_SECONDS * 2.0**self._backoff_count)
        self._backoff_count = min(self._backoff_count + 1, 10)
        self._probe_at = now + self._jitter.uniform(0.0, most)

    def _change(self, state: BreakerState, now: float) -> None:
        self.state = state
        self.changed_at = now
        self._failures = Streak()
        self._window = Window()


class Window:
    """How many requests were sent, and failed, in the last ten seconds, counted by the second."""

    def __init__(self) -> None:
        self._seconds: deque[list[int]] = deque(maxlen=int(WINDOW_SECONDS))

    def add(self, now: float, is_failure: bool) -> None:
        """Count a request that is sent, or one that failed."""
        second = int(now)
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append([second, 0, 0])
        self._seconds[-1][1 + is_failure] += 1

    def mostly_failures(self, now: float) -> bool:
        """Return whether at least twenty failed, and more than half of what was sent."""
        recent = [row for row in self._seconds if row[0] > now - WINDOW_SECONDS]
        sent = sum(row[1] for row in recent)
        failed = sum(row[2] for row in recent)
        return failed >= WINDOW_FAILURES and failed > sent / 2
