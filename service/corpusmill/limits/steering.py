"""One limit as its server sees it: recognised, projected to now, and turned into a rate.

Rule of this file: the server's bucket is the truth, and the shared memory of everybody who uses the key. Headers tell
its level when a request was admitted, and arrive after the answer; so the level is projected: plus what was sent
since, less what leaked since. The rate aims at a bucket four fifths used: never empty, so no allowance is lost, and
twelve seconds of air before a refusal. It is proportional only: with an integral term, several clients of one key do
not share evenly. What does not look like a continuous bucket is spent as a `Window`, or left to the static rate.
"""

import enum
import math

from corpusmill.limits.charge import DAY_SECONDS, MINUTE_SECONDS
from corpusmill.limits.headers import Reading
from corpusmill.limits.window import Window

TARGET = 0.8
GAIN_BELOW = 2.5
GAIN_ABOVE = 5.0
SHARE_LEAST = 0.02
VOTE_ALPHA = 0.1
VOTES = 10
TELLING_USED = 10
TELLING_LEAST, TELLING_MOST = 0.005, 0.98
"""A reset tells the period if at least so much, and a share between these, is used."""
PERIOD_TOLERANCE = 0.01
ROUNDING_UNITS = 1.5
LONG_RESET_SECONDS = 120.0
"""A reset further away than this belongs to no limit per minute."""
BOOST_FACTOR = 1.25
BOOST_MOST = 3.0
BOOST_SECONDS = 12.0
BOOST_AGAIN_SECONDS = 90.0
BIAS_SECONDS = 2.0
BIAS_ALPHA = 0.2
BIAS_LEAST, BIAS_MOST = 0.1, 30.0
STRIKES = 3
STRIKES_SECONDS = 300.0
DISBELIEF_SECONDS = 600.0


class Form(enum.Enum):
    """What a limit looks like from outside."""

    UNDECIDED = "undecided"
    BUCKET = "bucket"
    """It leaks continuously, once its size a minute."""
    DAY = "day"
    """It is full again only after much longer than a minute."""
    WINDOW = "window"
    """It counts in windows, or its headers do not fit together."""


def share_at(used: float) -> float:
    """Return the rate, as a share of the limit, for a bucket of which this share is used."""
    if used < TARGET:
        return 1.0 + GAIN_BELOW * (TARGET - used)
    return max(SHARE_LEAST, 1.0 - GAIN_ABOVE * (used - TARGET))


