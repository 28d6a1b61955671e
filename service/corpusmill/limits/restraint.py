"""What refusals teach about the rate: less burst first, then less rate, and slowly back up.

Rule of this file: one flight of requests is one piece of evidence. A refusal of a request that was sent before the last
reaction says nothing new. The rate recovers quickly up to just below where it last failed, and slowly beyond.
"""

import math

BURST_SECONDS = 0.25
BURST_SECONDS_LEAST = 0.02
JITTER_SECONDS = 0.05
"""How much the network may bunch up what was sent evenly."""
BURST_DIVISOR = 3.0
SHARE_AFTER_BURST = 0.98
SHARE_AFTER_RATE = 0.93
SHARE_CUT_MOST = 0.7
SHARE_LEAST = 0.01
SHARE_OF_DELIVERED = 0.95
RECOVERY_PER_SECOND = 0.01
RECOVERY_PER_SECOND_NEAR_FAILURE = 0.0005
"""Both of the rate that failed, so that a small rate comes back as slowly as a large one."""
NEAR_FAILURE = 0.98
STEERED_REFUSALS = 3
STEERED_WINDOW_SECONDS = 30.0
BURST_RECOVERY_SECONDS = 600.0
SLOW_RAMP_CUT = 0.5
SLOW_RAMP_GROWTH = 1.5
SLOW_RAMP_SECONDS = 900.0
SLOW_RAMP_STEPS_MOST = math.ceil(math.log(1.0 / SHARE_LEAST, SLOW_RAMP_GROWTH))
"""From the least share to the whole: a power of weeks is no float any more."""


class Restraint:
    """The part of the configured rate that the server has been seen to bear.

    Attributes:
        share: of the limit, 0 to 1.
        burst_seconds: how much of the rate may come at once.
        reacted_at: seconds; the last time a refusal changed either.
    """

    def __init__(self, now: float) -> None:
        self.share = 1.0
        self.burst_seconds = BURST_SECONDS
        self.reacted_at = -math.inf
        self._failed_share = math.inf
        self._updated_at = now
        self._steered: list[float] = []

    def refused(self, now: float, sent_at: float, is_steered: bool, delivered: float | None = None) -> bool:
        """React to a refusal; True if it was new evidence.

        A full bucket refuses at any rate until it has room again; so the rate goes to just below what the server has
        accepted lately, and by less than a third at once.

        Args:
            now: seconds.
            sent_at: when the refused request was let through.
            is_steered: whether the server's headers steer the rate, so that single refusals are only noise.
            delivered: the share of the limit that was accepted lately; None if that is not known yet.
        """
        self.relax(now)
        if sent_at <= self.reacted_at:
            return False
        self.reacted_at = now
        if is_steered and not self._is_third(now):
            return True
        self._failed_share = self.share
        if self.burst_seconds > BURST_SECONDS_LEAST:
            self.burst_seconds = max(BURST_SECONDS_LEAST, self.burst_seconds / BURST_DIVISOR)
            self.share *= SHARE_AFTER_BURST
        else:
            self.share = max(SHARE_LEAST, self._borne(delivered))
        return True

    def relax(self, now: float) -> None:
        """Recover for the time that has passed."""
        seconds = max(0.0, now - self._updated_at)
        self._updated_at = now
        if self.share < 1.0:
            failed = min(1.0, self._failed_share)
            fast, slow = failed * RECOVERY_PER_SECOND, failed * RECOVERY_PER_SECOND_NEAR_FAILURE
            fast_seconds = min(seconds, max(0.0, failed * NEAR_FAILURE - self.share) / fast)
            self.share = min(1.0, self.share + fast_seconds * fast + (seconds - fast_seconds) * slow)
        elif self.burst_seconds < BURST_SECONDS and now - self.reacted_at > BURST_RECOVERY_SECONDS:
            self.burst_seconds = BURST_SECONDS
            self._failed_share = math.inf

    def _borne(self, delivered: float | None) -> float:
        if delivered is None:
            return self.share * SHARE_AFTER_RATE
        return min(self.share, max(SHARE_OF_DELIVERED * delivered, self.share * SHARE_CUT_MOST))

    def _is_third(self, now: float) -> bool:
        self._steered = [at for at in self._steered if at > now - STEERED_WINDOW_SECONDS]
        self._steered.append(now)
        return len(self._steered) >= STEERED_REFUSALS


def static_share(burst_seconds: float, period_seconds: float) -> float:
    """Return the part of a limit that a shaped sender may use so that no window of the period ever sees more.

    A sender with rate r and burst b passes at most b + r x T in T seconds, so that over the period b + r x period stays
    within the limit: 99.5 % of it at a quarter second of burst and a minute.
    """
    return 1.0 - (burst_seconds + JITTER_SECONDS) / period_seconds


class SlowRamp:
    """What a server that says "slow down" gets: half the rate, and half as much again every quarter of an hour.

    Source: OpenAI's error guide for `slow_down` ("increase by no more than 50 % every 15 minutes").
    """

    def __init__(self) -> None:
        self._share = 1.0
        self._since = -math.inf

    def share(self, now: float) -> float:
        """Return the part of the rate that may be used."""
        if self._share >= 1.0:
            return 1.0
        steps = min((now - self._since) / SLOW_RAMP_SECONDS, SLOW_RAMP_STEPS_MOST)
        grown: float = self._share * SLOW_RAMP_GROWTH**steps
        return min(1.0, grown)

    def refused(self, now: float, sent_at: float) -> None:
        """Note a refusal of this kind; those of one flight count once."""
        if sent_at > self._since:
            self._share = max(SHARE_LEAST, self.share(now) * SLOW_RAMP_CUT)
            self._since = now
