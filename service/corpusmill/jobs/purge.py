"""Deleting the journals of a job.

Rule of this file: the mark that says so is durable before anything is deleted, so a job without a journal is never
taken for one that lost it.
"""

import shutil
from pathlib import Path

from corpusmill.jobs.folder import PURGED
from corpusmill.jobs.generations import GENERATIONS
from corpusmill.jobs.snapshot import disk_bytes
from corpusmill.journal.files import Files
from corpusmill.journal.shard import write_durably


def journal_bytes(home: Path) -> int:
    """Return the size of all journals of a job."""
    return sum(disk_bytes(folder) for folder in _journals(home))


def purge_journals(files: Files, home: Path) -> None:
    """Delete the journals of all generations of a job, and generations that are not complete."""
    if not (home / PURGED).exists():
        write_durably(files, home / PURGED, b"the journal was deleted by `corpusmill purge`\n")
        files.sync_folder(home)
    for folder in _journals(home):
        shutil.rmtree(folder)
    for part in (home / GENERATIONS).glob("*.part"):
        shutil.rmtree(part)


def _journals(home: Path) -> list[Path]:
    return [folder for folder in (home / "journal", *home.glob(f"{GENERATIONS}/*/journal")) if folder.exists()]
