"""`corpusmill export`: a corpus in a trainer's format.

Rule of this file: only what is sealed is exported, and each shard is checked against the manifest while it is read.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import click

from corpusmill.exports.card import Exported, Facts, dataset_card
from corpusmill.exports.errors import ExportError
from corpusmill.exports.formats import JSON_LINES
from corpusmill.exports.output import SIDES, appearing, side_path, write_text
from corpusmill.exports.parquet import ParquetFile
from corpusmill.exports.record import Record, read_record
from corpusmill.exports.sinks import LinesFile, LinesStream, Receipt, Sink
from corpusmill.jobs.snapshot import Snapshot, fold_tail, take_snapshot
from corpusmill.jobs.usage import usage_of
from corpusmill.journal.entry import Lines
from corpusmill.spec.wording import hint

PARQUET = "parquet"
STDOUT = Path("-")

OVER = frozenset({"finished", "exhausted", "cancelled"})
"""States in which a corpus is what its owner decided it to be."""


@click.command(epilog="Only sealed shards are read, and each is checked against its sha256.")
@click.argument("job")
@click.option("--format", "form", type=click.Choice([*JSON_LINES, PARQUET]), required=True)
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The file; - is stdout.")
@click.option("--split", is_flag=True, help="Write two files, with .train and .validation before the suffix.")
@click.option("--example", help="Take the records of this example only.")
@click.option("--card", is_flag=True, help="Write a dataset card beside it: README.md, with the licence left to you.")
@click.option("--generation", type=click.IntRange(min=1), help="That of a refold; by default the newest.")
@click.option("--partial", is_flag=True, help="Export what is sealed of a job that is not over.")
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@click.option(
    "--data", type=click.Path(path_type=Path), envvar="CORPUSMILL_DATA", default=Path("data"), show_default=True
)
def export(
    job: str,
    form: str,
    output: Path,
    split: bool,
    example: str | None,
    card: bool,
    generation: int | None,
    partial: bool,
    force: bool,
    data: Path,
) -> None:
    """Write the corpus of JOB in a trainer's format."""
    snapshot = take_snapshot(data, job, generation)
    _check_state(snapshot, partial=partial)
    _check(snapshot, form, output, split=split, example=example, card=card)
    records = _records(snapshot, example)
    if output == STDOUT:
        stream = LinesStream(sys.stdout.buffer, JSON_LINES[form])
        _tell({STDOUT: _write_all(records, {None: stream})[None]})
        return
    sides: list[str | None] = [*SIDES] if split else [None]
    paths = [output if side is None else side_path(output, side) for side in sides]
    cards = [output.with_name("README.md")] if card else []
    with appearing([*cards, *paths], str(os.getpid()), replace=force) as temporaries, ExitStack() as stack:
        sinks = {
            side: stack.enter_context(closing(_file_sink(form, temporary)))
            for side, temporary in zip(sides, temporaries[len(cards) :], strict=True)
        }
        receipts = _write_all(records, sinks)
        if card:
            files = [Exported(path, side, receipts[side]) for side, path in zip(sides, paths, strict=True)]
            write_text(temporaries[0], dataset_card(_facts(snapshot, form, example, files)))
    _tell({path: receipts[side] for side, path in zip(sides, paths, strict=True)})


def _facts(snapshot: Snapshot, form: str, example: str | None, files: list[Exported]) -> Facts:
    state = snapshot.state(unsealed=False)
    return Facts(snapshot.spec, state, form, example, files, snapshot.sheet, usage_of(snapshot))


def _check_state(snapshot: Snapshot, *, partial: bool) -> None:
    """Refuse a job that is not over; where a part of it is asked for, tell what is missing from that."""
    sheet = snapshot.sheet
    for _ in fold_tail(snapshot, sheet, lambda _decided, _paid: Lines()):
        pass
    missing = sheet.records - snapshot.sheet.records
    state = snapshot.state(unsealed=sheet != snapshot.sheet)
    if state not in OVER and not partial:
        raise ExportError(f"job {snapshot.spec.name} is {state}, not finished; --partial exports what is sealed so far")
    if missing:
        click.echo(f"corpusmill: {missing:,} records are not sealed yet and left out", err=True)


def _check(snapshot: Snapshot, form: str, output: Path, *, split: bool, example: str | None, card: bool) -> None:
    """Refuse what cannot be exported, before anything is written."""
    spec = snapshot.spec
    if split and spec.split is None:
        raise ExportError(f"--split needs `split` in the spec of job {spec.name}")
    if output == STDOUT and (split or form == PARQUET):
        raise ExportError(f"{'--split' if split else PARQUET} needs a file, not stdout: give --output PATH")
    if output == STDOUT and card:
        raise ExportError("--card needs a file beside which it is written, not stdout: give --output PATH")
    examples = [each.name for each in spec.examples]
    if example is not None and example not in examples:
        raise ExportError(f"job {spec.name} has no example {example!r}{hint(example, examples)}")


def _records(snapshot: Snapshot, example: str | None) -> Iterator[Record]:
    for line in snapshot.lines("corpus"):
        record = read_record(line)
        if example is None or record.example == example:
            yield record


def _file_sink(form: str, path: Path) -> Sink:
    return ParquetFile(path) if form == PARQUET else LinesFile(path, JSON_LINES[form])


def _write_all(records: Iterator[Record], sinks: Mapping[str | None, Sink]) -> dict[str | None, Receipt]:
    """Hand each record to the sink of its side; return what each sink wrote."""
    only = sinks.get(None)
    for record in records:
        (only or sinks[record.split]).write(record)
    return {side: sink.finish() for side, sink in sinks.items()}


def _tell(receipts: Mapping[Path, Receipt]) -> None:
    for path, receipt in receipts.items():
        place = "stdout" if path == STDOUT else path
        click.echo(f"{place}: {receipt.records:,} records, {receipt.bytes:,} bytes, sha256 {receipt.sha256}", err=True)
