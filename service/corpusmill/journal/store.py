"""The files of one job, opened for a run: recovery, commits, and the folds that make shards and manifest.

Rules of this file: the journal first. `commit` makes lines durable; `settle` then folds them into shards and seals what
is full. Opening reads the manifest, the sidecars and the journal's tail, and leaves the folder as if the last run had
ended well. Both calls block and belong on one writer thread; `figures` may be read from anywhere.
"""

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from corpusmill.journal.done import DoneSet
from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.files import Files
from corpusmill.journal.log import SEGMENT_BYTES, Log
from corpusmill.journal.manifest import SUFFIX, Commit, read_commits, write_commit
from corpusmill.journal.records import Decided, Paid, Record, decode_record, encode_record
from corpusmill.journal.segment import Reader
from corpusmill.journal.shard import BUFFER_BYTES, Sealed, Shard
from corpusmill.journal.sheet import Sheet
from corpusmill.journal.state import Covered
from corpusmill.spec.schema import Shards

FOLDERS = ("journal", "corpus", "rejects", "manifest", "state")

INTERRUPTED = "interrupted"
"""The state of a run that somebody ended; its job goes on with the next run, in the same shards."""

COMMIT_BYTES = 256 << 20
"""Journal lines between two commits at most, so that recovery reads a bounded tail even where little is kept."""


class Lines(msgspec.Struct, frozen=True):
    """What a decision contributes: lines of the corpus, or one line of the rejects, without line ends."""

    corpus: tuple[bytes, ...] = ()
    reject: bytes | None = None


class Entry(msgspec.Struct, frozen=True):
    """A record on its way to the journal; a decision brings its lines along."""

    record: Record
    line: bytes
    lines: Lines | None = None

    @classmethod
    def of(cls, record: Record) -> "Entry":
        """Wrap a record that brings no lines."""
        return cls(record, encode_record(record))

    @classmethod
    def decided(cls, record: Decided, lines: Lines) -> "Entry":
        """Wrap a decision and its lines."""
        return cls(record, encode_record(record), lines)


Render = Callable[[Decided, list[Paid]], Lines]
"""Makes a decision's lines again from the journal; must give the same lines as the first time."""


