"""`corpusmill pause`, `resume` and `cancel`: a word to a job of a daemon."""

from collections.abc import Callable

import click

from corpusmill.cli.remote.asking import asks_daemon, opened, print_json
from corpusmill.cli.remote.job_text import state_text
from corpusmill_client import Job, SyncClient


@click.command()
@click.argument("job")
@asks_daemon
def pause(job: str, url: str, as_json: bool) -> None:
    """Pause JOB: no more calls; those that are out come back and are kept."""
    _change(lambda client: client.pause(job), url, as_json)


@click.command()
@click.argument("job")
@asks_daemon
def resume(job: str, url: str, as_json: bool) -> None:
    """Go on with JOB, paused or failed, where it was."""
    _change(lambda client: client.resume(job), url, as_json)


@click.command()
@click.argument("job")
@asks_daemon
def cancel(job: str, url: str, as_json: bool) -> None:
    """End JOB for good; what it has is sealed."""
    _change(lambda client: client.cancel(job), url, as_json)


def _change(change: Callable[[SyncClient], Job], url: str, as_json: bool) -> None:
    with opened(url) as client:
        changed = change(client)
    if as_json:
        print_json(changed)
    else:
        click.echo(f"{changed.id}: {state_text(changed)}")
