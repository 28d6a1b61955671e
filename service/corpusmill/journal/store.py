"""The files of one job, opened for a run: recovery, commits, and the fold that makes shards and manifest.

Rules of this file: the journal first. `commit` makes lines durable; `settle` then folds them. Opening reads the
manifest, the sidecars and the journal's tail, and leaves the folder as if the last run had ended well. Both calls block
and belong on one writer thread; `figures` may be read from anywhere.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from corpusmill.journal.block import Block
from corpusmill.journal.done import DoneSet
from corpusmill.journal.entry import Entry, Lines
from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.files import Files
from corpusmill.journal.fold import Fold
from corpusmill.journal.log import SEGMENT_BYTES, Log
from corpusmill.journal.manifest import SUFFIX, Commit, read_commits
from corpusmill.journal.places import BEGINNING, Place, Places
from corpusmill.journal.records import Decided, Paid, decode_record
from corpusmill.journal.segment import Reader, Standing
from corpusmill.journal.shard import Sealed
from corpusmill.journal.sketches import Sketches
from corpusmill.journal.state import Covered
from corpusmill.journal.unfinished import HELD_BYTES, Unfinished
from corpusmill.spec.schema import Shards

FOLDERS = ("journal", "corpus", "rejects", "manifest", "state")

INTERRUPTED = "interrupted"
"""The state of a run that somebody ended; its job goes on with the next run, in the same shards."""

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
        held_bytes: completions of items without an outcome that are held in memory.

    Attributes:
        unfinished: completions of items without an outcome, to be used instead of calls.
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
        held_bytes: int = HELD_BYTES,
    ) -> None:
        self._files, self._folder, self._render = files, folder, render
        self.unfinished = Unfinished(files, folder / "journal", held_bytes)
        self.fingerprints: list[Covered] = []
        self._folding: deque[tuple[int, Entry]] = deque()
        self._places = Places(apart_bytes=segment_bytes // 64)
        commits = self._tidied_commits()
        self._fold = Fold(files, folder, shards, commits, now)
        self._read_sidecars(commits)
        self._log = self._replayed(commits[-1].replay if commits else BEGINNING, segment_bytes)
        self.figures = self._fold.sheet.copy()

    @property
    def done(self) -> DoneSet:
        """The items that have an outcome."""
        return self._fold.done

    @property
    def horizon(self) -> int:
        """Every position of the job's order below it has its outcome, or is no item."""
        return self._fold.horizon

    @property
    def sketches(self) -> Sketches:
        """The rows of kept texts; to be read only."""
        return self._fold.sketches

    @property
    def job_state(self) -> str:
        """The state in which the last run left the job; `running` if it did not end by itself."""
        return self._fold.job_state

    @property
    def is_refused(self) -> bool:
        """Whether entries were refused by the disk and have no durable place yet; changes while `commit` is at work."""
        return self._log.is_refused

    @property
    def empty(self) -> bool:
        """Whether the job has never recorded anything."""
        return self._log.next_sequence == 1

    def commit(self, entries: Sequence[Entry]) -> int:
        """Make the entries durable, in order; return how many bytes of lines. Raises as `Log.commit` does."""
        first = self._log.commit([entry.line for entry in entries])
        self._folding.extend(enumerate(entries, first))
        return sum(len(entry.line) for entry in entries)

    def settle(self, horizon: int = 0) -> list[tuple[str, Sealed]]:
        """Fold what is durable into the shards; return the shards that were sealed, with their folders.

        Args:
            horizon: every position below it is in `done`, or is no item; it only grows.

        Raises:
            OSError: the disk is full; call again later, nothing is lost.
            BrokenDiskError: a shard cannot be made durable; the run must end, the next one makes it again.
        """
        sealed: list[tuple[str, Sealed]] = []
        self._fold.horizon = max(self._fold.horizon, horizon)
        while self._folding:
            sequence, entry = self._folding[0]
            if self._fold.is_full_for(entry):
                sealed += self._fold.seal("running", self._places)
            self._fold.add(sequence, entry)
            self._folding.popleft()
        self._fold.flush()
        self.figures = self._fold.sheet.copy()
        return sealed

    def flush(self) -> None:
        """Write the folded lines that wait in memory to their `.part` files; a full disk leaves them for later."""
        with contextlib.suppress(OSError):
            self._fold.flush(at_least=1)

    def finish(self, job_state: str) -> list[tuple[str, Sealed]]:
        """End a run: seal everything and record the job's state; an interrupted job keeps its shards open."""
        sealed = self.settle()
        if job_state == INTERRUPTED:
            self._fold.flush(at_least=1)
        elif not self.empty and (self._fold.has_uncommitted or self.job_state != job_state):
            sealed += self._fold.seal(job_state, self._places)
        return sealed

    def close(self) -> None:
        """Release all files as they are; what is durable stays so."""
        self._fold.close()
        self._log.close()

    def _tidied_commits(self) -> list[Commit]:
        """Make the folders where missing, read the manifest, and remove what no commit names.

        In a new job there is nothing to read, and nothing whose durability is in doubt.
        """
        made = [self._files.make_folder(self._folder / name) for name in FOLDERS]
        self._files.sync_folder(self._folder)
        if all(made):
            return []
        commits = read_commits(self._files, self._folder / "manifest")
        named = {("state", commit.state.name) for commit in commits}
        named |= {("state", commit.sketches.name) for commit in commits if commit.sketches is not None}
        named |= {(place, shard.name) for commit in commits for place, shard in commit.shards()}
        for place in ("corpus", "rejects", "state"):
            self._keep_only(place, {name for folder, name in named if folder == place})
        self._keep_only("manifest", {n for n in self._files.names(self._folder / "manifest") if n.endswith(SUFFIX)})
        return commits

    def _keep_only(self, place: str, named: set[str]) -> None:
        present = set(self._files.names(self._folder / place))
        if missing := sorted(named - present):
            raise CorruptionError(f"{place}/{missing[0]} is named by the manifest but missing")
        for name in sorted(present - named):
            self._files.remove(self._folder / place / name)
        self._files.sync_folder(self._folder / place)

    def _read_sidecars(self, commits: list[Commit]) -> None:
        for commit in commits:
            covered = Covered.read(self._files, self._folder / "state", commit.state)
            self.done.update(covered.decided)
            self.fingerprints.append(covered)
            if commit.sketches is not None:
                self._fold.sketches.restore(commit.sketches.name, covered.sizes)

    def _replayed(self, start: Place, segment_bytes: int) -> Log:
        """Read the journal's tail once: fold it again, and open a segment that continues it.

        A block is folded when the next one was read, and the last one when the new segment carries it: both say that
        it is durable, and only that may be sealed.
        """
        folder, replayed = self._folder / "journal", Covered()
        reader = Reader(self._files, folder, start, self._places)
        last: tuple[Block, Standing] | None = None
        for block in reader.blocks():
            self._replay_block(last, replayed)
            last = block, reader.standing
        if reader.tail.next_sequence <= self._fold.sealed_sequence:
            raise CorruptionError(
                f"the journal ends at line {reader.tail.next_sequence - 1}, but the manifest names line "
                f"{self._fold.sealed_sequence}; run `corpusmill fsck`"
            )
        log = Log(self._files, folder, reader, self._places, segment_bytes)
        self._replay_block(last, replayed)
        self._fold.sketches.flush()
        self.fingerprints.append(replayed)
        return log

    def _replay_block(self, read: tuple[Block, Standing] | None, replayed: Covered) -> None:
        """Fold a block again: outcomes behind the last commit, and paid calls of undecided items."""
        if read is not None:
            block, standing = read
            for sequence, line in enumerate(block.lines, block.header.b):
                self._replay_line(sequence, line, standing, replayed)
            self.settle()

    def _replay_line(self, sequence: int, line: bytes, standing: Standing, replayed: Covered) -> None:
        record = decode_record(line)
        entry = Entry(record, line)
        if isinstance(record, Paid) and record.index not in self.done:
            self.unfinished.add(record, standing, len(line))
            if sequence <= self._fold.sealed_sequence:
                self._fold.note_paid(sequence, record.index)
        elif isinstance(record, Decided) and record.index not in self.done:
            lines = self._render(record, self.unfinished.take(record.index))
            decided = lines.instead or record
            entry = Entry(decided, line, lines)
            replayed.add(decided.index, decided.fingerprints, lines.kept)
        if sequence > self._fold.sealed_sequence:
            self._folding.append((sequence, entry))
