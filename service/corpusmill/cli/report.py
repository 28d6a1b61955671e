"""`corpusmill report`: what a job came to, while it runs or afterwards."""

from pathlib import Path

import click
import msgspec

from corpusmill.bootstrap.assembly import Replay, items_of, space_of
from corpusmill.bootstrap.documents import open_documents
from corpusmill.chain.chain import Chain
from corpusmill.chain.records import RecordWriter
from corpusmill.cli.report_text import report_text
from corpusmill.engine.outcome import Liner
from corpusmill.jobs.report import Report, as_object, make_report
from corpusmill.jobs.snapshot import take_snapshot


@click.command(epilog="Nothing is written; a job that runs is not disturbed.")
@click.argument("job")
@click.option(
    "--data", type=click.Path(path_type=Path), envvar="CORPUSMILL_DATA", default=Path("data"), show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
def report(job: str, data: Path, as_json: bool) -> None:
    """Tell what JOB came to: balance sheet, cost, coverage of every axis value, duplicates, lengths and openings."""
    made = report_of(data, job)
    click.echo(msgspec.json.encode(as_object(made)) if as_json else report_text(made))


def report_of(data: Path, job: str) -> Report:
    """Read a job through.

    Raises:
        UnknownJobError: there is no such job.
        CorruptionError: something on disk is not what was written.
    """
    snapshot = take_snapshot(data, job)
    documents = open_documents(snapshot.folder, snapshot.spec)
    space, chain = space_of(snapshot.spec, documents), Chain(snapshot.spec)
    replay = Replay(space, chain, Liner(chain, RecordWriter(snapshot.spec)))
    return make_report(snapshot, space, items_of(snapshot.spec, space), replay.lines, documents)
