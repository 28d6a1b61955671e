"""`corpusmill finetune`: train a model on a job's corpus, through any provider with OpenAI's fine-tuning API.

Rule of this file: what can be refused is refused before anything is uploaded; the same command again goes on where the
last one stopped, whatever stopped it.
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from corpusmill.bootstrap.target import from_environment
from corpusmill.cli.dollars import Dollars
from corpusmill.endpoint.prices import PICODOLLARS_PER_USD, format_usd
from corpusmill.exports.errors import OutputError
from corpusmill.exports.formats import JSON_LINES
from corpusmill.exports.record import Record, read_record
from corpusmill.finetune.attempt import Attempt, attempts_of, keep, latest, new_folder
from corpusmill.finetune.course import carry, tag_of
from corpusmill.finetune.errors import FinetuneError
from corpusmill.finetune.material import FORMATS, Material, write_material
from corpusmill.finetune.trainers import TRAINERS, Setup
from corpusmill.jobs.snapshot import Snapshot, take_snapshot
from corpusmill.journal.files import Disk
from corpusmill.spec.wording import hint

if TYPE_CHECKING:
    from corpusmill.bootstrap.target import Target

ASSUMED_EPOCHS = 3
"""What an estimate reckons with where the provider is left to choose."""
NOT_OVER = ("running", "interrupted")


class Wish(msgspec.Struct, frozen=True):
    """What is asked for beside the job; None leaves it open."""

    model: str | None
    suffix: str | None
    epochs: int | None
    train_seed: int | None
    example: str | None
    form: str
    allow_shared: bool


@click.command(epilog="The same command again goes on: no file is uploaded, and no job is made, a second time.")
@click.argument("job")
@click.option(
    "--data", type=click.Path(path_type=Path), envvar="CORPUSMILL_DATA", default=Path("data"), show_default=True
)
@click.option("--model", help="The base model, by the provider's name; needed to begin.")
@click.option("--suffix", help="Part of the tuned model's name, where the provider has such a thing.")
@click.option("--epochs", type=click.IntRange(min=1), help="Default: the provider chooses.")
@click.option("--train-seed", type=int, help="Default: the provider chooses.")
@click.option("--example", help="Train on the records of this example only.")
@click.option("--format", "form", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True)
@click.option("--allow-shared", is_flag=True, help="Allow questions that are asked on both sides of the split.")
@click.option("--usd-per-million-tokens", type=Dollars(), help="The provider's price of training.")
@click.option("--for", "trainer", type=click.Choice([*TRAINERS]), help="Write --output for this trainer instead.")
@click.option("--output", type=click.Path(path_type=Path), help="A new folder, for --for.")
@click.option("--again", is_flag=True, help="Begin another attempt, though there is one already.")
@click.option("--check", is_flag=True, help="Make and check the files, estimate, and upload nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the attempt as one JSON object.")
def finetune(
    job: str,
    data: Path,
    usd_per_million_tokens: float | None,
    trainer: str | None,
    output: Path | None,
    again: bool,
    check: bool,
    as_json: bool,
    **wish: Any,
) -> int:
    """Train a model on the corpus of JOB, and follow the training to its end.

    The provider is what OPENAI_BASE_URL and OPENAI_API_KEY say. With --for, nothing is uploaded: a folder with the data
    and a ready configuration is written for a trainer of your own.
    """
    wanted = msgspec.convert(wish, Wish)
    snapshot = take_snapshot(data, job)
    if trainer is not None or output is not None:
        _handed_over(snapshot, wanted, trainer, output)
        return 0
    with attempts_of(snapshot.home) as folder:
        attempt = _begun(folder, snapshot, wanted, again=again)
        _tell_material(attempt, usd_per_million_tokens)
        if not check and not attempt.over:
            attempt = _carried(attempt, folder)
    if as_json:
        click.echo(msgspec.json.encode(_shown(attempt, job, usd_per_million_tokens)))
    elif attempt.fine_tuned_model:
        click.echo(attempt.fine_tuned_model)
    if attempt.over and attempt.status != "succeeded":
        _tell(
            f"attempt {attempt.number} {attempt.status}: {attempt.error or 'the provider says no more'}; "
            "--again begins another"
        )
        return 1
    return 0


def _begun(folder: Path, snapshot: Snapshot, wish: Wish, *, again: bool) -> Attempt:
    """Return the attempt to go on with: the last one, or a new one."""
    last = latest(folder)
    if last is not None and not again:
        if wish.model not in (None, last.model):
            raise FinetuneError(
                f"attempt {last.number} trains {last.model}, not {wish.model}; --again begins another attempt"
            )
        _tell(f"attempt {last.number} is {last.status}")
        return last
    if last is not None and not last.over:
        raise FinetuneError(f"attempt {last.number} is not over; go on with it first, without --again")
    return _new(folder, snapshot, wish, last.number + 1 if last else 1)


def _handed_over(snapshot: Snapshot, wish: Wish, trainer: str | None, output: Path | None) -> None:
    """Write the folder of an open trainer."""
    if trainer is None or output is None or not wish.model:
        raise FinetuneError("--for TRAINER, --output DIR and --model NAME go together")
    if output.exists():
        raise FinetuneError(f"{output} is there already; choose a new folder")
    chosen = TRAINERS[trainer]
    records = _records(snapshot, wish)
    try:
        (output / "data").mkdir(parents=True)
        material = write_material(records, chosen.lines[wish.form], output / "data", allow_shared=wish.allow_shared)
        setup = Setup(wish.model, wish.form, material.validation is not None, wish.epochs or ASSUMED_EPOCHS)
        for name, content in chosen.configure(setup).items():
            (output / name).write_text(content, encoding="utf-8")
    except (OSError, OutputError, FinetuneError) as error:
        shutil.rmtree(output, ignore_errors=True)
        raise FinetuneError(str(error)) from None
    _tell(f"{output}: {material.training.examples:,} examples and a configuration for {trainer}")


def _new(folder: Path, snapshot: Snapshot, wish: Wish, number: int) -> Attempt:
    target = _target()
    if not wish.model:
        raise FinetuneError("name the base model with --model, as the provider calls it")
    records = _records(snapshot, wish)
    disk = Disk()
    home = new_folder(disk, folder, number)
    material = write_material(records, JSON_LINES[wish.form], home, allow_shared=wish.allow_shared)
    attempt = Attempt(
        number=number,
        tag=tag_of(snapshot.home.name, wish.model, number, material),
        model=wish.model,
        base_url=target.endpoint.base_url,
        material=material,
        suffix=wish.suffix,
        seed=wish.train_seed,
        epochs=wish.epochs,
        form=wish.form,
    )
    keep(disk, folder, attempt)
    return attempt


def _records(snapshot: Snapshot, wish: Wish) -> Iterator[Record]:
    """Return what is trained on; refuse what cannot be."""
    spec = snapshot.spec
    examples = [each.name for each in spec.examples]
    if wish.example is not None and wish.example not in examples:
        raise FinetuneError(f"job {spec.name} has no example {wish.example!r}{hint(wish.example, examples)}")
    if (state := snapshot.state(unsealed=False)) in NOT_OVER:
        raise FinetuneError(f"job {snapshot.home.name} is {state}, not finished")
    records = (read_record(line) for line in snapshot.lines("corpus"))
    return (record for record in records if wish.example in (None, record.example))


def _target() -> "Target":
    target = from_environment(os.environ)
    if target is None:
        raise FinetuneError("no provider: set OPENAI_BASE_URL, or OPENAI_API_KEY for OpenAI itself")
    return target


def _carried(attempt: Attempt, folder: Path) -> Attempt:
    from corpusmill.finetune.provider import Provider  # noqa: PLC0415 - the SDK takes half a second

    target, disk = _target(), Disk()
    if target.endpoint.base_url != attempt.base_url:
        raise FinetuneError(
            f"attempt {attempt.number} is with {attempt.base_url}, and OPENAI_BASE_URL says {target.endpoint.base_url}"
        )
    with Provider(target.endpoint.base_url, target.api_key) as provider:
        return carry(
            attempt,
            provider,
            folder / str(attempt.number),
            keep=lambda state: keep(disk, folder, state),
            tell=_tell,
            sleep=time.sleep,
        )


def _tell(line: str) -> None:
    click.echo(f"corpusmill: {line}", err=True)


def _tell_material(attempt: Attempt, usd_per_million_tokens: float | None) -> None:
    material, epochs = attempt.material, attempt.epochs or ASSUMED_EPOCHS
    for name, part in (("training", material.training), ("validation", material.validation)):
        if part is not None:
            repeated = f", {part.repeated:,} repeated word for word" if part.repeated else ""
            size = f"{part.bytes:,} bytes, about {part.tokens:,} tokens"
            _tell(f"{name} file: {part.examples:,} examples, {size}{repeated}")
    if material.shared:
        _tell(f"{material.shared:,} questions of the validation file are asked in the training file too")
    cost = _cost(material, epochs, usd_per_million_tokens)
    told = "unknown; give --usd-per-million-tokens" if cost is None else f"about {format_usd(cost)}"
    assumed = "" if attempt.epochs else ", if the provider chooses so many"
    _tell(f"cost of training: {told} ({epochs} epochs{assumed})")


def _cost(material: Material, epochs: int, usd_per_million_tokens: float | None) -> int | None:
    """Return what training costs by the estimate, in pico-dollars."""
    if usd_per_million_tokens is None:
        return None
    return material.training.tokens * epochs * round(usd_per_million_tokens * 1_000_000)


def _shown(attempt: Attempt, job: str, usd_per_million_tokens: float | None) -> dict[str, Any]:
    shown = msgspec.to_builtins(attempt)
    cost = _cost(attempt.material, attempt.epochs or ASSUMED_EPOCHS, usd_per_million_tokens)
    estimate = None if cost is None else cost / PICODOLLARS_PER_USD
    return {"job": job, **shown, "estimated_cost_usd": estimate}
