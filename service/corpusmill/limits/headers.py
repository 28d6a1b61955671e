"""What a response's headers say about the limits: how much is allowed, what is left, when all of it is back.

Rule of this file: a header that is missing, malformed or impossible (a limit of 0 or -1, more left than allowed) says
nothing. Names and formats: OpenAI's rate-limit guide (`x-ratelimit-limit-requests`, "6m0s", "12ms", "4m12.172s"), with
the suffixes that Cerebras adds where it states the period itself (`-day`, `-hour`, `-minute`), and the scopes that
LiteLLM's proxy names (`x-ratelimit-api_key-limit-tokens`), each a limit of its own.
"""

import math
import re
from collections.abc import Mapping

import msgspec

from corpusmill.limits.charge import DAY_SECONDS, MINUTE_SECONDS, Kind

DIMENSIONS: tuple[tuple[str, Kind, float | None], ...] = (
    ("requests", Kind.REQUESTS, None),
    ("tokens", Kind.TOKENS, None),
    ("input-tokens", Kind.INPUT_TOKENS, None),
    ("output-tokens", Kind.OUTPUT_TOKENS, None),
    ("requests-minute", Kind.REQUESTS, MINUTE_SECONDS),
    ("tokens-minute", Kind.TOKENS, MINUTE_SECONDS),
    ("requests-day", Kind.REQUESTS, DAY_SECONDS),
    ("tokens-day", Kind.TOKENS, DAY_SECONDS),
)
"""What the last part of a header's name stands for: kind, and period where the name states it."""
SCOPED = re.compile(r"x-ratelimit-([\w.-]{1,64})-limit-(requests|tokens)", re.ASCII | re.IGNORECASE)
SCOPES_MOST = 8
UNIT_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[dhms]))+")
DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])")
LONGEST_DURATION = 40


class Reading(msgspec.Struct, frozen=True):
    """One limit as a response told it, at the moment its request was admitted.

    Attributes:
        name: the last part of the headers' names, such as `requests`.
        kind: what is counted.
        period_seconds: stated by the name; None if it has to be recognised.
        limit: what is allowed.
        used: what of it is used up.
        reset_seconds: when all of it is back; None if it does not say.
    """

    name: str
    kind: Kind
    period_seconds: float | None
    limit: float
    used: float
    reset_seconds: float | None


class HeaderReader:
    """Reads the limits from responses of one endpoint, and remembers which of them it sends."""

    def __init__(self) -> None:
        self._names: list[tuple[str, Kind, float | None, str, str, str]] = []
        self._looked = 0

    def read(self, headers: Mapping[str, str]) -> list[Reading]:
        """Return what the headers say; nothing, and that quickly, for an endpoint that sends no such headers."""
        if not self._names and not self._look(headers):
            return []
        readings = []
        for name, kind, period_seconds, limit_name, remaining_name, reset_name in self._names:
            limit = number(headers.get(limit_name))
            remaining = number(headers.get(remaining_name))
            if limit is not None and remaining is not None and 0 <= remaining <= limit and limit > 0:
                reset_seconds = duration_seconds(headers.get(reset_name))
                readings.append(Reading(name, kind, period_seconds, limit, limit - remaining, reset_seconds))
        return readings

    def _look(self, headers: Mapping[str, str]) -> bool:
        """Find out which limits the endpoint tells; asked of the first responses, and then of every 64th."""
        self._looked += 1
        if self._looked > 4 and self._looked % 64:
            return False
        for name, kind, period_seconds in DIMENSIONS:
            self._add(headers, "", name, kind, period_seconds)
        scoped = [match for match in map(SCOPED.fullmatch, headers) if match is not None]
        for scope, what in [match.groups() for match in scoped][:SCOPES_MOST]:
            self._add(headers, f"{scope}-", what, Kind[what.upper()], None)
        return bool(self._names)

    def _add(self, headers: Mapping[str, str], scope: str, name: str, kind: Kind, period_seconds: float | None) -> None:
        """Remember the names of a limit's headers, if it is told."""
        names = [f"x-ratelimit-{scope}{part}-{name}" for part in ("limit", "remaining", "reset")]
        if names[0] in headers:
            self._names.append((scope + name, kind, period_seconds, names[0], names[1], names[2]))


def number(text: str | None) -> float | None:
    """Return a plain decimal number; None for anything else."""
    if text is None or not text.isdecimal() or len(text) > 18:
        return None
    return float(text)


def duration_seconds(text: str | None) -> float | None:
    """Return seconds: "6m0s", "12ms", "4m12.172s", or a plain number of seconds; None for anything else."""
    if text is None or len(text) > LONGEST_DURATION:
        return None
    try:
        seconds = float(text.removesuffix("s"))
    except ValueError:
        pass
    else:
        return max(0.0, seconds) if math.isfinite(seconds) else None
    if not DURATION.fullmatch(text):
        return None
    return sum(float(count) * UNIT_SECONDS[unit] for count, unit in DURATION_PART.findall(text))
