"""A limit that is counted anew every minute: recognised by its count, and spent so that it lasts until the next one.

Rule of this file: a count that falls at once, by more than a minute's worth of leaking and by more than the gate's own
requests gave back, to next to nothing, has begun anew. Neither a bucket nor a sliding window does that. Where two such
moments lie a minute apart, the next one is known: what is left is spread over the time that is left, and nobody has to
wait for longer than that. Before, a window that the gate itself began may only lower the rate.
"""

import itertools
import math
from collections import deque

from corpusmill.limits.charge import MINUTE_SECONDS
from corpusmill.limits.restraint import BURST_SECONDS, JITTER_SECONDS, SHARE_LEAST, static_share

TARGET = static_share(BURST_SECONDS, MINUTE_SECONDS)
SHARE_MOST = 1.25
"""What a window that was hardly used so far is caught up with."""
LEFT_SECONDS_LEAST = 0.25
"""What is left is spread over so much at least: readings are late, and not exact."""
FALL_LEAST = 0.01
LITTLE = 0.1
"""Both of the limit: so much falls at least, and so little may be used when a count has begun anew."""
FULL = 0.9
"""A window of which less is used did not cause a refusal."""
TOLERANCE_SECONDS = 1.5
"""Servers count in whole seconds, and some begin a minute with the first request that comes after the last one."""
BEGUN_KEPT = 4


class Window:
    """The minute that a server counts in at present.

    Args:
        used: by the first reading.
        sent_at: when the request of that reading was let through.
        sent: what the gate had sent until then, that request included, less what was not used of it.
        limit: what the server allows in a minute.
    """

    def __init__(self, used: float, sent_at: float, sent: float, limit: float) -> None:
        is_own = used <= sent + LITTLE * limit
        self._begun = deque([sent_at] if is_own else [], maxlen=BEGUN_KEPT)
        self._used, self._sent_at, self._sent = used, sent_at, sent
        self._earliest_at, self._used_most = -math.inf, used + LITTLE * limit

    @property
    def began_at(self) -> float:
        """Return when it began by the readings, in seconds; minus infinity if that is not known."""
        return self._begun[-1] if self._begun else -math.inf

    @property
    def ends_at(self) -> float:
        """Return when the count begins anew; minus infinity if that is not known."""
        return self.began_at + MINUTE_SECONDS

    @property
    def is_known(self) -> bool:
        """Return whether one of the last windows was a minute long: so is the present one."""
        lengths = (after - before for before, after in itertools.pairwise(self._begun))
        return any(abs(length - MINUTE_SECONDS) <= TOLERANCE_SECONDS for length in lengths)

    def read(self, used: float, sent_at: float, sent: float, limit: float) -> bool:
        """Take a reading, later than the last one; return whether the count has begun anew since that one."""
        own, leaked = sent - self._sent, limit * (sent_at - self._sent_at) / MINUTE_SECONDS
        fall = self._used + own - used - FALL_LEAST * limit
        is_little = used <= max(0.0, own) + LITTLE * limit
        is_over = bool(self._begun) and sent_at >= self.ends_at
        if is_little and (fall > leaked or is_over or (fall > 0 and not self._begun)):
            if fall <= leaked:
                self.lose()
            self._begun.append(sent_at)
            self._earliest_at, self._used_most = self._sent_at, (used + self._used) / 2
        elif is_over and sent_at >= self.ends_at + TOLERANCE_SECONDS:
            self.lose()
        self._used, self._sent_at, self._sent = used, sent_at, sent
        return self.began_at == sent_at

    def recall(self, used: float, sent_at: float) -> None:
        """Take a reading of an earlier request than the last one's: the window may have begun as early as that."""
        if self._earliest_at < sent_at < self.began_at and used <= self._used_most:
            self._begun[-1] = sent_at

    def share(self, used: float, now: float, one: float = 0.0) -> float | None:
        """Return the rate, as a share of the limit, at which what is left lasts until the end; None if it is not known.

        Args:
            used: the used share, projected to now.
            now: seconds.
            one: what a single request takes of the limit at first, as a share; it has to fit in to the last.
        """
        left_seconds = self.ends_at - now
        if left_seconds <= 0:
            return None
        share = (min(TARGET, 1.0 - one) - used) * MINUTE_SECONDS / max(left_seconds, LEFT_SECONDS_LEAST)
        if share >= TARGET and not self.is_known:
            return None
        return min(max(share, SHARE_LEAST), SHARE_MOST)

    def renewal_at(self, sent_at: float, used: float) -> float | None:
        """Take a refusal; return when the server takes requests again by its own count, None if that is not known.

        What fills a limit for a minute was all sent since `began_at`. A minute after that nothing of it counts any
        more, in windows of any kind as in a bucket, so one request may ask; if it is refused too, that was not why.

        Args:
            sent_at: when the refused request was let through.
            used: the used share, projected to now.
        """
        if not self._begun:
            return None
        if sent_at < self.began_at:
            return self.began_at
        if sent_at < self.ends_at:
            return self.ends_at + JITTER_SECONDS if used >= FULL else None
        if sent_at < self.ends_at + TOLERANCE_SECONDS:
            return self.ends_at + TOLERANCE_SECONDS
        self.lose()
        return None

    def lose(self) -> None:
        """Forget the windows: one did not end when it should have, or so little was sent that nothing fell."""
        self._begun.clear()
