"""`corpusmill fsck`: whether the files of a job are what was written."""

from pathlib import Path

import click
import msgspec

from corpusmill.bootstrap.assembly import space_of
from corpusmill.bootstrap.documents import open_documents
from corpusmill.bootstrap.replay import Replay
from corpusmill.chain.chain import Chain
from corpusmill.chain.records import RecordWriter
from corpusmill.engine.outcome import Liner
from corpusmill.jobs.folder import held, kept_spec
from corpusmill.jobs.fsck import DAMAGED, Examination, Health
from corpusmill.jobs.generations import generation_path
from corpusmill.journal.files import Disk

SOUND, UNSOUND = 0, 1


@click.command(
    epilog="Exit: 0 all is well, or repaired; 1 something is damaged. A torn tail, as a crash leaves it, is no damage."
)
@click.argument("job")
@click.option(
    "--data", type=click.Path(path_type=Path), envvar="CORPUSMILL_DATA", default=Path("data"), show_default=True
)
@click.option("--generation", type=click.IntRange(min=1), default=1, help="That of a refold, instead of the job's own.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as one JSON object.")
@click.option("--repair", is_flag=True, help="Set damaged parts aside, so that the next run makes them again.")
@click.option("--repay", is_flag=True, help="With --repair: agree that the next run pays again for what is lost.")
def fsck(job: str, data: Path, generation: int, as_json: bool, repair: bool, repay: bool) -> int:
    """Verify the journal, the shards and the manifest of JOB."""
    if repay and not repair:
        raise click.UsageError("--repay is for --repair")
    with held(data, job) as home:
        folder = generation_path(home, generation)
        examination = _examined(home, folder, job)
        health = examination.health
        mended = repair and not health.is_sound and (repay or not _costs(health))
        if mended:
            examination.repair()
    click.echo(msgspec.json.encode({**msgspec.to_builtins(health), "repaired": mended}) if as_json else _text(health))
    if mended:
        click.echo(f"corpusmill: repaired; what was damaged is in {folder / DAMAGED}; run the job again", err=True)
    elif repair and not health.is_sound:
        click.echo("corpusmill: nothing was changed: --repay agrees that the lost answers are paid again", err=True)
    elif not health.is_sound:
        consent = " --repay" if _costs(health) else ""
        click.echo(f"corpusmill: damaged; `corpusmill fsck {job} --repair{consent}` mends it", err=True)
    return SOUND if mended or health.is_sound else UNSOUND


def _examined(home: Path, folder: Path, job: str) -> Examination:
    spec = kept_spec(folder)
    space, chain = space_of(spec, open_documents(home, spec)), Chain(spec)
    render = Replay(space, chain, Liner(chain, RecordWriter(spec)), in_doubt=True).lines
    return Examination(Disk(), folder, job, render, lambda index: space.keeps(space.item(index)))


def _costs(health: Health) -> bool:
    """Whether mending it makes the next run pay for something a second time."""
    return bool(health.repay_items or health.lost_lines)


def _text(health: Health) -> str:
    lines = [
        f"{health.job}: {'sound' if health.is_sound else 'DAMAGED'}",
        f"  journal  {health.lines:>12,} lines in {health.blocks:,} blocks",
        f"  shards   {health.shards:>12,}",
    ]
    if health.torn_bytes:
        lines.append(
            f"  torn     {health.torn_bytes:>12,} bytes at the journal's end, left by a crash, never acknowledged"
        )
    lines += [f"  damaged  {each.place}: {each.what}" for each in health.damages]
    if health.lost_lines:
        lines.append(f"  lost     {health.lost_lines:>12,} lines of the journal")
    if health.repay_items:
        named = ", ".join(str(index) for index in health.repay[:20])
        more = f" and {health.repay_items - 20:,} more" if health.repay_items > 20 else ""
        lines.append(f"  to be paid again: items {named}{more}")
    return "\n".join(lines)
