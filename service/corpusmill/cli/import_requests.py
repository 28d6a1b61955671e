"""`corpusmill import`: ready requests as a job."""

import re
from pathlib import Path

import click

from corpusmill.imports.job import ImportRefusedError, write_job
from corpusmill.spec.schema import JOB_NAME_PATTERN

NAME_CHARS = 63


@click.command("import", epilog="Nothing is called. The spec is yours to change: filters, dedup, examples, limits.")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", help="The job's name; default: the file's.")
def import_requests(file: Path, folder: Path, name: str | None) -> None:
    """Write a spec to DIR that asks what FILE asks: OpenAI's cookbook's requests.jsonl, or a Batch API input.

    Messages, model and parameters of each line are honoured; a line that cannot be is refused with its number.
    """
    job = name if name is not None else _job_name(file)
    if not re.search(JOB_NAME_PATTERN, job):
        raise ImportRefusedError(f"{job!r} is no name of a job: lower-case letters, digits and -; choose one by --name")
    imported = write_job(file, folder, job)
    several = f", of {imported.kinds} kinds" if imported.kinds > 1 else ""
    click.echo(f"wrote {imported.spec}")
    click.echo(f"wrote {imported.documents}: {imported.requests:,} requests{several}")
    click.echo(f"next: corpusmill plan {imported.spec}")


def _job_name(file: Path) -> str:
    return re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")[:NAME_CHARS] or "requests"
