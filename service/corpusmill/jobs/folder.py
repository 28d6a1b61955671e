"""A job's folder: who may write in it, and which spec it belongs to.

Rule of this file: one process at a time, by a lock that the system drops when the process dies; and one spec, so that
an item of a job means the same in all its runs.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from corpusmill.journal.files import Files
from corpusmill.journal.shard import write_durably
from corpusmill.spec.errors import SpecError
from corpusmill.spec.freeze import changed_paths, spec_to_json
from corpusmill.spec.load import parse_spec
from corpusmill.spec.schema import JobSpec

CHANGEABLE = ("limits", "budget", "target", "shards", "space.limit")
"""What a later run of a job may say otherwise: it changes no item and no outcome that there is."""

SPEC = "spec.json"
LOCK = "lock"
PURGED = "purged"
"""A file that says that the journal was deleted on purpose."""


class JobFolderError(Exception):
    """The folder cannot be used for this job: which, why, and what to do."""


class JobBusyError(JobFolderError):
    """Another process has the job.

    Attributes:
        holder: the number of that process, or `unknown`.
    """

    def __init__(self, message: str, holder: str) -> None:
        super().__init__(message)
        self.holder = holder


class UnknownJobError(JobFolderError):
    """There is no such job."""


def job_path(data: Path, job: str) -> Path:
    """Return the folder of a job."""
    return data / "jobs" / job


def read_spec(data: Path, job: str) -> JobSpec:
    """Return the spec that a job was accepted with.

    Raises:
        UnknownJobError: there is no such job.
    """
    path = job_path(data, job) / SPEC
    try:
        return parse_spec(path.read_bytes(), "json")
    except FileNotFoundError:
        jobs = sorted(entry.parent.name for entry in data.glob(f"jobs/*/{SPEC}"))
        known = f"there are: {', '.join(jobs[:20])}" if jobs else "there is none yet"
        raise UnknownJobError(f"no job {job!r} in {data}; {known}") from None
    except OSError as error:
        raise JobFolderError(f"{path}: cannot be read: {error.strerror}") from None


def kept_spec(folder: Path) -> JobSpec:
    """Return the spec that is kept in a job's folder.

    Raises:
        JobFolderError: it cannot be read.
    """
    path = folder / SPEC
    try:
        return parse_spec(path.read_bytes(), "json")
    except (OSError, SpecError) as error:
        raise JobFolderError(f"{path}: {error}") from None


def keep_spec(files: Files, folder: Path, spec: JobSpec) -> None:
    """Keep a spec in a job's folder, durably."""
    path, content = folder / SPEC, spec_to_json(spec)
    if not path.exists() or path.read_bytes() != content:
        write_durably(files, path, content)
        files.sync_folder(folder)


@contextmanager
def claimed(files: Files, data: Path, job: str, spec: JobSpec) -> Iterator[Path]:
    """Give the job's folder to this process alone, made if it is new; a folder that stays unused is removed again.

    Raises:
        JobBusyError: another process has it.
        JobFolderError: it cannot be written, or belongs to a spec whose items differ.
    """
    folder = job_path(data, job)
    fresh, first = not (folder / SPEC).exists(), not folder.parent.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise JobFolderError(f"{folder}: cannot be written: {error.strerror}") from None
    try:
        _lock(descriptor, folder, job)
        _accept(files, folder, spec)
        if fresh:
            files.sync_folder(folder.parent)
        if first:
            files.sync_folder(data)
        yield folder
    finally:
        if fresh and not _used(folder):
            shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


@contextmanager
def held(data: Path, job: str) -> Iterator[Path]:
    """Give the folder of a job that is there to this process alone.

    Raises:
        UnknownJobError: there is no such job.
        JobBusyError: another process has it.
        JobFolderError: it cannot be written.
    """
    folder = job_path(data, job)
    read_spec(data, job)
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise JobFolderError(f"{folder}: cannot be written: {error.strerror}") from None
    try:
        _lock(descriptor, folder, job)
        yield folder
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path, job: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
        raise JobBusyError(f"job {job} in {folder} is running already, in process {holder}", holder) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def _accept(files: Files, folder: Path, spec: JobSpec) -> None:
    """Keep the spec with the job, or refuse one that means other items than the kept one."""
    if (folder / PURGED).exists():
        raise JobFolderError(f"job {folder.name} in {folder}: its journal was purged, so it cannot go on")
    if (folder / SPEC).exists():
        kept = kept_spec(folder)
        spec = with_digests(spec, kept)
        if differing := [place for place in changed_paths(kept, spec) if not place.startswith(CHANGEABLE)]:
            raise JobFolderError(
                f"job {folder.name} in {folder} was begun with another spec: {', '.join(differing)} changed; "
                "give the changed job another name, or another --data; `corpusmill refold` folds its answers anew"
            )
    keep_spec(files, folder, spec)


def with_digests(spec: JobSpec, kept: JobSpec) -> JobSpec:
    """Return the spec with the digests of the documents that the kept one was begun with."""
    documents = {
        axis: replace(each, digest=kept.space.documents[axis].digest)
        if each.digest is None and axis in kept.space.documents
        else each
        for axis, each in spec.space.documents.items()
    }
    return replace(spec, space=replace(spec.space, documents=documents))


def _used(folder: Path) -> bool:
    """Whether anything was recorded: a journal segment is made with the first record."""
    return any((folder / "journal").glob("*")) or any((folder / "manifest").glob("*.json"))
