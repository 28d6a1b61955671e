"""Rate limits as a provider enforces them.

Rule of this file: arithmetic on a time that is passed in; a bucket's level is what has been used and not yet been
refilled. The method is the continuous token bucket that OpenAI's 429 messages reveal: capacity one minute's worth,
refilled at limit / 60 a second, and a stated wait of exactly (used + requested - limit) * 60 / limit seconds.
Headers follow the OpenAI rate-limit guide: `reset` is the time until the bucket is full again.

Use is told in whole units, rounded up, and so the stated wait can be too long by the time one unit takes.

Tokens are charged at admission, by the prompt and `max_tokens`, as OpenAI does. What becomes of tokens that were
reserved and not used is documented for its Realtime API only, which gives them back; `settle`, the default, does that
too, and `reserve` does not. A refused request is charged nothing, which is milder than OpenAI, where it counts.
"""

import math

import msgspec

from corpusmill.simulate.options import SimulateOptions

_ROUNDING = 1e-6
"""Less than a millionth of a request or token is a rounding error of floating-point time, not use."""


class Refusal(msgspec.Struct, frozen=True):
    """Why a request is not admitted.

    Attributes:
        kind: `requests` or `tokens`.
        limit, used, requested: whole units.
        period_seconds: what the limit is counted over.
        wait_seconds: until this request would be admitted, if nothing else were; None: it never will be.
    """

    kind: str
    limit: int
    used: int
    requested: int
    period_seconds: float
    wait_seconds: float | None


class Bucket:
    """One limit: a level that rises with use and falls by `limit / period_seconds` a second."""

    def __init__(self, kind: str, limit: int, period_seconds: float, *, used_up: bool, now: float) -> None:
        self.kind = kind
        self.limit = limit
        self.period_seconds = period_seconds
        self._level = float(limit) if used_up else 0.0
        self._at = now

    def level(self, now: float) -> float:
        """What is used and not yet refilled, at this moment."""
        refilled = max(0.0, now - self._at) * self.limit / self.period_seconds
        self._at = max(self._at, now)
        self._level = max(0.0, self._level - refilled)
        return self._level

    def used(self, now: float) -> int:
        """The level in whole units."""
        return math.ceil(self.level(now) - _ROUNDING)

    def refusal(self, amount: int, now: float) -> Refusal | None:
        """Why `amount` cannot be taken now; None when it can."""
        used = self.used(now)
        excess = used + amount - self.limit
        if excess <= 0:
            return None
        wait = None if amount > self.limit else excess * self.period_seconds / self.limit
        return Refusal(self.kind, self.limit, used, amount, self.period_seconds, wait)

    def take(self, amount: int, now: float) -> None:
        """Use `amount`; a negative amount gives back, but never beyond a full bucket."""
        self._level = max(0.0, self.level(now) + amount)

    def headers(self, now: float) -> dict[str, str]:
        """The three headers of this limit."""
        used = self.used(now)
        return {
            f"x-ratelimit-limit-{self.kind}": str(self.limit),
            f"x-ratelimit-remaining-{self.kind}": str(max(0, self.limit - used)),
            f"x-ratelimit-reset-{self.kind}": duration_text(used * self.period_seconds / self.limit),
        }


class Allowance:
    """The limits of one endpoint, admitted and charged together: a request passes all of them or is charged nothing."""

    def __init__(self, options: SimulateOptions, now: float) -> None:
        self.buckets = [
            Bucket(kind, limit, period, used_up=options.used_up, now=now)
            for kind, limit, period in (
                ("requests", *_burst(options.requests_per_minute, options.burst_seconds)),
                ("tokens", options.tokens_per_minute, 60.0),
            )
            if limit is not None
        ]
        self._settles = options.accounting == "settle"
        self._tells = options.rate_limit_headers

    def admit(self, tokens: int, now: float) -> Refusal | None:
        """Charge one request that reserves `tokens`, or tell why not: the refusal that lasts longest."""
        refusals = [r for bucket in self.buckets if (r := bucket.refusal(_amount(bucket, tokens), now))]
        if refusals:
            return max(refusals, key=lambda refusal: math.inf if refusal.wait_seconds is None else refusal.wait_seconds)
        for bucket in self.buckets:
            bucket.take(_amount(bucket, tokens), now)
        return None

    def settle(self, reserved: int, used: int, now: float) -> int:
        """Give back what an admitted request reserved and did not use; returns the tokens it is charged in the end."""
        if not self._settles:
            return reserved
        for bucket in self.buckets:
            if bucket.kind == "tokens":
                bucket.take(used - reserved, now)
        return used

    def headers(self, now: float) -> dict[str, str]:
        """What every response tells about the limits."""
        told: dict[str, str] = {}
        for bucket in self.buckets if self._tells else ():
            told.update(bucket.headers(now))
        return told


def _amount(bucket: Bucket, tokens: int) -> int:
    return tokens if bucket.kind == "tokens" else 1


def _burst(per_minute: int | None, seconds: float) -> tuple[int | None, float]:
    """The limit per burst window and the window: 600 a minute over 1 s are 10 per 1 s.

    A window too short for one request is stretched until it holds one.
    """
    if per_minute is None or seconds == 60.0:
        return per_minute, 60.0
    limit = max(1, math.floor(per_minute * seconds / 60.0))
    return limit, limit * 60.0 / per_minute


def duration_text(seconds: float) -> str:
    """A duration as in OpenAI's headers: `12ms`, `1.574s`, `6m0s`, `23h18m29.144s`; rounded up to milliseconds."""
    milliseconds = math.ceil(seconds * 1_000 - _ROUNDING)
    if milliseconds < 1_000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    text = f"{rest // 1_000}.{rest % 1_000:03d}".rstrip("0").rstrip(".") + "s"
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text
