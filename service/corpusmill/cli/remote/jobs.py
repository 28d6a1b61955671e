"""`corpusmill jobs` and `corpusmill show`: what a daemon has."""

from typing import get_args

import click

from corpusmill.cli.remote.asking import asks_daemon, opened, print_json
from corpusmill.cli.remote.job_text import job_text, jobs_text
from corpusmill_client import State


@click.command()
@click.option("--state", type=click.Choice(get_args(State)), help="Only those in it.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--cursor", help="Go on behind a page: its `next_cursor`.")
@asks_daemon
def jobs(state: State | None, limit: int, cursor: str | None, url: str, as_json: bool) -> None:
    """List the jobs of a daemon, the newest first."""
    with opened(url) as client:
        page = client.page(state, limit=limit, cursor=cursor)
    if as_json:
        print_json(page)
        return
    click.echo(jobs_text(page.items))
    if page.next_cursor is not None:
        click.echo(f"there are more: --cursor {page.next_cursor}", err=True)


@click.command()
@click.argument("job")
@asks_daemon
def show(job: str, url: str, as_json: bool) -> None:
    """Show JOB of a daemon: state, outcomes, cost."""
    with opened(url) as client:
        found = client.job(job)
    if as_json:
        print_json(found)
    else:
        click.echo(job_text(found))
