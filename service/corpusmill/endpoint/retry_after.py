"""How long a server asks its client to stay away.

The rule of this file: the most exact source wins (milliseconds, then seconds or a date, then the error's own words),
and a source that is nonsense counts as absent.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

MAX_SECONDS: Final = 24 * 3600.0
MAX_MESSAGE_CHARS: Final = 2000

_UNIT_SECONDS: Final = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART: Final = re.compile(
    r"(\d{1,9}(?:\.\d{1,9})?) ?"
    r"(?:(?P<ms>ms|milliseconds?)|(?P<d>d|days?)|(?P<h>h|hours?)|(?P<m>m|mins?|minutes?)|(?P<s>s|secs?|seconds?))(?![a-z])",
    re.IGNORECASE,
)
_ASKED: Final = re.compile(r"(?:try again|retry) (?:in|after) ", re.IGNORECASE)


def retry_after_seconds(headers: Mapping[str, str], message: str, now_wall: float) -> float | None:
    """The wait a refused call's answer asks for, in seconds, at most 24 hours; None where it asks for none.

    `retry-after-ms`, `retry-after` (seconds or an HTTP date, RFC 9110 section 10.2.3) and texts such as "try again in
    6m0s" are what OpenAI, Azure and Google send. A date is measured against the answer's own `date`, as the server's
    clock and ours need not agree; against `now_wall` (seconds since the epoch) where it has none.
    """
    for seconds in (
        _number(headers.get("retry-after-ms"), scale=0.001),
        _number(headers.get("retry-after"), scale=1.0),
        _until(headers.get("retry-after"), _told(headers.get("date"), now_wall)),
        _worded(message[:MAX_MESSAGE_CHARS]),
    ):
        if seconds is not None and seconds >= 0:
            return min(seconds, MAX_SECONDS)
    return None


def _number(text: str | None, *, scale: float) -> float | None:
    try:
        seconds = float(text or "") * scale
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _until(text: str | None, now_wall: float) -> float | None:
    at = _epoch(text)
    return None if at is None else at - now_wall


def _told(text: str | None, now_wall: float) -> float:
    """What the server's clock says, else what ours does."""
    at = _epoch(text)
    return now_wall if at is None else at


def _epoch(text: str | None) -> float | None:
    """Seconds since the epoch of an HTTP date."""
    try:
        date = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return date.replace(tzinfo=date.tzinfo or UTC).timestamp()


def _worded(message: str) -> float | None:
    """The duration behind the words "try again in", as "1.2s", "12ms", "6m0s", "23h18m29.144s" or "20 seconds"."""
    asked = _ASKED.search(message)
    if asked is None:
        return None
    total, position = 0.0, asked.end()
    while part := _PART.match(message, position):
        total += float(part[1]) * _UNIT_SECONDS[part.lastgroup or "s"]
        position = part.end()
    return total if position > asked.end() else None
