"""What a job's folder tells: its report, and the trace of one of its items."""

from pathlib import Path

import msgspec

from corpusmill.bootstrap.assembly import items_of, space_of
from corpusmill.bootstrap.documents import open_documents
from corpusmill.bootstrap.replay import Replay
from corpusmill.chain.chain import Chain
from corpusmill.chain.records import RecordWriter
from corpusmill.engine.outcome import Liner
from corpusmill.jobs.report import Report, make_report
from corpusmill.jobs.snapshot import Snapshot, take_snapshot
from corpusmill.jobs.trace import ItemTrace, item_at, trace_item
from corpusmill.space.documents.axis import DocumentAxis
from corpusmill.space.space import Space


class Parts(msgspec.Struct, frozen=True):
    """A job as it was found, and what reads its journal."""

    snapshot: Snapshot
    documents: dict[str, DocumentAxis]
    space: Space
    chain: Chain
    replay: Replay


def report_of(data: Path, job: str, generation: int | None = None) -> Report:
    """Read a job through, in its current generation or another one.

    Raises:
        UnknownJobError: there is no such job.
        CorruptionError: something on disk is not what was written.
    """
    parts = _parts(data, job, generation)
    spec, space = parts.snapshot.spec, parts.space
    return make_report(parts.snapshot, space, items_of(spec, space), parts.replay.lines, parts.documents)


def trace_of(data: Path, job: str, named: str, generation: int | None = None) -> ItemTrace:
    """Tell all that the journal holds of one item, named by its index or by the id of one of its lines.

    Raises:
        JobFolderError: there is no such job or item, or the journal was purged.
        CorruptionError: something on disk is not what was written.
    """
    parts = _parts(data, job, generation)
    return trace_item(parts.snapshot, item_at(parts.space, job, named), parts.chain, parts.replay.completion)


def _parts(data: Path, job: str, generation: int | None) -> Parts:
    snapshot = take_snapshot(data, job, generation)
    documents = open_documents(snapshot.home, snapshot.spec)
    space, chain = space_of(snapshot.spec, documents), Chain(snapshot.spec)
    replay = Replay(space, chain, Liner(chain, RecordWriter(snapshot.spec)))
    return Parts(snapshot, documents, space, chain, replay)
