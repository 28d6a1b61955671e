"""What a person sees of a remote job while it runs.

Rule of this file: it turns a job and the daemon's limiter into something to draw, and nothing else.
"""

from collections.abc import Iterator, Mapping

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from corpusmill.cli.remote.job_text import cost_text, done_text, duration_text, most_first, state_text
from corpusmill.endpoint.secret import presentable
from corpusmill.spec.wording import one_line
from corpusmill_client import Gate, Job

REASONS = 4
"""How many reasons are shown."""

GATES = 4
"""How many endpoints are shown: those with most calls out."""

STATE_STYLES = {"running": "green", "paused": "yellow", "failed": "red", "cancelled": "red", "exhausted": "yellow"}


def screen(job: Job, gates: Mapping[str, Gate]) -> Group:
    """Return what to draw."""
    head = Text.assemble((job.id, "bold"), "  ", (state_text(job), STATE_STYLES.get(job.state, "cyan")))
    bar = Table.grid(padding=(0, 2))
    bar.add_row(
        ProgressBar(total=job.items, completed=job.outcomes.total, width=50, pulse=job.items is None),
        done_text(job),
        _eta(job),
    )
    rows = Table.grid(padding=(0, 3))
    for title, text in (*_figures(job), *_limiter(gates)):
        rows.add_row(Text(title, "dim"), text)
    return Group(head, bar, rows, *_waits(job))


def _figures(job: Job) -> Iterator[tuple[str, Text]]:
    outcomes, tokens = job.outcomes, job.tokens
    rate = f"{job.rate.records_per_second:,.1f}/s"
    yield "records", _line(f"{job.records:,}", rate, f"{job.in_flight:,} calls in flight")
    yield "cost", _line(cost_text(job), f"{tokens.input:,} tokens in", f"{tokens.output:,} out")
    yield (
        "items",
        _line(
            Text(f"kept {outcomes.kept:,}", "green"),
            Text(f"rejected {outcomes.rejected:,}", "yellow"),
            Text(f"duplicate {outcomes.duplicate:,}", "cyan"),
            Text(f"failed {outcomes.failed:,}", "red"),
        ),
    )
    for title, counts in (("rejected by", job.rejected_by), ("failed by", job.failed_by)):
        if counts:
            yield title, _line(*(f"{one_line(name)} {count:,}" for name, count in most_first(counts)[:REASONS]))


def _limiter(gates: Mapping[str, Gate]) -> Iterator[tuple[str, Text]]:
    busiest = sorted(gates.items(), key=lambda each: (-each[1].in_flight, each[0]))[:GATES]
    for name, gate in busiest:
        buckets = [
            f"{bucket.name.replace('_', ' ')} {bucket.rate_per_minute:,.0f}/min of {bucket.limit:,.0f}"
            for bucket in gate.buckets
        ]
        calls = f"{gate.in_flight:,} of {gate.width:,} calls out, {gate.queue_depth:,} wait"
        yield one_line(name), _line(calls, *(buckets or ["no limits known"]), Text(_held(gate), "yellow"))


def _line(*parts: str | Text) -> Text:
    return Text("   ").join(Text(part) if isinstance(part, str) else part for part in parts)


def _held(gate: Gate) -> str:
    if gate.paused_by is not None:
        return f"paused for {gate.paused_seconds:,.0f} s: {one_line(gate.paused_by)}"
    if gate.breaker != "closed":
        return f"breaker {gate.breaker}"
    return f"held by {gate.held_by.replace('_', ' ')}" if gate.held_by is not None else ""


def _waits(job: Job) -> list[Text]:
    return [Text(presentable(job.error, ()), "bold yellow")] if job.error else []


def _eta(job: Job) -> Text:
    seconds = job.rate.eta_seconds
    return Text("" if seconds is None else f"about {duration_text(seconds)} left", "dim")
