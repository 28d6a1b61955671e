"""`corpusmill download`: the corpus of a daemon's job, verified."""

from pathlib import Path

import click

from corpusmill.cli.remote.asking import STEADFAST, asks_daemon, opened, print_json
from corpusmill_client.client import Place


@click.command(epilog="What is there is not fetched again; a download that was interrupted goes on where it was.")
@click.argument("job")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--rejects", is_flag=True, help="What was not kept, instead of the corpus.")
@asks_daemon
def download(job: str, folder: Path, rejects: bool, url: str, as_json: bool) -> None:
    """Bring the sealed shards of JOB into DIR; each has its name once its SHA-256 is right."""
    place: Place = "rejects" if rejects else "corpus"
    with opened(url) as client:
        found = client.job(job)
    with opened(url, STEADFAST) as client:
        paths = client.download(job, folder, place)
    if as_json:
        print_json({"job": job, "state": found.state, "files": [str(path) for path in paths]})
        return
    for path in paths:
        click.echo(path)
    if not found.is_over:
        click.echo(f"the job is {found.state}: these are the shards that were sealed so far", err=True)
