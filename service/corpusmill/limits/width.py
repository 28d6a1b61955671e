"""How many requests may be in flight: the operator's bound, what the server bears, and what keeps it full.

Rule of this file: where rates are known, they do the work and the width is only a bound. Where nothing is known, the
width is the limit: steered by the server's metrics while they come, else by what it delivers.
"""

import math

from corpusmill.limits.charge import Limits
from corpusmill.limits.claim import Claim
from corpusmill.limits.climb import Climb
from corpusmill.limits.server_load import ServerLoad, width_for
from corpusmill.limits.streak import Streak

WIDTH_MOST = 10_000
WIDTH_START = 64.0
CUT = 0.75
RECOVERY_PER_SECOND = 0.01
FULL_REFUSALS, FULL_WINDOW = 5, 7
"""A server is full if it refused so many of so many requests sent one after the other."""
PEAK_DECAY = 0.99
"""What is left, an outcome later, of the most that was in flight: a pause empties a gate, and says nothing of it."""
METRICS_SECONDS = 15.0
"""So long after the last look at its metrics a server is steered by them."""


class Width:
    """The width of one gate.

    Args:
        limits: of the gate; a `concurrency` is the width itself, otherwise it is found where no rates are known.
        now: seconds.

    Attributes:
        is_open: whether no width is configured.
    """

    def __init__(self, limits: Limits, now: float) -> None:
        self._most = float(limits.concurrency or WIDTH_MOST)
        self.is_open = limits.concurrency is None
        self._has_rates = False
        self._climb = Climb(min(WIDTH_START, self._most), self._most, now)
        self._metered = WIDTH_START
        self._metered_at = -math.inf
        self._preemptions: float | None = None
        self._borne = math.inf
        self._cut_at = -math.inf
        self._refusals = Streak()
        self._peak = 0.0

    def limit(self, now: float) -> float:
        """Return how many may be in flight now."""
        limit = min(self._most, self._borne_at(now))
        if self._has_rates or not self.is_open:
            return limit
        return min(limit, self._metered if self._is_metered(now) else self._climb.width)

    def rerate(self, limits: Limits) -> None:
        """Adopt other limits; what was found out about the server is kept."""
        self._most = float(limits.concurrency or WIDTH_MOST)
        self.is_open = limits.concurrency is None

    def know_rates(self, are_known: bool) -> None:
        """Take note whether rates are known; once they are, what refusals taught about the width is void."""
        if are_known and not self._has_rates:
            self._borne = math.inf
        self._has_rates = are_known

    def answered(self, now: float, sent_at: float, tokens: float, in_flight: int) -> None:
        """Take an answer of so many output tokens; `in_flight` were out at that moment."""
        self._peak = max(float(in_flight), self._peak * PEAK_DECAY)
        if self.is_open and not self._has_rates and not self._is_metered(now):
            self._climb.answered(now, now - sent_at, tokens, in_flight)

    def refused(self, now: float, claim: Claim, in_flight: int, is_capacity: bool) -> bool:
        """Take a refusal, for lack of capacity or else for a rate nobody knows; True if the width is at fault.

        Those of one flight cut the width once, and single ones among many that pass not at all: a full server turns
        away whatever comes until there is room again.
        """
        self._peak = max(float(in_flight), self._peak * PEAK_DECAY)
        self._refusals.add(claim.number)
        if self._refusals.count(claim.number, FULL_WINDOW) < FULL_REFUSALS:
            return False
        if claim.granted_at > self._cut_at:
            self._borne = max(1.0, min(self.limit(now), self._peak) * CUT)
            self._cut_at = now
            if is_capacity:
                self._climb.refused(now, in_flight)
        return True

    def observed(self, now: float, load: ServerLoad, in_flight: int) -> None:
        """Take a look at the server's metrics."""
        if not self._is_metered(now):
            self._metered = self._climb.width
        preempted = 0.0 if self._preemptions is None else max(0.0, load.preemptions - self._preemptions)
        self._preemptions = load.preemptions
        self._metered = min(self._most, width_for(self._metered, load, preempted, in_flight))
        self._metered_at = now

    def _is_metered(self, now: float) -> bool:
        return now - self._metered_at <= METRICS_SECONDS

    def _borne_at(self, now: float) -> float:
        if self._borne == math.inf:
            return math.inf
        return self._borne * math.exp(RECOVERY_PER_SECOND * min(now - self._cut_at, 1000.0))
