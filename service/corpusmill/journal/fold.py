"""The fold of a journal: outcomes counted, lines laid into shards, and commits when those are full.

Rules of this file: a fold sees every record once, in the journal's order. Sealing is the only thing here that makes
anything durable, and the manifest record it ends with is the point at which shards become part of the corpus.
"""

from array import array
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from corpusmill.journal.done import DoneSet
from corpusmill.journal.entry import Entry, Lines
from corpusmill.journal.files import Files
from corpusmill.journal.manifest import Commit, write_commit
from corpusmill.journal.places import Places
from corpusmill.journal.records import Decided, Paid
from corpusmill.journal.shard import BUFFER_BYTES, Sealed, Shard
from corpusmill.journal.sheet import Sheet
from corpusmill.journal.sketches import FILE_BYTES, Sketches
from corpusmill.journal.state import Covered
from corpusmill.spec.schema import Shards

COMMIT_BYTES = 256 << 20
"""Journal lines between two commits at most, so that recovery reads a bounded tail even where little is kept."""


class Fold:
    """What a journal comes to.

    Args:
        files: the disk.
        folder: the job's folder.
        shards: how the corpus is cut.
        commits: the manifest so far.
        now: wall clock, ISO 8601.

    Attributes:
        done: the items that have an outcome.
        sheet: the balance sheet.
        sealed_sequence: the last journal line that was folded.
        horizon: what the next commit says of the positions below it; see there.
        job_state: the state in which the last run left the job; `running` if it did not end by itself.
        sketches: the rows of kept texts, where near duplicates are looked for.
    """

    def __init__(
        self, files: Files, folder: Path, shards: Shards, commits: list[Commit], now: Callable[[], str]
    ) -> None:
        self._files, self._folder, self._spec, self._now = files, folder, shards, now
        self._committed = len(commits)
        self._shards = Counter(folder for commit in commits for folder, _ in commit.shards())
        self.job_state = commits[-1].job_state if commits else "running"
        self._covered = Covered()
        self._uncommitted_bytes = 0
        self.sketches = Sketches(files, folder / "state", len(commits) + 1)
        self.done = DoneSet()
        self.horizon = commits[-1].horizon if commits else 0
        self._paid_lines, self._paid_indexes = array("Q"), array("Q")
        self.sheet = commits[-1].sheet.copy() if commits else Sheet()
        self.sealed_sequence = commits[-1].sealed_sequence if commits else 0
        self._corpus, self._rejects = self._open_shard("corpus"), self._open_shard("rejects")

    @property
    def has_uncommitted(self) -> bool:
        """Whether anything was folded since the last commit."""
        return bool(self._uncommitted_bytes)

    def is_full_for(self, entry: Entry) -> bool:
        """Whether a commit is due before the entry is folded: its lines would overfill the shard."""
        coming = len(entry.lines.corpus) if entry.lines else 0
        records = self._corpus.records
        overfull = bool(coming and records and records + coming > self._spec.records)
        return overfull or self._uncommitted_bytes >= COMMIT_BYTES or self.sketches.size_bytes >= FILE_BYTES

    def add(self, sequence: int, entry: Entry) -> None:
        """Fold one record."""
        record = entry.record
        self.sheet.add(record)
        self._uncommitted_bytes += len(entry.line)
        if isinstance(record, Paid):
            self.note_paid(sequence, record.index)
        elif isinstance(record, Decided):
            self._decide(record, entry.lines or Lines())
        self.sealed_sequence = sequence

    def note_paid(self, sequence: int, index: int) -> None:
        """Take note of the line of a completion whose item may stay without an outcome for long."""
        self._paid_lines.append(sequence)
        self._paid_indexes.append(index)

    def flush(self, *, at_least: int = BUFFER_BYTES) -> None:
        """Write lines that collected; a full disk leaves them to be written later."""
        self._corpus.flush(at_least=at_least)
        self._rejects.flush(at_least=at_least)
        self.sketches.flush(at_least=at_least)

    def seal(self, job_state: str, places: Places) -> list[tuple[str, Sealed]]:
        """Seal both shards and write the commit that makes them part of the corpus; return them with their folders.

        Args:
            job_state: what the commit says of the job.
            places: where the journal's lines stand.
        """
        corpus = self._corpus.seal() if self._corpus.records else None
        rejects = self._rejects.seal() if self._rejects.records else None
        number = self._committed + 1
        sketches = self.sketches.seal()
        state = self._covered.write(self._files, self._folder / "state", number)
        for place in ("corpus", "rejects", "state"):
            self._files.sync_folder(self._folder / place)
        self._forget_decided()
        needed = self._paid_lines[0] if self._paid_lines else self.sealed_sequence + 1
        replay = places.before(needed)
        commit = Commit(
            number=number,
            corpus=corpus,
            rejects=rejects,
            state=state,
            sealed_sequence=self.sealed_sequence,
            replay_segment=replay.segment,
            replay_offset=replay.offset,
            sheet=self.sheet.copy(),
            sealed_at=self._now(),
            job_state=job_state,
            sketches=sketches,
            horizon=self.horizon,
        )
        write_commit(self._files, self._folder / "manifest", commit)
        self._committed, self.job_state = number, job_state
        self._shards.update(folder for folder, _ in commit.shards())
        self._covered, self._uncommitted_bytes = Covered(), 0
        self.sketches.committed()
        if corpus:
            self._corpus = self._open_shard("corpus")
        if rejects:
            self._rejects = self._open_shard("rejects")
        return commit.shards()

    def close(self) -> None:
        """Release the open shards as they are."""
        self._corpus.close()
        self._rejects.close()
        self.sketches.close()

    def _decide(self, record: Decided, lines: Lines) -> None:
        self.done.add(record.index)
        self._covered.add(record.index, record.fingerprints, lines.kept)
        for kept in lines.kept:
            self.sketches.append(record.index, kept.row)
        self._corpus.append(lines.corpus)
        if lines.reject is not None:
            self._rejects.append((lines.reject,))

    def _forget_decided(self) -> None:
        """Keep the lines of completions whose items have no outcome, in their order."""
        pairs = zip(self._paid_lines, self._paid_indexes, strict=True)
        left = [(line, index) for line, index in pairs if index not in self.done]
        self._paid_lines = array("Q", [line for line, _ in left])
        self._paid_indexes = array("Q", [index for _, index in left])

    def _open_shard(self, place: str) -> Shard:
        return Shard(self._files, self._folder / place, self._shards[place] + 1, self._spec.compress)
