"""`corpusmill run`: one job in the foreground."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click
import msgspec
import uvloop

from corpusmill.bootstrap.assembly import Assembly, check_budget
from corpusmill.bootstrap.job import OneThread, Running, Watch, carry
from corpusmill.bootstrap.run import run_job, simulated_target
from corpusmill.bootstrap.switchboard import Switchboard
from corpusmill.bootstrap.target import Upstream, from_environment
from corpusmill.cli.accept import Overrides, accepted
from corpusmill.cli.dollars import Dollars
from corpusmill.cli.spans import otlp_option, spans_asked_for
from corpusmill.cli.summary_text import summary_table
from corpusmill.config import Config, load_config
from corpusmill.jobs.folder import job_path
from corpusmill.jobs.summary import Summary
from corpusmill.space.documents.places import Base
from corpusmill.spec.schema import JobSpec
from corpusmill.spec.steps import aliases
from corpusmill.telemetry.events import Emit, broadcast
from corpusmill.telemetry.log import Level, LogSink
from corpusmill.telemetry.metrics.names import GenAiNames

if TYPE_CHECKING:
    from corpusmill.cli.metrics_port import MetricsPort
    from corpusmill.cli.progress import ProgressDisplay

EXIT_CODES = {"finished": 0, "failed": 1, "exhausted": 3}
"""By the state in which a job ends; an interrupted run exits with 128 and the signal's number."""

EX_IOERR = 74
"""The code of sysexits.h for a job that failed by its disk: what was acknowledged is safe."""

POSITIVE = click.IntRange(min=1)


