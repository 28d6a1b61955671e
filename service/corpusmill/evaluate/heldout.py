"""Whether the documents of an evaluation are really held out.

Rule of this file: a document is known by what it says, not by its name: a copy under another name has been seen too.
"""

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

import msgspec

from corpusmill.bootstrap.documents import open_documents, sketched_documents
from corpusmill.chain.filters.grounding import folded
from corpusmill.evaluate.errors import EvaluationError
from corpusmill.exports.record import read_record
from corpusmill.jobs.snapshot import take_snapshot
from corpusmill.space.documents.axis import DocumentAxis
from corpusmill.space.documents.places import Base
from corpusmill.space.documents.scan import Bound
from corpusmill.spec.schema import JobSpec

WHOLE = Bound(bytes=2**50, files=10**9)
"""A sketch that leaves nothing out."""
NAMED = 5
"""How many documents are named."""


def require_held_out(spec: JobSpec, trained_on: Iterable[str], data: Path, base: Base) -> None:
    """Refuse documents that a model has been trained on.

    Args:
        spec: one of the evaluation's jobs.
        trained_on: the jobs on whose corpora models were trained.
        data: the data directory of those jobs.
        base: where the evaluation's documents lie.

    Raises:
        EvaluationError: a document was on the training side, by name; or nobody can tell.
    """
    jobs = list(trained_on)
    if not jobs:
        return
    if not spec.space.documents:
        raise EvaluationError("`trained_on` needs documents in `space.documents`: only those can be known again")
    with sketched_documents(spec, base, WHOLE) as (documents, _):
        held_out = {digest: name for axis in documents.values() for digest, name in _texts(axis, None)}
    for job in jobs:
        trained = trained_texts(data, job)
        seen = [f"{held_out[digest]} (there: {name})" for digest, name in trained if digest in held_out]
        if seen:
            more = f", and {len(seen) - NAMED} more" if len(seen) > NAMED else ""
            raise EvaluationError(
                f"{len(seen)} of {len(held_out)} held-out documents were on the training side of job {job}: "
                f"{', '.join(seen[:NAMED])}{more}; a model that has seen them proves nothing"
            )


def trained_texts(data: Path, job: str) -> list[tuple[bytes, str]]:
    """Return digest and name of every document on the training side of a job's corpus."""
    snapshot = take_snapshot(data, job)
    documents = open_documents(snapshot.home, snapshot.spec)
    names: dict[str, set[str]] = {axis: set() for axis in documents}
    for line in snapshot.lines("corpus"):
        record = read_record(line)
        if record.split != "validation":
            values = msgspec.json.decode(record.values)
            for axis, of_axis in names.items():
                of_axis.add(values[axis])
    return [found for axis, each in documents.items() for found in _texts(each, names[axis])]


def _texts(axis: DocumentAxis, names: set[str] | None) -> list[tuple[bytes, str]]:
    found: dict[bytes, str] = {}
    for number in range(len(axis)):
        document = axis[number]
        if names is None or document.name in names:
            found[blake2b(folded(document.full).encode(), digest_size=16).digest()] = document.source
    return list(found.items())
