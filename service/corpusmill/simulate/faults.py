"""The faults an endpoint can be asked to show, and when it shows them.

Rule of this file: faults of the text depend on the prompt alone, so asking again gives the same fault; faults of the
transport and the account depend also on how often the prompt was asked, so asking again can succeed.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from itertools import accumulate

from corpusmill.simulate.chance import unit


class Fault(StrEnum):
    """One way in which an answer goes wrong; the value is its name on the command line."""

    RATE_LIMIT = "rate_limit"
    HTTP_500 = "http_500"
    HTTP_503 = "http_503"
    RESET = "reset"
    HANG = "hang"
    GARBAGE = "garbage"
    TRUNCATION = "truncation"
    CONTENT_TYPE = "content_type"
    EMPTY_CHOICE = "empty_choice"
    REFUSAL = "refusal"
    LENGTH = "length"
    EXACT_DUPLICATE = "exact_duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    BAD_REQUEST = "bad_request"
    CONTEXT_LENGTH = "context_length"
    CONTENT_FILTER = "content_filter"
    QUOTA = "quota"
    UNAUTHORIZED = "unauthorized"


TEXT_FAULTS = (
    Fault.REFUSAL,
    Fault.LENGTH,
    Fault.EXACT_DUPLICATE,
    Fault.NEAR_DUPLICATE,
    Fault.BAD_REQUEST,
    Fault.CONTEXT_LENGTH,
    Fault.CONTENT_FILTER,
)
"""Decided per prompt."""
ACCOUNT_FAULTS = (Fault.QUOTA, Fault.UNAUTHORIZED)
"""Decided per visit; left out of `all`, because a client is right to stop for good when it sees one."""
TRANSPORT_FAULTS = tuple(fault for fault in Fault if fault not in TEXT_FAULTS + ACCOUNT_FAULTS)
"""Decided per visit."""


def parse_faults(entries: Iterable[str]) -> dict[str, float]:
    """Read `name=rate` entries, each possibly several joined by commas; a later entry overrides an earlier one.

    `all=rate` stands for every fault but those of the account.

    Raises:
        ValueError: an entry is not of that form; the message is one line for the user.
    """
    rates: dict[str, float] = {}
    for entry in (part.strip() for joined in entries for part in joined.split(",")):
        name, equals, rate = entry.partition("=")
        try:
            number = float(rate)
        except ValueError:
            equals = ""
        if not equals:
            raise ValueError(f"{entry!r} is not of the form NAME=RATE, as in http_500=0.05")
        names = (*TRANSPORT_FAULTS, *TEXT_FAULTS) if name.strip() == "all" else (name.strip(),)
        rates.update((str(each), number) for each in names)
    return rates


def problem_of_rates(rates: Mapping[str, float]) -> str | None:
    """What is wrong with these rates, one line for the user; None when nothing is."""
    known = [str(fault) for fault in Fault]
    for name, rate in rates.items():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            return f"there is no fault {name!r}" + (
                f", did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
            )
        if not (math.isfinite(rate) and 0 <= rate <= 1):
            return f"the rate of {name} must lie between 0 and 1, was {rate:g}"
    total = math.fsum(rates.values())
    return f"the rates must not add up to more than 1, were {total:g} in all" if total > 1 + 1e-9 else None


class _Lottery:
    """Which of some faults, if any, a number in [0, 1) falls on."""

    def __init__(self, faults: Iterable[Fault], rates: Mapping[str, float]) -> None:
        self._faults = [fault for fault in faults if rates.get(fault, 0) > 0]
        self._thresholds = list(accumulate(rates[fault] for fault in self._faults))

    def draw(self, number: float) -> Fault | None:
        place = bisect_right(self._thresholds, number)
        return self._faults[place] if place < len(self._faults) else None


class FaultPlan:
    """Which fault meets which request; `rates` are shares of the requests, by fault name."""

    def __init__(self, rates: Mapping[str, float]) -> None:
        self._of_prompt = _Lottery(TEXT_FAULTS, rates)
        self._of_visit = _Lottery(TRANSPORT_FAULTS + ACCOUNT_FAULTS, rates)

    def fault(self, key: int, visit: int) -> Fault | None:
        """The fault that meets this visit (counted from 0) of the prompt with this key."""
        return self._of_visit.draw(unit(key, "visit", visit)) or self._of_prompt.draw(unit(key, "prompt"))
