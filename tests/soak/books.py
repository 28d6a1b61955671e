"""What must be true of a job once it is over, however often its daemon was killed."""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from corpusmill_client import Job, Record, Reject

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def read_shards(paths: Sequence[Path]) -> list[bytes]:
    """Return the lines of downloaded shards, in their order."""
    texts = [zstd.decompress(path.read_bytes()) if path.suffix == ".zst" else path.read_bytes() for path in paths]
    return [line for text in texts for line in text.splitlines()]


def check_books(job: Job, followed: Sequence[Record], corpus: Sequence[bytes], rejects: Sequence[bytes]) -> None:
    """Check one job; an AssertionError says what does not add up.

    Args:
        job: as it ended.
        followed: its records as they came to one who followed it through all kills.
        corpus: the lines of its sealed shards.
        rejects: likewise, of what was not kept.
    """
    records = [msgspec.json.decode(line, type=Record) for line in corpus]
    refused = [msgspec.json.decode(line, type=Reject) for line in rejects]
    kept, left = {record.index for record in records}, [reject.index for reject in refused]
    outcomes, calls = job.outcomes, job.calls
    assert (job.state, job.error) == ("finished", None), job
    assert outcomes.total == job.items, job
    assert len({record.id for record in records}) == len(records) == job.records, f"{job.name}: a record twice"
    assert len(kept) == outcomes.kept, f"{job.name}: {len(kept)} items in the corpus, {outcomes.kept} kept"
    assert len(set(left)) == len(left) == outcomes.total - outcomes.kept, f"{job.name}: a reject lost or doubled"
    assert not kept & set(left), f"{job.name}: items both kept and not"
    assert sum(job.rejected_by.values()) == outcomes.rejected, job
    assert sum(job.failed_by.values()) == outcomes.failed, job
    assert calls.sent == calls.answered + calls.rate_limited + calls.errors, job
    assert [record.id for record in followed] == [record.id for record in records], (
        f"{job.name}: who followed it saw other records"
    )