class JobStore:
    """One job's files.

    Args:
        files: the disk.
        folder: the job's folder, existing.
        shards: how the corpus is cut.
        render: makes the lines of decisions that are replayed.
        now: wall clock, ISO 8601.
        segment_bytes: size of a journal segment.

    Attributes:
        done: the items that have an outcome.
        paid: completions of items without an outcome, to be used instead of calls.
        fingerprints: of all kept texts, with the index that holds each, in the order of decision.
        figures: the balance sheet of what is durable and folded.
    """

    def __init__(
        self,
        files: Files,
        folder: Path,
        shards: Shards,
        *,
        render: Render,
        now: Callable[[], str],
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        self._files, self._folder, self._spec, self._now = files, folder, shards, now
        self.done = DoneSet()
        self.paid: dict[int, list[Paid]] = {}
        self.fingerprints: list[Covered] = []
        self._first_paid: dict[int, int] = {}
        self._covered = Covered()
        self._folding: deque[tuple[int, Entry]] = deque()
        self._uncommitted_bytes = 0
        self._make_folders()
        self._commits = self._read_commits()
        last = self._commits[-1] if self._commits else None
        self._sheet = last.sheet.copy() if last else Sheet()
        self._sealed_sequence = last.sealed_sequence if last else 0
        self.figures = self._sheet.copy()
        self._corpus, self._rejects = self._open_shard("corpus"), self._open_shard("rejects")
        self._log = self._continue_journal(last.replay_segment if last else 0, segment_bytes)
        self._replay(last.replay_segment if last else 0, render)

    @property
    def job_state(self) -> str:
        """The state in which the last run left the job; `running` if it did not end by itself."""
        return self._commits[-1].job_state if self._commits else "running"

    @property
    def empty(self) -> bool:
        """Whether the job has never recorded anything."""
        return self._log.next_sequence == 1

    def commit(self, entries: Sequence[Entry]) -> int:
        """Make the entries durable, in order; return how many bytes of lines. Raises as `Log.commit` does."""
        first = self._log.commit([entry.line for entry in entries])
        self._folding.extend(enumerate(entries, first))
        return sum(len(entry.line) for entry in entries)

    def settle(self) -> list[tuple[str, Sealed]]:
        """Fold what is durable into the shards; return the shards that were sealed, with their folders.

        Raises:
            OSError: the disk is full; call again later, nothing is lost.
            BrokenDiskError: a shard cannot be made durable; the run must end, the next one makes it again.
        """
        sealed: list[tuple[str, Sealed]] = []
        while self._folding:
            sequence, entry = self._folding[0]
            if self._is_full_for(entry):
                sealed += self._seal("running")
            self._fold(sequence, entry)
            self._folding.popleft()
        self._corpus.flush(at_least=BUFFER_BYTES)
        self._rejects.flush(at_least=BUFFER_BYTES)
        self.figures = self._sheet.copy()
        return sealed

    def finish(self, job_state: str) -> list[tuple[str, Sealed]]:
        """End a run: seal everything and record the job's state; an interrupted job keeps its shards open."""
        sealed = self.settle()
        if job_state == INTERRUPTED:
            self._corpus.flush()
            self._rejects.flush()
        elif not self.empty and (self._has_uncommitted() or self.job_state != job_state):
            sealed += self._seal(job_state)
        return sealed

    def close(self) -> None:
        """Release all files as they are; what is durable stays so."""
        self._corpus.close()
        self._rejects.close()
        self._log.close()

    # --- opening ---

    def _make_folders(self) -> None:
        for name in FOLDERS:
            self._files.make_folder(self._folder / name)
        self._files.sync_folder(self._folder)

    def _read_commits(self) -> list[Commit]:
        """Read the manifest and its sidecars, and remove what no commit names."""
        commits = read_commits(self._files, self._folder / "manifest")
        named = {("state", commit.state.name) for commit in commits}
        named |= {(place, shard.name) for commit in commits for place, shard in _shards_of(commit)}
        for place in ("corpus", "rejects", "state"):
            self._keep_only(place, {name for folder, name in named if folder == place})
        self._keep_only("manifest", {n for n in self._files.names(self._folder / "manifest") if n.endswith(SUFFIX)})
        for commit in commits:
            covered = Covered.read(self._files, self._folder / "state", commit.state)
            for index in covered.decided:
                self.done.add(index)
            self.fingerprints.append(covered)
        return commits

    def _keep_only(self, place: str, named: set[str]) -> None:
        present = set(self._files.names(self._folder / place))
        if missing := sorted(named - present):
            raise CorruptionError(f"{place}/{missing[0]} is named by the manifest but missing")
        for name in sorted(present - named):
            self._files.remove(self._folder / place / name)
        self._files.sync_folder(self._folder / place)

    def _open_shard(self, place: str) -> Shard:
        taken = sum(1 for commit in self._commits for folder, _ in _shards_of(commit) if folder == place)
        return Shard(self._files, self._folder / place, taken + 1, self._spec.compress)

    def _continue_journal(self, oldest: int, segment_bytes: int) -> Log:
        reader = Reader(self._files, self._folder / "journal", oldest)
        for _ in reader.blocks():
            pass
        return Log(self._files, self._folder / "journal", reader, segment_bytes)

    def _replay(self, oldest: int, render: Render) -> None:
        """Fold the journal's tail again: outcomes behind the last commit, and paid calls of undecided items."""
        replayed = Covered()
        for block in Reader(self._files, self._folder / "journal", oldest).blocks():
            for sequence, line in enumerate(block.lines, block.header.b):
                self._replay_line(sequence, line, render, replayed)
            self.settle()
        self.fingerprints.append(replayed)

    def _replay_line(self, sequence: int, line: bytes, render: Render, replayed: Covered) -> None:
        record = decode_record(line)
        entry = Entry(record, line)
        if isinstance(record, Paid) and record.index not in self.done:
            self.paid.setdefault(record.index, []).append(record)
            self._first_paid.setdefault(record.index, sequence)
        elif isinstance(record, Decided) and record.index not in self.done:
            entry = Entry(record, line, render(record, self.paid.pop(record.index, [])))
            replayed.add(record.index, record.fingerprints)
        if sequence > self._sealed_sequence:
            self._folding.append((sequence, entry))

    # --- folding ---

    def _is_full_for(self, entry: Entry) -> bool:
        coming = len(entry.lines.corpus) if entry.lines else 0
        records = self._corpus.records
        full = bool(coming and records and records + coming > self._spec.records)
        return full or self._uncommitted_bytes >= COMMIT_BYTES

    def _fold(self, sequence: int, entry: Entry) -> None:
        record = entry.record
        self._sheet.add(record)
        self._uncommitted_bytes += len(entry.line)
        if isinstance(record, Paid):
            self._first_paid.setdefault(record.index, sequence)
        elif isinstance(record, Decided):
            self._fold_decision(record, entry.lines or Lines())
        self._sealed_sequence = sequence

    def _fold_decision(self, record: Decided, lines: Lines) -> None:
        self._first_paid.pop(record.index, None)
        self.done.add(record.index)
        self._covered.add(record.index, record.fingerprints)
        self._corpus.append(lines.corpus)
        if lines.reject is not None:
            self._rejects.append((lines.reject,))

    def _has_uncommitted(self) -> bool:
        return bool(self._covered.decided or self._uncommitted_bytes)

    def _seal(self, job_state: str) -> list[tuple[str, Sealed]]:
        """Seal both shards and write the commit that makes them part of the corpus."""
        corpus = self._corpus.seal() if self._corpus.records else None
        rejects = self._rejects.seal() if self._rejects.records else None
        number = len(self._commits) + 1
        state = self._covered.write(self._files, self._folder / "state", number)
        for place in ("corpus", "rejects", "state"):
            self._files.sync_folder(self._folder / place)
        needed = min(self._first_paid.values(), default=self._sealed_sequence + 1)
        commit = Commit(
            number=number,
            corpus=corpus,
            rejects=rejects,
            state=state,
            sealed_sequence=self._sealed_sequence,
            replay_segment=self._log.segment_of(needed),
            sheet=self._sheet.copy(),
            sealed_at=self._now(),
            job_state=job_state,
        )
        write_commit(self._files, self._folder / "manifest", commit)
        self._commits.append(commit)
        self._covered, self._uncommitted_bytes = Covered(), 0
        if corpus:
            self._corpus = self._open_shard("corpus")
        if rejects:
            self._rejects = self._open_shard("rejects")
        return _shards_of(commit)


def _shards_of(commit: Commit) -> list[tuple[str, Sealed]]:
    pairs = (("corpus", commit.corpus), ("rejects", commit.rejects))
    return [(place, shard) for place, shard in pairs if shard is not None]
