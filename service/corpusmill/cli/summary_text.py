"""A job's summary as lines for people."""

from pathlib import Path

from corpusmill.jobs.summary import Summary


def summary_table(summary: Summary, folder: Path) -> str:
    """Return a summary as lines for a terminal or a file."""
    outcomes, calls, tokens = summary.outcomes, summary.calls, summary.tokens
    reasons = "".join(f"\n    {name:<20} {count:>10,}" for name, count in summary.rejected_by.items())
    failures = "".join(f"\n    {name:<20} {count:>10,}" for name, count in summary.failed_by.items())
    return (
        f"{summary.job}: {summary.state} after {summary.seconds:,.1f} s\n"
        f"  kept         {outcomes.kept:>12,}   {summary.records:,} records\n"
        f"  rejected     {outcomes.rejected:>12,}{reasons}\n"
        f"  duplicate    {outcomes.duplicate:>12,}\n"
        f"  failed       {outcomes.failed:>12,}{failures}\n"
        f"  calls        {calls.sent:>12,}   {calls.answered:,} answered, {calls.rate_limited:,} rate limited, "
        f"{calls.errors:,} errors\n"
        f"  tokens       {tokens.input + tokens.output:>12,}   {tokens.input:,} in, {tokens.output:,} out\n"
        f"  cost         {cost_text(summary):>12}\n"
        f"  corpus       {folder / 'corpus'}\n"
        f"  rejects      {folder / 'rejects'}"
    )


def cost_text(summary: Summary) -> str:
    """Return the cost in dollars, or that it is not known."""
    return "unknown price" if summary.cost_usd is None else f"${summary.cost_usd:,.4f}"
