"""`corpusmill purge`: deletes the journal of a job that is over."""

from pathlib import Path

import click

from corpusmill.cli.export import OVER
from corpusmill.jobs.folder import JobFolderError, held
from corpusmill.jobs.purge import journal_bytes, purge_journals
from corpusmill.jobs.snapshot import take_snapshot
from corpusmill.journal.files import Disk


@click.command(epilog="Corpus, rejects and manifest stay. Nothing else ever deletes a journal.")
@click.argument("job")
@click.option("--yes", is_flag=True, help="Agree; without it nothing is deleted.")
@click.option(
    "--data", type=click.Path(path_type=Path), envvar="CORPUSMILL_DATA", default=Path("data"), show_default=True
)
def purge(job: str, yes: bool, data: Path) -> int:
    """Delete the journal of JOB, which is over: its paid answers as they came.

    Without it the job cannot go on, `refold` can make no other corpus of it, and no damaged shard can be made again.
    """
    snapshot = take_snapshot(data, job, 1)
    state = snapshot.state(unsealed=False)
    if state not in OVER:
        raise JobFolderError(f"job {job} is {state}: its journal is needed; only that of a finished job can be deleted")
    with held(data, job) as home:
        size = journal_bytes(home)
        if not yes:
            click.echo(
                f"corpusmill: {size / 1e6:,.1f} MB of paid answers of job {job} would be deleted: it could not go on, "
                "be folded anew or be repaired any more; --yes does it",
                err=True,
            )
            return 1
        purge_journals(Disk(), home)
    click.echo(f"corpusmill: deleted {size / 1e6:,.1f} MB of job {job}; its corpus stays", err=True)
    return 0