@click.command(epilog="The same command again goes on with the job: nothing that is finished is called again.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--data", type=click.Path(path_type=Path), envvar="CORPUSMILL_DATA", default=Path("data"), show_default=True
)
@click.option(
    "--config", type=click.Path(path_type=Path), envvar="CORPUSMILL_CONFIG", help="Endpoints and models (TOML)."
)
@click.option("--model-name", envvar="OPENAI_MODEL", help="The upstream model that the alias `default` means.")
@click.option("--rpm", type=POSITIVE, help="Requests per minute, instead of the spec's.")
@click.option("--tpm", type=POSITIVE, help="Tokens per minute, instead of the spec's.")
@click.option("--concurrency", type=POSITIVE, help="Calls in flight, instead of the spec's.")
@click.option("--limit", type=POSITIVE, help="Items, instead of the spec's.")
@click.option("--budget-usd", type=Dollars(least_open=True), help="Dollars, instead of the spec's.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@click.option("--quiet", is_flag=True, help="No progress and no log lines.")
@click.option(
    "--log-level",
    type=click.Choice(get_args(Level)),
    envvar="CORPUSMILL_LOG_LEVEL",
    default="info",
    show_default=True,
    help="debug: a line for every call and item.",
)
@click.option("--metrics-port", type=click.IntRange(0, 65535), help="Serve GET /metrics on loopback; 0: any free port.")
@click.option(
    "--genai-metrics",
    type=click.Choice(get_args(GenAiNames)),
    envvar="CORPUSMILL_GENAI_METRICS",
    default="off",
    show_default=True,
    help="OpenTelemetry's names beside ours.",
)
@otlp_option
def run(
    spec: Path,
    data: Path,
    config: Path | None,
    model_name: str | None,
    as_json: bool,
    quiet: bool,
    log_level: Level,
    metrics_port: int | None,
    genai_metrics: GenAiNames,
    otlp_endpoint: str | None,
    **overrides: float | None,
) -> int:
    """Run the job that SPEC describes, or go on with it.

    The endpoint is what OPENAI_BASE_URL and OPENAI_API_KEY say; with neither set, a simulated one is started on
    loopback and the text is invented.
    """
    job = accepted(spec, msgspec.convert(overrides, Overrides))
    upstream = Upstream(
        load_config(config) if config is not None else Config(),
        from_environment(os.environ),
        model_name,
    )
    with (
        spans_asked_for(otlp_endpoint) as sinks,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        shown = Shown(quiet, log_level, metrics_port, genai_metrics, sinks)
        summary, received = runner.run(_run(job, data, upstream, shown, Base.beside(spec)))
    if as_json:
        click.echo(msgspec.json.encode(summary))
    elif not quiet:
        click.echo(summary_table(summary, job_path(data, job.name)))
    if summary.reason:
        click.echo(f"corpusmill: {summary.state}: {summary.reason}", err=True)
    if summary.cause == "disk":
        return EX_IOERR
    return 128 + received if received is not None else EXIT_CODES.get(summary.state, 1)


class Shown(msgspec.Struct, frozen=True):
    """What of a run is shown, and what else takes its events."""

    quiet: bool
    log_level: Level
    metrics_port: int | None
    genai_metrics: GenAiNames
    sinks: list[Emit]


class Signals:
    """SIGINT and SIGTERM: the first drains, the second forces."""

    def __init__(self) -> None:
        self.received: int | None = None

    @asynccontextmanager
    async def handled(self, running: Running) -> AsyncIterator[None]:
        """Act on signals while the block runs."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, signal.SIGTERM)
        for number in numbers:
            loop.add_signal_handler(number, partial(self._receive, number, running))
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    def _receive(self, number: signal.Signals, running: Running) -> None:
        if self.received is None:
            self.received = number
            running.drain(f"{number.name}; calls that are out come back first, the same command goes on later")
        else:
            running.force()


async def _run(job: JobSpec, data: Path, upstream: Upstream, shown: Shown, base: Base) -> tuple[Summary, int | None]:
    signals = Signals()
    display = _display() if not shown.quiet and sys.stderr.isatty() else None
    log = LogSink(level=shown.log_level) if not shown.quiet and display is None else None
    sinks: list[Emit] = [log] if log is not None else []
    if display is not None:
        sinks.append(display.take)
    metrics = _metrics(data, shown.genai_metrics) if shown.metrics_port is not None else None
    sinks += shown.sinks
    if metrics is not None:
        sinks.append(metrics.take)

    @asynccontextmanager
    async def watch(running: Running) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(signals.handled(running))
            if display is not None:
                await stack.enter_async_context(display.shown(running))
            if metrics is not None:
                stack.enter_context(metrics.watching(running))
            yield

    async with AsyncExitStack() as stack:
        if log is not None:
            stack.callback(log.close)
        if metrics is not None and shown.metrics_port is not None:
            address = await stack.enter_async_context(metrics.served(shown.metrics_port))
            click.echo(f"corpusmill: metrics at {address}", err=True)
        summary = await _run_somewhere(job, data, upstream, emit=broadcast(*sinks), watch=watch, base=base)
    return summary, signals.received


async def carried_generation(open_it: Callable[[], Assembly], upstream: Upstream) -> Summary:
    """Run what is left of a generation that was folded."""
    began, signals = time.monotonic(), Signals()
    with ThreadPoolExecutor(1, "journal") as thread:
        blocking = OneThread(thread)
        assembly = await blocking(open_it)
        async with (
            Switchboard(upstream, os.environ, assembly.spec.limits) as switchboard,
            switchboard.routes(assembly.job, assembly.spec) as routes,
        ):
            await check_budget(assembly.spec, routes)
            with closing(LogSink()) as log:
                return await carry(assembly, routes, blocking, began, endpoint="", emit=log, watch=signals.handled)


def _metrics(data: Path, genai: GenAiNames) -> "MetricsPort":
    """Return the metrics; their library is loaded only where they are asked for."""
    from corpusmill.cli.metrics_port import MetricsPort  # noqa: PLC0415 - lazy

    return MetricsPort(data, genai)


def _display() -> "ProgressDisplay":
    """Return the live view; its library is loaded only where there is a terminal."""
    from corpusmill.cli.progress import ProgressDisplay  # noqa: PLC0415 - lazy

    return ProgressDisplay()


async def _run_somewhere(
    job: JobSpec, data: Path, upstream: Upstream, *, emit: Emit, watch: Watch, base: Base
) -> Summary:
    """Run the job where the upstream says; where it says nothing, on the simulated endpoint."""
    everything_configured = all(alias in upstream.config.models for alias in aliases(job.steps))
    if upstream.default is not None or everything_configured:
        return await run_job(job, data, upstream, environ=os.environ, emit=emit, watch=watch, base=base)
    async with simulated_target() as target:
        click.echo(
            "corpusmill: neither OPENAI_BASE_URL nor OPENAI_API_KEY is set: a simulated endpoint answers, "
            "and the text is invented",
            err=True,
        )
        invented = Upstream(upstream.config, target, None)
        return await run_job(job, data, invented, environ={}, emit=emit, watch=watch, base=base)
