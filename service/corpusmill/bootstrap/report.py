"""A job's report, from its folder."""

from pathlib import Path

from corpusmill.bootstrap.assembly import Replay, items_of, space_of
from corpusmill.bootstrap.documents import open_documents
from corpusmill.chain.chain import Chain
from corpusmill.chain.records import RecordWriter
from corpusmill.engine.outcome import Liner
from corpusmill.jobs.report import Report, make_report
from corpusmill.jobs.snapshot import take_snapshot


def report_of(data: Path, job: str, generation: int | None = None) -> Report:
    """Read a job through, in its current generation or another one.

    Raises:
        UnknownJobError: there is no such job.
        CorruptionError: something on disk is not what was written.
    """
    snapshot = take_snapshot(data, job, generation)
    documents = open_documents(snapshot.home, snapshot.spec)
    space, chain = space_of(snapshot.spec, documents), Chain(snapshot.spec)
    replay = Replay(space, chain, Liner(chain, RecordWriter(snapshot.spec)))
    return make_report(snapshot, space, items_of(snapshot.spec, space), replay.lines, documents)
