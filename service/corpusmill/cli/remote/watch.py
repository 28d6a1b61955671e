"""`corpusmill watch`: a job of a daemon, live."""

import sys
from collections.abc import Mapping
from contextlib import closing

import click
from rich.console import Console
from rich.live import Live

from corpusmill.cli.remote.asking import STEADFAST, asks_daemon, opened, print_json
from corpusmill.cli.remote.job_text import job_text
from corpusmill.cli.remote.screen import screen
from corpusmill_client import ApiError, Event, Gate, Job, SyncClient

EXIT_CODES: Mapping[str, int] = {"finished": 0, "exhausted": 3}
"""As of `run`; any other end is 1."""


@click.command(epilog="Ctrl-C ends the watching; the job goes on.")
@click.argument("job")
@asks_daemon
def watch(job: str, url: str, as_json: bool) -> int:
    """Watch JOB until it is over: progress, rate, cost against its budget, reject reasons, limiter.

    Where there is no terminal, or with --json, each event is one line of JSON. Exits with 0 finished, 3 stopped at its
    budget, 1 failed or cancelled.
    """
    with opened(url) as client:
        client.job(job)
    return watch_job(url, job, as_json=as_json)


def watch_job(url: str, job: str, *, as_json: bool) -> int:
    """Show a job until it is over, through restarts of the daemon; return the exit code."""
    with opened(url, STEADFAST) as client:
        last = _print_lines(client, job) if as_json or not sys.stdout.isatty() else _draw(client, job)
    return EXIT_CODES.get(last.state, 1)


def _print_lines(client: SyncClient, job: str) -> Job:
    last: Job | None = None
    with closing(client.events(job)) as events:
        for event in events:
            last = event.job
            print_json(event)
    return last if last is not None else client.job(job)


def _draw(client: SyncClient, job: str) -> Job:
    last = client.job(job)
    drawn = Live(screen(last, {}), console=Console(), auto_refresh=False, transient=True)
    with drawn as live, closing(client.events(job)) as events:
        for event in events:
            last = event.job
            live.update(screen(last, _gates(client, event)), refresh=True)
    click.echo(job_text(last))
    return last


def _gates(client: SyncClient, event: Event) -> Mapping[str, Gate]:
    """Return the limiter's state; it is no reason to end the watching where the daemon does not tell it."""
    if event.job.is_over:
        return {}
    try:
        return client.service().endpoints
    except ApiError:
        return {}
