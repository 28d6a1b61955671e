"""A job as the API tells it.

Rule of this file: the fields are public; a field may be added, none is taken away.
"""

import msgspec

from corpusmill.daemon.meter import Rate
from corpusmill.jobs.queue.job import Figures, Job
from corpusmill.jobs.queue.states import State
from corpusmill.jobs.summary import usd
from corpusmill.journal.sheet import Calls, Outcomes, Tokens
from corpusmill.spec.schema import Budget


class JobObject(msgspec.Struct, frozen=True):
    """A job and how far it is. Times are ISO 8601, UTC.

    Attributes:
        error: why it failed or was stopped; while it runs, what it waits for.
        items: how many it has; null while that is unknown.
        outcomes: they add up to the items done.
        cost_usd: null where the price of some completion is unknown.
        budget: what it may cost at most.
        in_flight: calls that are out.
        draining: it was told to stop, and calls that are out come back yet.
    """

    id: str
    name: str
    state: State
    created_at: str
    started_at: str | None
    finished_at: str | None
    error: str | None
    items: int | None
    outcomes: Outcomes
    rejected_by: dict[str, int]
    failed_by: dict[str, int]
    records: int
    calls: Calls
    tokens: Tokens
    cost_usd: float | None
    rate: Rate
    budget: Budget
    priority: str
    weight: int
    submitted_by: str
    in_flight: int
    draining: bool


STANDING = Rate()


def job_object(
    job: Job,
    figures: Figures,
    rate: Rate = STANDING,
    *,
    waits_for: str | None = None,
    in_flight: int = 0,
    draining: bool = False,
) -> JobObject:
    """Return a job's representation; `figures` are the newest there are of it."""
    sheet = figures.sheet
    return JobObject(
        id=job.id,
        name=job.name,
        state=job.state,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        error=job.error or waits_for,
        items=sheet.outcomes.total if job.state is State.FINISHED else figures.items,
        outcomes=sheet.outcomes,
        rejected_by=sheet.rejected_by,
        failed_by=sheet.failed_by,
        records=sheet.records,
        calls=sheet.calls,
        tokens=sheet.tokens,
        cost_usd=None if sheet.unpriced else usd(sheet.cost_picodollars),
        rate=rate,
        budget=job.budget,
        priority=job.priority.name.lower(),
        weight=job.weight,
        submitted_by=job.submitted_by,
        in_flight=in_flight,
        draining=draining,
    )
