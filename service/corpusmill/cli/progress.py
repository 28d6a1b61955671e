"""What a person sees of a job on a terminal while it runs.

Rule of this file: it only shows. Figures are read when the screen is drawn, a few times a second, and decide nothing.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from corpusmill.bootstrap.job import Running
from corpusmill.cli.summary_text import cost_text
from corpusmill.jobs.summary import Summary
from corpusmill.telemetry.events import CallFailed, Event, JobPaused, JobResumed

DRAW_SECONDS = 0.25
RATE_SECONDS = 15.0
"""Rates are over so many seconds past."""

REASONS = 4
"""How many reject reasons are shown."""


class ProgressDisplay:
    """A live view of one job on stderr."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._paused_by = ""
        self._last_failure = ""
        self._samples: deque[tuple[float, int, int]] = deque(maxlen=int(RATE_SECONDS / DRAW_SECONDS))

    def take(self, event: Event) -> None:
        """Take an event: only what the figures do not tell is remembered."""
        if isinstance(event, JobPaused):
            self._paused_by = event.cause
        elif isinstance(event, JobResumed):
            self._paused_by = ""
        elif isinstance(event, CallFailed):
            self._last_failure = f"{event.kind}: {event.message}"

    @asynccontextmanager
    async def shown(self, running: Running) -> AsyncIterator[None]:
        """Draw while the block runs."""
        with Live(self._draw(running), console=self._console, auto_refresh=False, transient=True) as live:
            async with asyncio.TaskGroup() as group:
                drawing = group.create_task(self._redraw(running, live))
                try:
                    yield
                finally:
                    drawing.cancel()

    async def _redraw(self, running: Running, live: Live) -> None:
        while True:
            await asyncio.sleep(DRAW_SECONDS)
            live.update(self._draw(running), refresh=True)

    def _draw(self, running: Running) -> Group:
        summary = running.summary()
        done = summary.outcomes.kept + summary.outcomes.rejected + summary.outcomes.duplicate + summary.outcomes.failed
        self._samples.append((time.monotonic(), done, summary.records))
        items_rate, records_rate = self._rates()
        head = Text.assemble((summary.job, "bold"), f"  {done:,}", f" of {summary.items:,}" if summary.items else "")
        head.append(_remaining(summary.items, done, items_rate), "dim")
        grid = Table.grid(padding=(0, 3))
        grid.add_row(
            "records", f"{summary.records:,}", f"{records_rate:,.1f}/s", f"{running.in_flight:,} calls in flight"
        )
        grid.add_row("cost", cost_text(summary), f"{summary.tokens.input:,} in", f"{summary.tokens.output:,} out")
        grid.add_row(*outcome_texts(summary))
        if summary.rejected_by:
            reasons = ", ".join(f"{name} {count:,}" for name, count in list(summary.rejected_by.items())[:REASONS])
            grid.add_row("rejected by", Text(reasons, "yellow"))
        bar = Table.grid()
        bar.add_row(ProgressBar(total=summary.items or None, completed=done, width=60, pulse=summary.items is None))
        return Group(head, bar, grid, Text(self._state(running), "bold yellow"))

    def _rates(self) -> tuple[float, float]:
        (then, items, records), (now, items_now, records_now) = self._samples[0], self._samples[-1]
        seconds = max(now - then, DRAW_SECONDS)
        return (items_now - items) / seconds, (records_now - records) / seconds

    def _state(self, running: Running) -> str:
        if running.draining:
            return "draining: calls that are out come back first; once more to force"
        if self._paused_by:
            return f"paused: {self._paused_by}"
        reasons = [gate.paused_by for gate in running.gates().values() if gate.paused_by]
        return f"waiting: {reasons[0]} ({self._last_failure})" if reasons else ""


def outcome_texts(summary: Summary) -> list[Text]:
    """Return the four outcomes as coloured texts."""
    outcomes = summary.outcomes
    return [
        Text(f"kept {outcomes.kept:,}", "green"),
        Text(f"rejected {outcomes.rejected:,}", "yellow"),
        Text(f"duplicate {outcomes.duplicate:,}", "cyan"),
        Text(f"failed {outcomes.failed:,}", "red"),
    ]


def _remaining(items: int | None, done: int, rate: float) -> str:
    if not items or rate <= 0:
        return ""
    minutes, seconds = divmod(int((items - done) / rate), 60)
    hours, minutes = divmod(minutes, 60)
    return f"   about {hours}:{minutes:02d}:{seconds:02d} left"
