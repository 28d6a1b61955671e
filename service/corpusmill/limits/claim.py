"""One request's claim on a gate, and the ways it can end.

Rule of this file: a claim is settled exactly once; its states only go forward.
"""

import enum
from collections.abc import Mapping

import msgspec

from corpusmill.limits.buckets import NOTHING, Amounts
from corpusmill.limits.charge import Charge

Headers = Mapping[str, str]


class ClaimState(enum.Enum):
    """Where a claim stands."""

    NEW = "new"
    WAITING = "waiting"
    GRANTED = "granted"
    SETTLED = "settled"


class SettledTwiceError(RuntimeError):
    """A claim that is not granted was settled: each granted claim is settled exactly once."""


class Claim:
    """A request on its way through a gate.

    Attributes:
        job: whose request it is; jobs share the gate by their weights.
        charge: what it is expected to take.
        amounts: what was really charged, by kind.
        queued_at: seconds; when it came.
        granted_at: seconds; when it was let through, which is when it is sent.
        number: its place in the order of sending.
        reserved: what a server that takes `max_tokens` at admission counts for it, by kind.
        sent_before: what the gate had sent until then in that measure, by kind, this claim included.
        returned_before: what of that had turned out not to be used, until then.
        is_probe: whether a closed gate let it through to learn whether the server is there.
    """

    __slots__ = (
        "amounts",
        "charge",
        "granted_at",
        "is_probe",
        "job",
        "number",
        "queued_at",
        "reserved",
        "returned_before",
        "sent_before",
        "state",
    )

    def __init__(self, job: str, charge: Charge) -> None:
        self.job = job
        self.charge = charge
        self.state = ClaimState.NEW
        self.amounts: Amounts = NOTHING
        self.reserved: Amounts = NOTHING
        self.sent_before: Amounts = NOTHING
        self.returned_before: Amounts = NOTHING
        self.queued_at = self.granted_at = 0.0
        self.number = 0
        self.is_probe = False


class RefusalKind(enum.Enum):
    """Why a server turned a good request away."""

    RATE = "rate"
    """429: too many requests or tokens in a minute, a window or a day."""
    CAPACITY = "capacity"
    """503, 529: overloaded; the server is alive and full."""
    SLOW_DOWN = "slow_down"
    """The load grew too fast."""
    QUOTA = "quota"
    """The account may not spend any more: waiting does not help by itself."""


class Refusal(msgspec.Struct, frozen=True):
    """A request turned away for a reason that lies in the load and not in the request.

    Attributes:
        kind: why.
        retry_after_seconds: what the server asks for, counted from now; None if it says nothing.
    """

    kind: RefusalKind
    retry_after_seconds: float | None = None


class Answered(msgspec.Struct, frozen=True):
    """The server answered; `input_tokens` and `output_tokens` are its usage figures, None if it sent none."""

    input_tokens: float | None = None
    output_tokens: float | None = None
    headers: Headers | None = None


class Refused(msgspec.Struct, frozen=True):
    """The server turned the request away: it is refunded, and the gate reacts."""

    refusal: Refusal
    headers: Headers | None = None


class Failed(msgspec.Struct, frozen=True):
    """An outage: connect, reset, timeout before the first byte, 5xx. The charge is kept."""


class Rejected(msgspec.Struct, frozen=True):
    """The server says that this request is bad. It is alive; the charge is kept."""


class Lost(msgspec.Struct, frozen=True):
    """Nobody knows what became of the request: the charge is kept, as the server may have done the work."""


Outcome = Answered | Refused | Failed | Rejected | Lost
