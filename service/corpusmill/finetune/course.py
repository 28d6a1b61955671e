"""The course of an attempt: upload, order, wait.

Rule of this file: before anything is made at the provider it is looked for, and what was made is durable before the
next step. So whoever kills this at any point, and starts it again, makes nothing twice.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from msgspec.structs import replace

from corpusmill.finetune.attempt import Attempt
from corpusmill.finetune.errors import OutageError
from corpusmill.finetune.material import TRAINING, VALIDATION, Material
from corpusmill.finetune.provider import Order, Progress, Told

Found = TypeVar("Found")
Sleep = Callable[[float], None]
Keep = Callable[[Attempt], None]
Tell = Callable[[str], None]

PREFERENCES = "openai-preference"
PATIENCE = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Seconds to wait after each failure; one more in a row ends the command, which can be given again."""
FIRST_WAIT_SECONDS, WAIT_GROWTH, LONGEST_WAIT_SECONDS = 0.5, 1.3, 30.0


class Site(Protocol):
    """A provider, as this file needs it."""

    def find_file(self, name: str, size_bytes: int) -> str | None:
        """Return the id of a file that is there."""

    def upload(self, name: str, path: Path) -> str:
        """Upload a file."""

    def find_job(self, model: str, training_file: str) -> str | None:
        """Return the id of a job that is there."""

    def create_job(self, order: Order) -> str:
        """Make a job."""

    def progress(self, job: str) -> Progress:
        """Return what became of a job."""

    def events(self, job: str, seen: str | None) -> list[Told]:
        """Return what happened since."""


def tag_of(job: str, model: str, number: int, material: Material) -> str:
    """Return what tells an attempt from all others: the same for the same corpus, model and number."""
    sides = [material.training.sha256, material.validation.sha256 if material.validation else ""]
    digest = hashlib.blake2b("\0".join([job, model, str(number), *sides]).encode(), digest_size=6)
    return f"{job[:40]}-{digest.hexdigest()}"


def carry(attempt: Attempt, site: Site, folder: Path, *, keep: Keep, tell: Tell, sleep: Sleep) -> Attempt:
    """Carry an attempt to its end, from wherever it stands; return how it ended.

    Args:
        attempt: as it was kept last.
        site: the provider.
        folder: where its files lie.
        keep: makes it durable.
        tell: takes a line for people.
        sleep: waits so many seconds.

    Raises:
        ProviderError: the provider refuses, or has not answered for long; the attempt stands as it was kept.
    """
    for side, part in ((TRAINING, attempt.material.training), (VALIDATION, attempt.material.validation)):
        if part is None or getattr(attempt, f"{side}_file") is not None:
            continue
        name, path, size_bytes = f"{attempt.tag}.{side}.jsonl", folder / f"{side}.jsonl", part.bytes
        file = _once(lambda: site.find_file(name, size_bytes), lambda: site.upload(name, path), sleep)  # noqa: B023 - called at once
        tell(f"{side} file at the provider: {file} ({part.examples:,} examples, {size_bytes:,} bytes)")
        attempt = replace(attempt, **{f"{side}_file": file})
        keep(attempt)
    if attempt.provider_job is None:
        attempt = _ordered(attempt, site, sleep)
        keep(attempt)
        tell(f"fine-tuning job at the provider: {attempt.provider_job}")
    return _followed(attempt, site, keep=keep, tell=tell, sleep=sleep)


def _ordered(attempt: Attempt, site: Site, sleep: Sleep) -> Attempt:
    training_file = attempt.training_file or ""
    order = Order(
        model=attempt.model,
        training_file=training_file,
        validation_file=attempt.validation_file,
        suffix=attempt.suffix,
        seed=attempt.seed,
        epochs=attempt.epochs,
        preferences=attempt.form == PREFERENCES,
    )
    job = _once(lambda: site.find_job(attempt.model, training_file), lambda: site.create_job(order), sleep)
    return replace(attempt, provider_job=job, status="ordered")


def _followed(attempt: Attempt, site: Site, *, keep: Keep, tell: Tell, sleep: Sleep) -> Attempt:
    job, wait = attempt.provider_job or "", FIRST_WAIT_SECONDS
    while True:
        progress = _patiently(lambda: site.progress(job), sleep)
        seen = attempt.last_event
        for event in _patiently(lambda: site.events(job, seen), sleep):  # noqa: B023 - called at once
            tell(event.message)
            attempt = replace(attempt, last_event=event.id)
        before = attempt
        attempt = replace(
            attempt,
            status=progress.status,
            fine_tuned_model=progress.fine_tuned_model,
            trained_tokens=progress.trained_tokens,
            error=progress.error,
        )
        if attempt != before or attempt.last_event != seen:
            keep(attempt)
        if attempt.over:
            return attempt
        sleep(wait)
        wait = min(wait * WAIT_GROWTH, LONGEST_WAIT_SECONDS)


def _once(find: Callable[[], str | None], make: Callable[[], str], sleep: Sleep) -> str:
    """Return what there is, or make it; after an outage it may be there."""
    return _patiently(lambda: find() or make(), sleep)


def _patiently(ask: Callable[[], Found], sleep: Sleep) -> Found:
    """Ask until there is an answer, as long as patience lasts."""
    for wait in PATIENCE:
        try:
            return ask()
        except OutageError:
            sleep(wait)
    return ask()
