"""`corpusmill refold`: another corpus out of the same calls."""

import asyncio
import os
import time
from pathlib import Path

import click
import msgspec

from corpusmill.bootstrap.refold import check_refoldable, fold, open_generation
from corpusmill.bootstrap.target import Upstream, from_environment
from corpusmill.cli.accept import accepted
from corpusmill.cli.run import EXIT_CODES, carried_generation
from corpusmill.config import Config, load_config
from corpusmill.jobs.folder import PURGED, JobFolderError, held, kept_spec, with_digests
from corpusmill.jobs.generations import Origin, begun, complete, generation_path, newest_with_calls
from corpusmill.jobs.summary import Summary, summarise
from corpusmill.journal.files import Disk
from corpusmill.journal.sheet import Sheet


@click.command(epilog="The old generation stays as it is. The same command again goes on with a fold that broke off.")
@click.argument("job")
@click.option("--spec", "path", type=click.Path(path_type=Path), required=True, help="The changed spec.")
@click.option("--run", "calls", is_flag=True, help="Agree to calls, where something is asked that never was.")
@click.option("--from", "source", type=click.IntRange(min=1), help="The generation to fold, instead of the newest run.")
@click.option(
    "--config", type=click.Path(path_type=Path), envvar="CORPUSMILL_CONFIG", help="Endpoints and models, for --run."
)
@click.option("--model-name", envvar="OPENAI_MODEL", help="What the alias `default` means, for --run.")
@click.option(
    "--data", type=click.Path(path_type=Path), envvar="CORPUSMILL_DATA", default=Path("data"), show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def refold(
    job: str,
    path: Path,
    calls: bool,
    source: int | None,
    config: Path | None,
    model_name: str | None,
    data: Path,
    as_json: bool,
) -> int:
    """Make a new generation of JOB's corpus: other filters, dedup or examples over its whole journal, without a call.

    With --run also other prompts, models or parameters: the steps before the first change keep their answers, the
    others are asked anew.
    """
    began, spec = time.monotonic(), accepted(path)
    with held(data, job) as home:
        if (home / PURGED).exists():
            raise JobFolderError(f"job {job}: its journal was purged, so it cannot be folded anew")
        kept = kept_spec(home)
        spec = with_digests(spec, kept)
        origin = Origin(source or newest_with_calls(home), calls)
        old = generation_path(home, origin.source)
        check_refoldable(kept_spec(old), spec, calls=calls)
        try:
            part = begun(Disk(), home, spec, origin)
            folded = fold(home, old, part, spec, calls=calls)
        except KeyboardInterrupt:
            click.echo("corpusmill: interrupted; what is folded is kept, the same command goes on", err=True)
            raise
        if calls:
            upstream = Upstream(load_config(config) if config else Config(), from_environment(os.environ), model_name)
            summary = asyncio.run(carried_generation(lambda: open_generation(home, part, spec), upstream))
        else:
            summary = _summary(job, folded.after, time.monotonic() - began)
        over = EXIT_CODES.get(summary.state, 1) == 0
        number = complete(Disk(), part) if over else None
    _tell(summary, folded.before, folded.unanswered, number, as_json=as_json, calls=calls)
    return EXIT_CODES.get(summary.state, 1)


def _summary(job: str, sheet: Sheet, seconds: float) -> Summary:
    return summarise(job, "finished", sheet, items=sheet.outcomes.total, seconds=seconds)


def _tell(summary: Summary, before: Sheet, unanswered: int, number: int | None, *, as_json: bool, calls: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(summary))
    else:
        click.echo(_compared(before, summary))
    if unanswered and not calls:
        click.echo(
            f"corpusmill: {unanswered:,} items ask for what was never answered and failed as `unanswered`; "
            "--run asks for it",
            err=True,
        )
    if number is not None:
        click.echo(f"corpusmill: generation {number} of job {summary.job} is complete and the current one", err=True)
    elif summary.reason:
        click.echo(f"corpusmill: {summary.state}: {summary.reason}; the generation is not complete", err=True)


def _compared(before: Sheet, after: Summary) -> str:
    """Return the balance sheets side by side."""
    rows = [
        (name, getattr(before.outcomes, name), getattr(after.outcomes, name))
        for name in ("kept", "rejected", "duplicate", "failed")
    ]
    reasons = {**before.rejected_by, **before.failed_by}, {**after.rejected_by, **after.failed_by}
    rows += [(f"  {name}", reasons[0].get(name, 0), reasons[1].get(name, 0)) for name in {**reasons[1], **reasons[0]}]
    rows.append(("records", before.records, after.records))
    head = f"{after.job + ': ' + after.state:<28} {'before':>12} {'after':>12} {'change':>12}"
    return "\n".join([head, *(f"  {name:<26} {old:>12,} {new:>12,} {new - old:>+12,}" for name, old, new in rows)])
