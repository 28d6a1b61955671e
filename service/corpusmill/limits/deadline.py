"""How long to wait for an answer, from how long answers took.

Rule of this file: a deadline only ends what is hopeless. It is four times the slowest answers seen, or twice what a
full `max_tokens` would take at the slowest time per token, whichever is longer; never under 30 s, never over 600 s.
"""

from corpusmill.limits.quantile import RecentQuantile

SAMPLES = 20
UNKNOWN_SECONDS = 120.0
FLOOR_SECONDS = 30.0
CEILING_SECONDS = 600.0
LATENCY_FACTOR = 4.0
TOKENS_FACTOR = 2.0
SLOWEST = 0.99
FEWEST_TOKENS = 16
"""Shorter outputs say nothing about the time per token: the prompt dominates."""


class Deadline:
    """The deadline of one step with one model."""

    def __init__(self) -> None:
        self._latencies = RecentQuantile()
        self._token_seconds = RecentQuantile()

    def learn(self, latency_seconds: float, output_tokens: int) -> None:
        """Take the time and length of one answer."""
        self._latencies.add(latency_seconds)
        if output_tokens >= FEWEST_TOKENS:
            self._token_seconds.add(latency_seconds / output_tokens)

    def seconds(self, max_tokens: int | None) -> float:
        """Return how long to wait for an answer of at most `max_tokens`."""
        if len(self._latencies) < SAMPLES:
            return UNKNOWN_SECONDS
        by_latency = LATENCY_FACTOR * self._latencies.at(SLOWEST)
        by_tokens = TOKENS_FACTOR * self._token_seconds.at(SLOWEST) * (max_tokens or 0)
        return min(max(by_latency, by_tokens, FLOOR_SECONDS), CEILING_SECONDS)

    def p99_seconds(self) -> float | None:
        """Return the time that 99 % of recent answers stayed within; None before twenty were seen."""
        return self._latencies.at(SLOWEST) if len(self._latencies) >= SAMPLES else None
