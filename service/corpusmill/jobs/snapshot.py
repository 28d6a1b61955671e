"""A job's folder as it is now, read without touching it.

Rules of this file: nothing is written, and no lock is kept, so a running job is not disturbed. What the manifest names
is read from the shards, what came later from the journal, as a recovery would; files that are still being written are
not looked at.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from corpusmill.jobs.folder import LOCK, JobFolderError, job_path, kept_spec, read_spec
from corpusmill.jobs.generations import generation_path
from corpusmill.jobs.shards import sealed_lines
from corpusmill.journal.entry import Lines
from corpusmill.journal.files import Disk
from corpusmill.journal.manifest import Commit, read_commits
from corpusmill.journal.places import BEGINNING, Place
from corpusmill.journal.records import Decided, Paid, decode_record
from corpusmill.journal.segment import Reader
from corpusmill.journal.shard import Sealed
from corpusmill.journal.sheet import Sheet
from corpusmill.journal.store import INTERRUPTED, Render
from corpusmill.spec.schema import JobSpec

OPENING_TRIES = 3
"""A run that starts removes segments that do not count; a reader that meets one of them begins again."""


class Snapshot(msgspec.Struct, frozen=True):
    """A job as it was found.

    Attributes:
        home: the job's folder.
        folder: that of the generation that was looked at.
        spec: as it was accepted.
        commits: the manifest, in order.
        running: whether a process has the job.
    """

    home: Path
    folder: Path
    spec: JobSpec
    commits: list[Commit]
    running: bool

    @property
    def sheet(self) -> Sheet:
        """The balance sheet of what is sealed; the caller may change it."""
        return self.commits[-1].sheet.copy() if self.commits else Sheet()

    def sealed(self, place: str) -> list[Sealed]:
        """Return the shards of `corpus` or `rejects`, in order."""
        shards = [commit.corpus if place == "corpus" else commit.rejects for commit in self.commits]
        return [shard for shard in shards if shard is not None]

    def lines(self, place: str) -> Iterator[bytes]:
        """Yield the sealed lines of `corpus` or `rejects`; CorruptionError where they are not what was sealed."""
        for shard in self.sealed(place):
            yield from sealed_lines(self.folder / place, shard)

    def state(self, unsealed: bool) -> str:
        """Return the job's state; `unsealed` says whether the journal goes on behind the last commit."""
        if self.running:
            return "running"
        if unsealed or not self.commits or self.commits[-1].job_state == "running":
            return INTERRUPTED
        return self.commits[-1].job_state


def take_snapshot(data: Path, job: str, generation: int | None = None) -> Snapshot:
    """Look at a job: at one generation of it, by default the current one.

    Raises:
        UnknownJobError: there is no such job.
        JobFolderError: it has no such generation.
        CorruptionError: its manifest is damaged.
    """
    spec = read_spec(data, job)
    home = job_path(data, job)
    folder = generation_path(home, generation)
    if folder != home:
        spec = kept_spec(folder)
    running = folder == home and _is_locked(home / LOCK)
    manifest = folder / "manifest"
    commits = read_commits(Disk(), manifest) if manifest.exists() else []
    return Snapshot(home, folder, spec, commits, running)


def fold_tail(snapshot: Snapshot, sheet: Sheet, render: Render) -> Iterator[Lines]:
    """Add what the journal holds behind the last commit to the sheet, and yield the lines of each decision there.

    Raises:
        CorruptionError: the journal is damaged.
    """
    last = snapshot.commits[-1] if snapshot.commits else None
    sealed_sequence = last.sealed_sequence if last else 0
    paid: dict[int, list[Paid]] = {}
    for sequence, line in journal_lines(snapshot.folder / "journal", last.replay if last else BEGINNING):
        record = decode_record(line)
        if isinstance(record, Paid):
            paid.setdefault(record.index, []).append(record)
        completions = paid.pop(record.index, []) if isinstance(record, Decided) else []
        if sequence <= sealed_sequence:
            continue
        if isinstance(record, Decided):
            lines = render(record, completions)
            sheet.add(lines.instead or record)
            yield lines
        else:
            sheet.add(record)


def disk_bytes(folder: Path) -> int:
    """Return the size of the files in a folder; those that vanish meanwhile do not count."""
    total = 0
    for path in folder.iterdir() if folder.exists() else ():
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def journal_lines(journal: Path, start: Place = BEGINNING) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a journal that are durable by now, numbered.

    Raises:
        CorruptionError: the journal is damaged.
    """
    if not journal.exists():
        return
    for block in _opened(journal, start).blocks():
        yield from enumerate(block.lines, block.header.b)


def _opened(journal: Path, start: Place) -> Reader:
    for _ in range(OPENING_TRIES):
        try:
            return Reader(Disk(), journal, start)
        except FileNotFoundError:
            continue
    raise JobFolderError(f"{journal}: its files change too fast to be read; try again")


def _is_locked(path: Path) -> bool:
    """Whether a process holds the lock; it is only asked for, shared, and given back at once."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
