"""The endpoint's own books: what was asked, admitted, refused and used.

Rule of this file: counters only, bounded in number; the reader does the dividing, in `statement`.
"""

from collections import Counter, deque
from typing import Any

from corpusmill.simulate.allowance import Allowance, Bucket
from corpusmill.simulate.wire import Usage

MINUTES_KEPT = 120


class Ledger:
    """Counts since the start; per-minute figures of the last two hours.

    Args:
        allowance: the limits whose use is told; times are of the clock that it is kept by.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._levels: dict[str, float] = {}
        self._first: float | None = None
        self._minutes: deque[tuple[int, Counter[str]]] = deque(maxlen=MINUTES_KEPT)
        self.outcomes: Counter[str] = Counter()
        self.charged: Counter[str] = Counter()
        """Requests, and tokens after settlement."""
        self.reserved_tokens = 0
        self.used_tokens = 0
        self._bills: dict[str, Counter[str]] = {}
        self.admitted = 0
        self.refused = 0
        self.in_flight = 0

    def open(self, now: float) -> None:
        """A request comes; with the first one the books begin, before anything is charged."""
        if self._first is None:
            self._first = now
            self._levels = {bucket.kind: bucket.level(now) for bucket in self._allowance.buckets}

    def admit(self, reserved: int, now: float) -> None:
        """A request was admitted and reserved tokens."""
        self.admitted += 1
        self.in_flight += 1
        self.reserved_tokens += reserved
        self._charge(1, reserved, now)

    def finish(self, outcome: str, *, reserved: int, charged: int, used: Usage | None, now: float) -> None:
        """An admitted request came to its end: what it was charged in the end, and what it really used."""
        self.in_flight -= 1
        self.outcomes[outcome] += 1
        if used is not None:
            self.used_tokens += used.total_tokens
            bill = self._bills.setdefault(outcome, Counter())
            bill["input"] += used.prompt_tokens
            bill["cached_input"] += used.prompt_tokens_details.cached_tokens
            bill["output"] += used.completion_tokens
        self._charge(0, charged - reserved, now)

    def refuse(self, outcome: str) -> None:
        """A request was turned away before it was admitted."""
        self.refused += 1
        self.outcomes[outcome] += 1

    def _charge(self, requests: int, tokens: int, now: float) -> None:
        minute = int(self._elapsed(now) // 60)
        if not self._minutes or self._minutes[-1][0] != minute:
            self._minutes.append((minute, Counter()))
        for counts in (self.charged, self._minutes[-1][1]):
            counts["requests"] += requests
            counts["tokens"] += tokens

    def statement(self, prompts_seen: int, now: float) -> dict[str, Any]:
        """Everything, as the JSON of /stats."""
        elapsed = self._elapsed(now)
        limits = {bucket.kind: self._limit(bucket, elapsed, now) for bucket in self._allowance.buckets}
        binding = max(limits, key=lambda kind: float(limits[kind]["utilisation"]), default=None)
        return {
            "requests": self.admitted + self.refused,
            "outcomes": dict(self.outcomes),
            "admitted": self.admitted,
            "in_flight": self.in_flight,
            "rate_limited": sum(self.outcomes[name] for name in _REFUSED_429),
            "prompts_seen": prompts_seen,
            "tokens": {"reserved": self.reserved_tokens, "charged": self.charged["tokens"], "used": self.used_tokens},
            "billed": {outcome: dict(bill) for outcome, bill in self._bills.items()},
            "seconds_since_first_request": round(elapsed, 3),
            "binding_limit": binding,
            "limits": limits,
        }

    def _elapsed(self, now: float) -> float:
        return 0.0 if self._first is None else now - self._first

    def _limit(self, bucket: Bucket, elapsed: float, now: float) -> dict[str, Any]:
        """One limit's use since the first request.

        Utilisation is (charged - rise of the level) / (limit * time): what had been saved up at first does not count,
        and 1.0 means that nothing of the allowance was left unused. By minute it is charge over allowance, plainly.
        """
        kind = bucket.kind
        allowed = bucket.limit * elapsed / bucket.period_seconds
        level = bucket.level(now)
        a_minute = bucket.limit * 60 / bucket.period_seconds
        return {
            "limit": bucket.limit,
            "period_seconds": bucket.period_seconds,
            "charged": self.charged[kind],
            "level": round(level, 3),
            "utilisation": round((self.charged[kind] + self._levels[kind] - level) / allowed, 6) if allowed else 0.0,
            "by_minute": {str(minute): round(counts[kind] / a_minute, 6) for minute, counts in self._minutes},
        }


_REFUSED_429 = ("rate_limit", "rate_limited_requests", "rate_limited_tokens", "request_too_large", "quota")