class Steering:
    """One limit of one endpoint, told by headers.

    Attributes:
        form: what it looks like.
        limit: what the headers allow.
        bias: what the server counts for each unit that the gate sends: its own way of counting, and other clients.
        longest_reset_seconds: the longest reset seen.
        window: the minute that the server counts in, if it does.
    """

    def __init__(self, first: Reading, sent_at: float, sent: float, returned: float = 0.0) -> None:
        self.form = Form.UNDECIDED
        self.limit = first.limit
        self.bias = 1.0
        self._biases = 0
        self.longest_reset_seconds = 0.0
        self.window = Window(first.used, sent_at, sent - returned, first.limit)
        self._first_sent_at = sent_at
        self._used, self._sent_at, self._sent, self._returned = first.used, sent_at, sent, returned
        self._base = (sent_at, first.used, sent, returned)
        self._minute_votes = self._day_votes = 0.0
        self._votes = 0
        self._boost = 1.0
        self._boost_at = -math.inf
        self._disbelieved_until = -math.inf
        self._strikes: list[float] = []

    def read(self, reading: Reading, sent_at: float, sent: float, returned: float = 0.0) -> None:
        """Take a reading.

        Args:
            reading: what the headers say.
            sent_at: when the request was let through; an older one than the last tells no level.
            sent: what the gate had sent of this kind until then, this request included.
            returned: what of that had turned out not to be used.
        """
        if sent_at <= self._sent_at:
            self.window.recall(reading.used, sent_at)
            return
        has_begun_anew = self.window.read(reading.used, sent_at, sent - returned, reading.limit)
        if reading.limit != self.limit or has_begun_anew:
            self.limit = reading.limit
            self._base = (sent_at, reading.used, sent, returned)
        self._used, self._sent_at, self._sent, self._returned = reading.used, sent_at, sent, returned
        self._vote(reading)
        self._learn_bias()

    def used_share(self, now: float, sent: float, returned: float = 0.0) -> float:
        """Return the used share of the server's bucket or window, projected to now."""
        own = self._own(sent - self._sent, returned - self._returned)
        leaked = self._leak_rate() * (now - self._sent_at)
        return max(0.0, (self._used + self.bias * own - leaked) / self.limit)

    def share(self, now: float, sent: float, is_busy: bool, returned: float = 0.0, one: float = 0.0) -> float | None:
        """Return the rate as a share of the limit; None if the static rate is to be used.

        Args:
            now: seconds.
            sent: what the gate has sent of this kind so far.
            is_busy: whether this limit is what holds requests back at present.
            returned: what of that was not used.
            one: what a single request takes.
        """
        if not self.is_believed(now):
            return None
        if self.form is Form.BUCKET:
            return share_at(self.used_share(now, sent, returned))
        if self.form is Form.WINDOW:
            return self.window.share(self.used_share(now, sent, returned), now, one / self.limit)
        if self.form is Form.UNDECIDED and is_busy and self._needs_boost(now):
            return self._boost
        return None

    @property
    def is_recognised(self) -> bool:
        """Return whether it is known how this limit is counted."""
        return self.form in (Form.BUCKET, Form.DAY) or (self.form is Form.WINDOW and self.window.is_known)

    def is_steering(self, now: float) -> bool:
        """Return whether this limit sets the rate: it is recognised, no daily one, and its headers are believed."""
        return self.is_recognised and self.form is not Form.DAY and self.is_believed(now)

    def is_believed(self, now: float) -> bool:
        """Return whether its headers count: not for a while after refusals that they say there was room for."""
        return now >= self._disbelieved_until

    def disbelieve(self, now: float) -> None:
        """Note that a refusal's own headers left room: after three of them, headers steer nothing for a while."""
        self._strikes = [at for at in self._strikes if at > now - STRIKES_SECONDS]
        self._strikes.append(now)
        if len(self._strikes) >= STRIKES:
            self._disbelieved_until = now + DISBELIEF_SECONDS

    def _vote(self, reading: Reading) -> None:
        """Compare the reset with what a continuous bucket would say: used x period / limit."""
        if reading.reset_seconds is None:
            is_minute = is_day = False
        else:
            self.longest_reset_seconds = max(self.longest_reset_seconds, reading.reset_seconds)
            is_long = reading.reset_seconds > LONG_RESET_SECONDS
            if not is_long and not self._is_telling(reading):
                return
            is_minute = self._fits(reading, MINUTE_SECONDS)
            is_day = is_long or self._fits(reading, DAY_SECONDS)
        self._minute_votes += VOTE_ALPHA * (is_minute - self._minute_votes)
        self._day_votes += VOTE_ALPHA * (is_day - self._day_votes)
        self._votes += 1
        if self._votes >= VOTES:
            self.form = self._verdict()

    def _is_telling(self, reading: Reading) -> bool:
        """Return whether so much is used that whole numbers in the headers do not hide the period."""
        return reading.used >= TELLING_USED and TELLING_LEAST < reading.used / reading.limit < TELLING_MOST

    def _fits(self, reading: Reading, period_seconds: float) -> bool:
        """Return whether the reset is what a bucket of this period has, but for whole numbers in the headers."""
        unit_seconds = period_seconds / reading.limit
        expected = reading.used * unit_seconds
        off = abs((reading.reset_seconds or 0.0) - expected)
        return off <= max(PERIOD_TOLERANCE * expected, ROUNDING_UNITS * unit_seconds)

    def _verdict(self) -> Form:
        if self._minute_votes >= 0.6:
            return Form.BUCKET
        if self._day_votes >= 0.6:
            return Form.DAY
        return self.form if max(self._minute_votes, self._day_votes) >= 0.3 else Form.WINDOW

    def _leak_rate(self) -> float:
        """Return what the server forgets in a second, as far as is known."""
        if self.form is Form.WINDOW:
            return 0.0
        return self.limit / (DAY_SECONDS if self.form is Form.DAY else MINUTE_SECONDS)

    def _own(self, sent: float, returned: float) -> float:
        """Return what the server counts of what was sent, if it counts as most of its form do.

        What is counted in windows is counted for gateways, which correct it to what was used when the answer is there.
        """
        return sent - returned if self.form is Form.WINDOW else sent

    def _learn_bias(self) -> None:
        """Compare what the server has counted since an earlier reading with what the gate has sent."""
        sent_at, used, sent, returned = self._base
        seconds, own = self._sent_at - sent_at, self._own(self._sent - sent, self._returned - returned)
        if seconds < BIAS_SECONDS:
            return
        is_countable = self.form in (Form.BUCKET, Form.WINDOW)
        if is_countable and own > 0 and min(used, self._used) > TELLING_LEAST * self.limit:
            theirs = self._used - used + self._leak_rate() * seconds
            self._biases += 1
            alpha = max(BIAS_ALPHA, 1.0 / self._biases)
            self.bias += alpha * (min(max(theirs / own, BIAS_LEAST), BIAS_MOST) - self.bias)
        self._base = (self._sent_at, self._used, self._sent, self._returned)

    def _needs_boost(self, now: float) -> bool:
        """Return whether to send too much for a while, each time a little more: an empty bucket tells no form."""
        is_telling = self._used > TELLING_LEAST * self.limit
        if is_telling or self._sent_at < self._first_sent_at + 1.0:
            return False
        if now >= self._boost_at + BOOST_AGAIN_SECONDS:
            self._boost_at = now
            self._boost = min(BOOST_MOST, self._boost * BOOST_FACTOR)
        return now < self._boost_at + BOOST_SECONDS
