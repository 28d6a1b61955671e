"""What a job came to, as one object: the form in which commands and the API tell it."""

from typing import Any

import msgspec

from corpusmill.endpoint.prices import PICODOLLARS_PER_USD
from corpusmill.journal.sheet import Calls, Outcomes, Sheet, Tokens


class Summary(msgspec.Struct, frozen=True):
    """The balance sheet of a job.

    Attributes:
        items: how many items the job has; once it is over, how many it had.
        cost_usd: None where the price of some completion is unknown.
        seconds: how long this run took.
        reason: why it ended in this state, where that needs saying.
        cause: `disk` where the disk made it end, else empty.
    """

    job: str
    state: str
    items: int | None
    outcomes: Outcomes
    rejected_by: dict[str, int]
    failed_by: dict[str, int]
    records: int
    calls: Calls
    tokens: Tokens
    cost_usd: float | None
    seconds: float
    reason: str = ""
    cause: str = ""


def summarise(job: str, state: str, sheet: Sheet, *, items: int | None, seconds: float) -> Summary:
    """Make a job's summary from its balance sheet."""
    return Summary(
        job=job,
        state=state,
        items=sheet.outcomes.total if state == "finished" else items,
        outcomes=sheet.outcomes,
        rejected_by=dict(sorted(sheet.rejected_by.items(), key=_most_first)),
        failed_by=dict(sorted(sheet.failed_by.items(), key=_most_first)),
        records=sheet.records,
        calls=sheet.calls,
        tokens=sheet.tokens,
        cost_usd=None if sheet.unpriced else usd(sheet.cost_picodollars),
        seconds=round(seconds, 3),
    )


def usd(picodollars: int) -> float:
    """Return an amount in dollars, to the micro-dollar, for people and JSON; sums are made before this."""
    return round(picodollars / PICODOLLARS_PER_USD, 6)


def _most_first(item: tuple[str, int]) -> Any:
    return (-item[1], item[0])
