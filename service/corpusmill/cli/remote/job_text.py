"""A job of a daemon as lines for people."""

from collections.abc import Mapping, Sequence

from corpusmill.endpoint.secret import presentable
from corpusmill.spec.wording import one_line
from corpusmill_client import Calls, Job

ID_CHARS = 32


def job_text(job: Job) -> str:
    """Return a job as lines."""
    outcomes, calls, tokens = job.outcomes, job.calls, job.tokens
    return "\n".join(
        [
            f"{job.id}: {state_text(job)}, {done_text(job)} items done",
            *([f"  {presentable(job.error, ())}"] if job.error else []),
            f"  kept       {outcomes.kept:>14,}   {job.records:,} records",
            f"  rejected   {outcomes.rejected:>14,}",
            *_reasons(job.rejected_by),
            f"  duplicate  {outcomes.duplicate:>14,}",
            f"  failed     {outcomes.failed:>14,}",
            *_reasons(job.failed_by),
            f"  calls      {calls.sent:>14,}   {_calls_text(calls)}",
            f"  tokens     {tokens.input + tokens.output:>14,}   {tokens.input:,} in, {tokens.output:,} out",
            f"  cost       {cost_text(job):>14}",
            f"  created    {job.created_at}   priority {job.priority}, weight {job.weight}, by {job.submitted_by}",
        ]
    )


def jobs_text(jobs: Sequence[Job]) -> str:
    """Return a list of jobs as a table."""
    rows = [f"{'id':<{ID_CHARS}} {'state':<10} {'items':>21} {'kept':>12} {'cost':>14}  created"]
    rows += [
        f"{job.id:<{ID_CHARS}} {job.state:<10} {done_text(job):>21} {job.outcomes.kept:>12,} "
        f"{cost_text(job, short=True):>14}  {job.created_at}"
        for job in jobs
    ]
    return "\n".join(rows)


def state_text(job: Job) -> str:
    """Return the state, and whether calls come back yet."""
    return f"{job.state}, {job.in_flight:,} calls come back yet" if job.draining else job.state


def done_text(job: Job) -> str:
    """Return how many items are done, and of how many."""
    return f"{job.outcomes.total:,}" + (f" of {job.items:,}" if job.items is not None else "")


def cost_text(job: Job, *, short: bool = False) -> str:
    """Return the cost, and the budget unless it is to be short."""
    cost = "unknown price" if job.cost_usd is None else f"${job.cost_usd:,.4f}"
    if short:
        return cost
    if job.budget.usd is not None:
        cost += f" of ${job.budget.usd:,.2f}"
    return cost if job.budget.calls is None else f"{cost}, {job.calls.sent:,} of {job.budget.calls:,} calls"


def duration_text(seconds: int) -> str:
    """Return hours, minutes and seconds."""
    minutes, left = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{left:02d}"


def most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return reasons with their counts, the most frequent first."""
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def _calls_text(calls: Calls) -> str:
    return f"{calls.answered:,} answered, {calls.rate_limited:,} rate limited, {calls.errors:,} errors"


def _reasons(counts: Mapping[str, int]) -> list[str]:
    return [f"    {one_line(name):<20} {count:>10,}" for name, count in most_first(counts)]
