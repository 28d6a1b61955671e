"""A job's documents: found when it is begun, kept as indexes in its folder, and opened from there ever after.

Rules of this file: an index is durable, and its digest part of the kept spec, before the first item is carried; from
then on only that index will do. A plan looks at a bounded part, in a folder of its own that is removed.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec.structs import replace

from corpusmill.jobs.folder import JobFolderError, keep_spec, kept_spec
from corpusmill.journal.files import Files
from corpusmill.space.documents.axis import DocumentAxis
from corpusmill.space.documents.faults import GATES
from corpusmill.space.documents.index import DamagedIndexError, Footer
from corpusmill.space.documents.places import Base
from corpusmill.space.documents.scan import Bound, Scan, Scanner, Skipped
from corpusmill.space.keys import subkey
from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import Documents, JobSpec
from corpusmill.spec.wording import at
from corpusmill.telemetry.events import DocumentsIndexed, DocumentSkipped, Event

FOLDER = "documents"

TOLD = 20
"""How many documents that cannot be used are told as events, for each axis; all of them are in a file."""

PLANNED = Bound(bytes=256 * 2**20, files=20_000)
"""How much of each source a plan reads; beyond that it estimates."""


def index_path(folder: Path, axis: str) -> Path:
    """Return where the index of an axis is kept."""
    return folder / FOLDER / f"{axis}.index"


def index_documents(
    files: Files, folder: Path, spec: JobSpec, base: Base | None, stopped: Callable[[], bool]
) -> list[Event]:
    """Make the indexes that a job's folder has not yet; return what there is to tell of them.

    Args:
        files: the disk.
        folder: the job's, claimed.
        spec: the job's.
        base: where its documents may lie; not needed for a job that was begun.
        stopped: asked now and then whether to stop.

    Raises:
        SpecError: a source has no document that can be used.
        JobFolderError: an index was lost, and the documents are not what they were.
        StoppedError: it was asked to stop.
    """
    kept, events = kept_spec(folder), list[Event]()
    digests: dict[str, str] = {}
    for axis, documents in kept.space.documents.items():
        path = index_path(folder, axis)
        if not path.exists():
            events += _index(folder, axis, spec, base, stopped)
        digests[axis] = digest = _opened(axis, documents, folder, base).index.digest
        if documents.digest not in (None, digest):
            raise JobFolderError(
                f"{path}: the documents are not those that the job was begun with; "
                "put the index back, or give the job another name"
            )
    changed = {axis: replace(each, digest=digests[axis]) for axis, each in kept.space.documents.items()}
    if changed != kept.space.documents:
        keep_spec(files, folder, replace(kept, space=replace(kept.space, documents=changed)))
    return events


def open_documents(folder: Path, spec: JobSpec, base: Base | None = None) -> dict[str, DocumentAxis]:
    """Open the documents of a job from its folder.

    Args:
        folder: the job's.
        spec: the job's.
        base: where the documents lie; by default where they lay when the job was begun.

    Raises:
        JobFolderError: an index is missing or damaged.
    """
    return {axis: _opened(axis, documents, folder, base) for axis, documents in spec.space.documents.items()}


@contextmanager
def sketched_documents(
    spec: JobSpec, base: Base, bound: Bound = PLANNED
) -> Iterator[tuple[dict[str, DocumentAxis], list[str]]]:
    """Look at a bounded part of each source, and take the rest to be like it; yield the documents and remarks.

    Raises:
        SpecError: a source has no document that can be used.
    """
    if not spec.space.documents:
        yield {}, []
        return
    with TemporaryDirectory(prefix="corpusmill-plan-") as name:
        opened, remarks = {}, []
        for axis, documents in spec.space.documents.items():
            path = Path(name) / f"{axis}.index"
            first = First()
            scan = Scanner(axis, documents, base, path, _key(spec, axis), skipped=first.take, bound=bound).run()
            length = _length(documents, scan)
            opened[axis] = DocumentAxis(axis, documents, path, base, length)
            remarks += _remarks(axis, scan, length, first)
        yield opened, remarks


class First:
    """The first document that cannot be used, for people who wonder why."""

    def __init__(self) -> None:
        self._told = ""

    def take(self, skipped: Skipped) -> None:
        """Take note of one that cannot be used."""
        self._told = self._told or f"; {skipped.name}: {skipped.detail}"

    def __str__(self) -> str:
        return self._told


def footers(folder: Path, spec: JobSpec) -> dict[str, Footer]:
    """Return what is known of the documents of each axis as a whole; raises as `open_documents`."""
    return {axis: each.index.footer for axis, each in open_documents(folder, spec).items()}


def _index(
    folder: Path, axis: str, spec: JobSpec, base: Base | None, stopped: Callable[[], bool]
) -> list[DocumentsIndexed | DocumentSkipped]:
    if base is None:
        raise SpecError(at("space.documents", axis), "no documents can be read here")
    path = index_path(folder, axis)
    path.parent.mkdir(exist_ok=True)
    began, told = time.monotonic(), list[DocumentSkipped]()
    with path.with_suffix(".skipped.jsonl").open("wb") as listed:

        def skip(skipped: Skipped) -> None:
            listed.write(msgspec.json.encode(skipped._asdict()) + b"\n")
            if len(told) < TOLD:
                told.append(DocumentSkipped(folder.name, *skipped))

        scanner = Scanner(axis, spec.space.documents[axis], base, path, _key(spec, axis), skipped=skip, stopped=stopped)
        footer = scanner.run().footer
    seconds = round(time.monotonic() - began, 3)
    whole = DocumentsIndexed(folder.name, axis, footer.documents, footer.pieces, footer.bytes, footer.skipped, seconds)
    return [*told, whole]


def _opened(axis: str, documents: Documents, folder: Path, base: Base | None) -> DocumentAxis:
    path = index_path(folder, axis)
    try:
        return DocumentAxis(axis, documents, path, base)
    except FileNotFoundError:
        raise JobFolderError(f"{path} is missing: it says which documents the job is of; put it back") from None
    except DamagedIndexError as error:
        raise JobFolderError(str(error)) from None


def _key(spec: JobSpec, axis: str) -> bytes:
    return subkey(spec.seed, "documents", axis)


def _length(documents: Documents, scan: Scan) -> int:
    """Return how many documents or chunks a source has; where a part was seen, as many as there should be."""
    pieces = scan.footer.pieces
    if scan.seen >= 1 or documents.per_group is not None:
        return pieces
    expected = int(pieces / scan.seen)
    if documents.limit is not None:
        expected = min(expected, documents.limit * pieces // scan.footer.documents)
    return max(pieces, expected)


def _remarks(axis: str, scan: Scan, length: int, first: First) -> list[str]:
    footer, path = scan.footer, at("space.documents", axis)
    remarks = []
    if scan.seen < 1:
        estimated = "" if length == footer.pieces else f"; {length:,} values are an estimate from these"
        remarks.append(f"{path}: only {scan.seen:.1%} of it was read, {footer.documents:,} documents{estimated}")
    if broken := {reason: count for reason, count in footer.skipped.items() if reason not in GATES}:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in broken.items())
        remarks.append(f"{path}: documents that cannot be used: {counts}{first}")
    if passed_over := sum(count for reason, count in footer.skipped.items() if reason in GATES):
        remarks.append(f"{path}: {passed_over:,} of {footer.found:,} documents do not pass its gates")
    return remarks
