"""`corpusmill report`: what a job came to, while it runs or afterwards."""

from pathlib import Path

import click
import msgspec

from corpusmill.bootstrap.report import report_of
from corpusmill.cli.report_text import report_text
from corpusmill.jobs.report import as_object


@click.command(epilog="Nothing is written; a job that runs is not disturbed.")
@click.argument("job")
@click.option(
    "--data", type=click.Path(path_type=Path), envvar="CORPUSMILL_DATA", default=Path("data"), show_default=True
)
@click.option("--generation", type=click.IntRange(min=1), help="That of a refold; by default the newest.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
def report(job: str, data: Path, generation: int | None, as_json: bool) -> None:
    """Tell what JOB came to: balance sheet, cost, coverage of every axis value, duplicates, lengths and openings."""
    made = report_of(data, job, generation)
    click.echo(msgspec.json.encode(as_object(made)) if as_json else report_text(made))
