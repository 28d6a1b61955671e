"""An attempt at training on a job's corpus, as it is kept in the job's folder: finetune/1, finetune/2, ...

Rule of this file: what is known of the provider's side is durable before the next thing is asked of him. An attempt
without a state has asked for nothing yet.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from corpusmill.finetune.errors import FinetuneError
from corpusmill.finetune.material import Material
from corpusmill.journal.files import Files
from corpusmill.journal.shard import write_durably

FOLDER = "finetune"
STATE = "state.json"
OVER = ("succeeded", "failed", "cancelled")


class Attempt(msgspec.Struct, frozen=True):
    """One attempt.

    Attributes:
        number: from 1.
        tag: tells its files at the provider from all others.
        model: the base model, by the provider's name.
        base_url: the provider.
        suffix, seed, epochs: what was asked for; None leaves it to the provider.
        material, form: what it trains on.
        training_file, validation_file, provider_job: names that the provider gave.
        status: of the provider's job.
        last_event: the last one that was told.
        fine_tuned_model: what came of it.
        trained_tokens: as the provider counts.
        error: why it failed.
    """

    number: int
    tag: str
    model: str
    base_url: str
    material: Material
    suffix: str | None = None
    seed: int | None = None
    epochs: int | None = None
    form: str = "openai-chat"
    training_file: str | None = None
    validation_file: str | None = None
    provider_job: str | None = None
    status: str = "prepared"
    last_event: str | None = None
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    error: str | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in OVER


@contextmanager
def attempts_of(home: Path) -> Iterator[Path]:
    """Give the folder of a job's attempts to this process alone.

    Raises:
        FinetuneError: another process has it, or it cannot be written.
    """
    folder = home / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise FinetuneError(f"{folder}: cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    except BlockingIOError:
        raise FinetuneError(f"{folder}: another process is training on this job's corpus") from None
    finally:
        os.close(descriptor)


def latest(folder: Path) -> Attempt | None:
    """Return the last attempt that there is; None where nothing has been asked of a provider yet.

    Raises:
        FinetuneError: its state cannot be read.
    """
    paths = sorted(folder.glob(f"*/{STATE}"), key=lambda path: int(path.parent.name))
    return _read(paths[-1]) if paths else None


def tuned_model(home: Path) -> str | None:
    """Return the last model that came of training on a job's corpus; None where none has."""
    paths = sorted((home / FOLDER).glob(f"*/{STATE}"), key=lambda path: int(path.parent.name))
    models = [attempt.fine_tuned_model for attempt in map(_read, paths)]
    return next((model for model in reversed(models) if model is not None), None)


def new_folder(files: Files, folder: Path, number: int) -> Path:
    """Make the folder of an attempt; what one that asked for nothing has left there is removed."""
    made = folder / str(number)
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    files.sync_folder(folder)
    return made


def keep(files: Files, folder: Path, attempt: Attempt) -> None:
    """Make an attempt durable."""
    home = folder / str(attempt.number)
    write_durably(files, home / STATE, msgspec.json.format(msgspec.json.encode(attempt), indent=1) + b"\n")
    files.sync_folder(home)


def _read(path: Path) -> Attempt:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Attempt)
    except (OSError, ValueError) as error:
        raise FinetuneError(f"{path}: cannot be read: {error}") from None
