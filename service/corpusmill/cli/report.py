"""`corpusmill report`: what a job came to, while it runs or afterwards."""

from pathlib import Path

import click
import msgspec

from corpusmill.bootstrap.report import report_of
from corpusmill.cli.report_text import report_text
from corpusmill.exports.errors import OutputError
from corpusmill.jobs.report import as_object
from corpusmill.pages.report import report_page


@click.command(epilog="Only --html writes a file; a job that runs is not disturbed.")
@click.argument("job")
@click.option(
    "--data", type=click.Path(path_type=Path), envvar="CORPUSMILL_DATA", default=Path("data"), show_default=True
)
@click.option("--generation", type=click.IntRange(min=1), help="That of a refold; by default the newest.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write it as one page with plots.")
def report(job: str, data: Path, generation: int | None, as_json: bool, html: Path | None) -> None:
    """Tell what JOB came to: balance sheet, cost, coverage of values and pairs, duplicates, lengths, openings, variety.

    With --html, the file is written anew.
    """
    made = report_of(data, job, generation)
    if html is not None:
        _write(html, report_page(made))
        if not as_json:
            return
    click.echo(msgspec.json.encode(as_object(made)) if as_json else report_text(made))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from None
    click.echo(f"{path}: written", err=True)
