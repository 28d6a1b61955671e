"""Why a gate lets nothing pass for a while, whoever comes.

Rule of this file: a value only. Rates and width are no hold: they let somebody pass every moment.
"""

import enum

import msgspec


class HoldKind(enum.Enum):
    """What holds everything back."""

    DOWN = "down"
    """The breaker is open: the endpoint does not answer."""
    PAUSE = "pause"
    """The endpoint asked for it, or its refusal did."""
    DAY = "day"
    """A day's limit is used up, by the gate's own count."""


class Hold(msgspec.Struct, frozen=True):
    """One hold.

    Attributes:
        kind: what holds.
        reason: in a word or two: a refusal's kind, a bucket's name.
        until: seconds of the gate's clock; infinity while a probe's outcome is awaited.
    """

    kind: HoldKind
    reason: str
    until: float
