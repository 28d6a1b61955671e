"""The lines of a journal, as typed records.

Rule of this file: short keys on disk, full names in code. A record that is durable is never changed and never
recomputed: a later version of the program reads what is here.
"""

from collections.abc import Callable
from operator import add
from typing import Literal

import msgspec
from msgspec.structs import astuple

Outcome = Literal["kept", "rejected", "duplicate", "failed"]


class Billed(msgspec.Struct, frozen=True, array_like=True):
    """What was paid for requests that brought no completion, as far as the endpoint told: tokens and cost.

    Attributes:
        unpriced: of these requests, how many have tokens but no known price.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    cost_picodollars: int = 0
    unpriced: int = 0

    def __add__(self, other: "Billed") -> "Billed":
        return Billed(*map(add, astuple(self), astuple(other)))


class Attempts(msgspec.Struct, frozen=True, array_like=True):
    """What it took at the endpoint: requests sent, and how many of them were refused for rate or failed.

    Attributes:
        billed: what those without a completion cost, None for nothing; older journals do not tell it.
    """

    sent: int = 0
    rate_limited: int = 0
    errors: int = 0
    billed: Billed | None = None

    def __add__(self, other: "Attempts") -> "Attempts":
        billed = [each for each in (self.billed, other.billed) if each is not None]
        return Attempts(
            self.sent + other.sent,
            self.rate_limited + other.rate_limited,
            self.errors + other.errors,
            sum(billed, start=Billed()) if billed else None,
        )


class Paid(msgspec.Struct, frozen=True, tag="r", tag_field="k", omit_defaults=True):
    """A completion as it came, paid for.

    Attributes:
        index, step, attempt: which item, which step of its chain, the how many-th completion asked for there, from 0.
        part: which of the calls that the step takes side by side or in a row, from 0.
        attempts: requests since the last record of this item, this one included.
        usage: input, cached input, output and reasoning tokens; None where the server did not say.
        cost_picodollars: what it costs, None where the price is unknown.
        model: the upstream model name.
        body: the response's JSON.
        request_id: by which the provider knows the call; empty where it told none, as in journals of earlier versions.
    """

    index: int = msgspec.field(name="i")
    step: int = msgspec.field(name="s")
    attempt: int = msgspec.field(name="a")
    attempts: Attempts = msgspec.field(name="t")
    model: str = msgspec.field(name="m")
    body: msgspec.Raw
    usage: tuple[int, int, int, int] | None = msgspec.field(name="u", default=None)
    cost_picodollars: int | None = msgspec.field(name="c", default=None)
    part: int = msgspec.field(name="p", default=0)
    request_id: str = msgspec.field(name="q", default="")

    @property
    def place(self) -> tuple[int, int, int]:
        """Step, part and attempt: where in its item's chain the completion belongs."""
        return self.step, self.part, self.attempt


class Decided(msgspec.Struct, frozen=True, tag="o", tag_field="k", omit_defaults=True):
    """An item's one outcome.

    Attributes:
        outcome: kept, rejected, duplicate or failed.
        reason: why, a closed set of words; empty for kept.
        detail: the reason's particulars, for people.
        of: for a duplicate, the index of the item that was kept first.
        attempts: requests that no `Paid` record of this item accounts for.
        records: how many lines of the corpus it contributes.
        fingerprints: of the kept texts, for deduplication; 64-bit.
        faults: of a sampled item, the reasons of all conditions that fail, in their order; None for all other items.
        choices: of a completion with several choices, which ones are kept.
    """

    index: int = msgspec.field(name="i")
    outcome: Outcome = msgspec.field(name="v")
    reason: str = msgspec.field(name="r", default="")
    detail: str = msgspec.field(name="d", default="")
    of: int | None = None
    attempts: Attempts = msgspec.field(name="t", default=Attempts())
    records: int = msgspec.field(name="n", default=0)
    fingerprints: tuple[int, ...] = msgspec.field(name="h", default=())
    choices: tuple[int, ...] = msgspec.field(name="ch", default=())
    faults: tuple[str, ...] | None = msgspec.field(name="f", default=None)


class Tried(msgspec.Struct, frozen=True, tag="t", tag_field="k", omit_defaults=True):
    """Requests of an item that was left without an outcome when its run ended; the next run takes it up again."""

    index: int = msgspec.field(name="i")
    attempts: Attempts = msgspec.field(name="t")


class Granted(msgspec.Struct, frozen=True, tag="g", tag_field="k", omit_defaults=True):
    """What may have been spent in the job's life when this is the last grant; written before it is spent.

    Attributes:
        calls: requests.
        picodollars: cost by the endpoint's accounting, at most.
    """

    calls: int
    picodollars: int


class Learnt(msgspec.Struct, frozen=True, tag="l", tag_field="k", omit_defaults=True):
    """What a run learnt about the calls of one step, written when it ends.

    Attributes:
        step: its name.
        samples: answers learnt from.
        chars_per_token: of the prompts, in the mean.
        output_tokens: mean length of an output.
        error_ratio: mean of |expected - used| / used over recent answers, input and output together.
        bias_ratio: mean of (expected - used) / used.
        max_tokens: what the step sets, None where it sets none.
        suggested_max_tokens: what 99 % of the outputs keep within; None before a hundred were seen.
    """

    step: str
    samples: int
    chars_per_token: float
    output_tokens: float
    error_ratio: float
    bias_ratio: float
    max_tokens: int | None = None
    suggested_max_tokens: int | None = None


Record = Paid | Decided | Tried | Granted | Learnt

encode_record = msgspec.json.Encoder().encode


def decode_record(line: bytes) -> Record:
    """Read a line of the journal."""
    return _decode(line)


_decode: Callable[[bytes], Record] = msgspec.json.Decoder(Record).decode
