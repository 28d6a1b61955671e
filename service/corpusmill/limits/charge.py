"""What a request takes from its limits, and which limits there are.

Rule of this file: values only. A `Charge` says how much, `Limits` says how fast, `Kind` says of what.
"""

import enum

import msgspec

MINUTE_SECONDS = 60.0
DAY_SECONDS = 86400.0


class Kind(enum.IntEnum):
    """What a bucket counts; the value is the index into amounts by kind."""

    REQUESTS = 0
    TOKENS = 1
    INPUT_TOKENS = 2
    OUTPUT_TOKENS = 3


class Charge(msgspec.Struct, frozen=True):
    """What one request is expected to take.

    Attributes:
        input_tokens: expected tokens of the prompt.
        output_tokens: expected tokens of the completion.
        max_output_tokens: the request's `max_tokens`, which a reserving server takes whole; 0 if unknown.
    """

    input_tokens: float = 0.0
    output_tokens: float = 0.0
    max_output_tokens: float = 0.0

    def expected(self) -> tuple[float, float, float, float]:
        """Return what the request is expected to take of each `Kind`."""
        return (1.0, self.input_tokens + self.output_tokens, self.input_tokens, self.output_tokens)

    def reserved(self) -> tuple[float, float, float, float]:
        """Return what a server that takes `max_tokens` at admission counts, of each `Kind`."""
        output = self.max_output_tokens or self.output_tokens
        return (1.0, self.input_tokens + output, self.input_tokens, output)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What an endpoint allows one credential; None where nothing is known.

    Attributes:
        requests_per_minute: requests admitted in a minute.
        tokens_per_minute: input and output tokens together in a minute.
        input_tokens_per_minute: where the server counts them apart.
        output_tokens_per_minute: where the server counts them apart.
        requests_per_day: requests admitted in a day.
        tokens_per_day: input and output tokens together in a day.
        concurrency: requests in flight at once; None lets the gate find the width by itself.
        reserve_output: the server takes `max_tokens` at admission and gives nothing back (no settlement of tokens).
    """

    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    input_tokens_per_minute: float | None = None
    output_tokens_per_minute: float | None = None
    requests_per_day: float | None = None
    tokens_per_day: float | None = None
    concurrency: int | None = None
    reserve_output: bool = False

    def rows(self) -> list[tuple[Kind, float, float]]:
        """Return (kind, limit, period in seconds) of every limit that is set."""
        table = (
            (Kind.REQUESTS, self.requests_per_minute, MINUTE_SECONDS),
            (Kind.TOKENS, self.tokens_per_minute, MINUTE_SECONDS),
            (Kind.INPUT_TOKENS, self.input_tokens_per_minute, MINUTE_SECONDS),
            (Kind.OUTPUT_TOKENS, self.output_tokens_per_minute, MINUTE_SECONDS),
            (Kind.REQUESTS, self.requests_per_day, DAY_SECONDS),
            (Kind.TOKENS, self.tokens_per_day, DAY_SECONDS),
        )
        return [(kind, limit, period) for kind, limit, period in table if limit is not None]

    def lowered(self, other: "Limits") -> "Limits":
        """Return the lower of each limit."""
        mine, theirs = msgspec.structs.asdict(self), msgspec.structs.asdict(other)
        both = {name: [each for each in (mine[name], theirs[name]) if each is not None] for name in mine}
        least = {name: min(bounds) for name, bounds in both.items() if bounds}
        return Limits(**{**least, "reserve_output": self.reserve_output or other.reserve_output})
