"""Finds the width of a server that tells nothing: by the tokens it delivers in a second.

Rule of this file: throughput alone decides. First the width grows by one with every answer, which doubles it each time
a request goes round, until a doubling no longer pays. Then one change at a time is tried over an epoch long enough for
it to have arrived: a wider setting is kept if it brings at least a quarter of what it adds, a narrower one if it costs
next to nothing.
"""

import enum

from corpusmill.limits.quantile import RecentQuantile

STEP = 1.15
DOWN_STEP_FIRST = 2.0
GAIN_KEPT = 0.25
LOSS_KEPT = 0.01
NEAR_BEST = 0.97
LAUNCH_WIDTH = 0.7
"""A round's answers were launched in the round before, when the width was between half and all of the round's."""
SETTLE_LATENCIES = 1.0
MEASURE_LATENCIES = 2.0
ROUNDS_MOST = 32
EPOCH_SECONDS_LEAST = 2.0
EPOCH_ANSWERS_LEAST = 30
HOLD_EPOCHS = 4
SATURATED = 0.9
CUT = 0.75


class Phase(enum.Enum):
    """What the present epoch is for."""

    GROW = "grow"
    HOLD = "hold"
    UP = "up"
    DOWN = "down"


class Epoch:
    """What was delivered between two moments, and whether the width was used.

    Args:
        begins_at: what comes before is not counted: it still belongs to the last width.
        width: in use at the beginning.
    """

    __slots__ = ("answers", "began_at", "begins_at", "tokens", "unsaturated", "width")

    def __init__(self, begins_at: float, width: float) -> None:
        self.begins_at = self.began_at = begins_at
        self.width = width
        self.answers = self.unsaturated = 0
        self.tokens = 0.0

    def add(self, now: float, tokens: float, is_saturated: bool) -> None:
        """Count an answer; the first one only starts the clock."""
        if now < self.begins_at:
            return
        if self.answers == 0:
            self.began_at = now
        else:
            self.tokens += tokens
        self.answers += 1
        self.unsaturated += not is_saturated

    def rate(self, now: float) -> float:
        """Return tokens per second."""
        return self.tokens / max(now - self.began_at, 1e-9)

    def is_used(self) -> bool:
        """Return whether the width was what held the requests back."""
        return self.unsaturated <= self.answers / 2


class Climb:
    """A search for the narrowest width at which the server delivers all it can.

    Attributes:
        width: the one to use now.
    """

    def __init__(self, start: float, most: float, now: float) -> None:
        self.width = start
        self._most = most
        self._phase = Phase.GROW
        self._rounds: list[tuple[float, float]] = []
        self._base_width = start
        self._base_rate = 0.0
        self._held = 0
        self._next = Phase.UP
        self._down_step = DOWN_STEP_FIRST
        self._latency = RecentQuantile()
        self._epoch = Epoch(now, start)

    def answered(self, now: float, latency_seconds: float, tokens: float, in_flight: int) -> None:
        """Take an answer of so many output tokens; `in_flight` are out at this moment, this one included."""
        self._latency.add(latency_seconds)
        is_saturated = in_flight >= SATURATED * self.width
        self._epoch.add(now, tokens, is_saturated)
        if self._phase is Phase.GROW:
            self._grow(now, is_saturated)
        elif self._is_over(now):
            self._judge(now)

    def refused(self, now: float, in_flight: int) -> None:
        """Take note that the server was full with so many in flight."""
        self._settle_at(max(1.0, min(self.width, float(in_flight)) * CUT), Phase.UP, now)

    def _grow(self, now: float, is_saturated: bool) -> None:
        if is_saturated:
            self.width = min(self._most, self.width + 1)
        if self._epoch.answers <= max(self._epoch.width, EPOCH_ANSWERS_LEAST):
            return
        if self._epoch.is_used():
            self._rounds = [*self._rounds[-ROUNDS_MOST:], (self._epoch.width * LAUNCH_WIDTH, self._epoch.rate(now))]
        if self._is_flat() or self.width >= self._most:
            best = max((rate for _, rate in self._rounds), default=0.0)
            enough = [width for width, rate in self._rounds if rate >= NEAR_BEST * best]
            self._settle_at(min(enough, default=self.width), Phase.DOWN, now)
        else:
            self._epoch = Epoch(now, self.width)

    def _is_flat(self) -> bool:
        """Return whether the last round brought less than a quarter of what it added."""
        if len(self._rounds) < 2:
            return False
        (width, rate), (wider, after) = self._rounds[-2:]
        return after <= rate * (1 + GAIN_KEPT * (wider / width - 1))

    def _settle_at(self, width: float, next_phase: Phase, now: float) -> None:
        self.width = self._base_width = width
        self._phase, self._next, self._held = Phase.HOLD, next_phase, 0
        self._begin(now)

    def _judge(self, now: float) -> None:
        """Keep or take back what was tried, and try the next."""
        rate, phase = self._epoch.rate(now), self._phase
        self._phase = Phase.HOLD
        if not self._epoch.is_used():
            self.width = self._base_width
        elif phase is Phase.HOLD:
            self._base_rate = rate
            self._held += 1
            if self._held >= (HOLD_EPOCHS if self._next is Phase.UP else 1):
                self._try(self._next)
        elif self._is_kept(rate, phase):
            self._base_width, self._base_rate = self.width, rate
            self._try(phase)
        else:
            self.width, self._held = self._base_width, 0
            is_coarse = phase is Phase.DOWN and self._down_step > STEP
            self._next = Phase.DOWN if phase is Phase.UP or is_coarse else Phase.UP
            self._down_step = STEP
        self._begin(now)

    def _is_kept(self, rate: float, phase: Phase) -> bool:
        if phase is Phase.UP:
            added = self.width / self._base_width - 1
            return rate > self._base_rate * (1 + GAIN_KEPT * added)
        return self.width < self._base_width and rate >= self._base_rate * (1 - LOSS_KEPT)

    def _try(self, phase: Phase) -> None:
        """Use another width for an epoch: wider by a little, or narrower, first by half and then by a little."""
        self._phase = phase
        factor = STEP if phase is Phase.UP else 1 / self._down_step
        self.width = min(self._most, max(1.0, self._base_width * factor))

    def _begin(self, now: float) -> None:
        settle_seconds = max(EPOCH_SECONDS_LEAST, SETTLE_LATENCIES * self._latency.at(0.5))
        self._epoch = Epoch(now + settle_seconds, self.width)

    def _is_over(self, now: float) -> bool:
        seconds = max(EPOCH_SECONDS_LEAST, MEASURE_LATENCIES * self._latency.at(0.5))
        return self._epoch.answers > EPOCH_ANSWERS_LEAST and now >= self._epoch.began_at + seconds
