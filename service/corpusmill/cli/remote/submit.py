"""`corpusmill submit`: a spec, to a daemon."""

from pathlib import Path

import click

from corpusmill.cli.accept import accepted
from corpusmill.cli.remote.asking import asks_daemon, opened, print_json
from corpusmill.cli.remote.watch import watch_job
from corpusmill.spec.freeze import spec_to_json
from corpusmill_client.client import Priority


@click.command(epilog="The API key is what CORPUSMILL_API_KEY holds, or the file that CORPUSMILL_API_KEY_FILE names.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--priority", type=click.Choice(["high", "normal", "low"]), default="normal", show_default=True)
@click.option("--weight", type=click.IntRange(1, 1000), default=1, show_default=True, help="Share of the endpoints.")
@click.option("--idempotency-key", help="The same key and spec again is the same job.")
@click.option("--watch", "stay", is_flag=True, help="Stay, and watch it.")
@asks_daemon
def submit(
    spec: Path, priority: Priority, weight: int, idempotency_key: str | None, stay: bool, url: str, as_json: bool
) -> int:
    """Submit SPEC to a daemon, with the axis and evaluation files it names; models and documents are the daemon's."""
    document = spec_to_json(accepted(spec))
    with opened(url) as client:
        job = client.submit(document, priority=priority, weight=weight, idempotency_key=idempotency_key)
    if stay:
        return watch_job(url, job.id, as_json=as_json)
    if as_json:
        print_json(job)
    else:
        click.echo(job.id)
        click.echo(f"{job.state}; `corpusmill watch {job.id}` shows how far it is", err=True)
    return 0
