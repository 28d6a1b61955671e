"""Whether a job's files are what was written: journal, shards, sidecars and manifest.

Rules of this file: `examine` only reads. What is damaged is told with its place; a torn tail, which a crash leaves and
which was never acknowledged, is no damage. `repair` sets damaged parts aside under `damaged/` and deletes nothing; what
is derived is made again from the journal by the next run, and what is lost from the journal is paid for again.
"""

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from corpusmill.jobs.folder import PURGED
from corpusmill.journal.done import DoneSet
from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.files import Files
from corpusmill.journal.manifest import SUFFIX, Commit, commit_name, read_commit, read_commits
from corpusmill.journal.records import Decided, Paid, decode_record
from corpusmill.journal.salvage import Salvage, rewrite
from corpusmill.journal.segment import Reader, segment_name
from corpusmill.journal.state import Covered
from corpusmill.journal.store import Render

DAMAGED = "damaged"
PIECE_BYTES = 16 << 20
NAMED = 1000
"""How many items are named at most."""


class Damage(msgspec.Struct, frozen=True):
    """One thing that is not what was written."""

    place: str
    what: str


class Health(msgspec.Struct):
    """What `examine` found.

    Attributes:
        job: whose files.
        lines, blocks: of the journal, as far as they are readable.
        shards: that the manifest names.
        torn_bytes: at the journal's end; left by a crash and never acknowledged.
        damages: empty where all is well.
        sound_commits: how many commits, from the first, have all their files.
        lost_lines: lines of the journal that nothing holds any more.
        repay: items (the first of them) whose completions are lost and which are not in a sound shard: they would be
            paid for again.
        repay_items: how many those are.
    """

    job: str
    lines: int = 0
    blocks: int = 0
    shards: int = 0
    torn_bytes: int = 0
    damages: list[Damage] = []
    sound_commits: int = 0
    lost_lines: int = 0
    repay: list[int] = []
    repay_items: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether nothing is damaged."""
        return not self.damages


class Examination:
    """One look at a job's files.

    Args:
        files: the disk.
        folder: the job's folder, which no process writes in.
        job: its name.
        render: makes a decision's lines from its completions; CorruptionError where they do not fit.
        is_item: whether an index is an item of the job; items come in this order, so a gap in it names the lost ones.
    """

    def __init__(self, files: Files, folder: Path, job: str, render: Render, is_item: Callable[[int], bool]) -> None:
        self._files, self._folder, self._render, self._is_item = files, folder, render, is_item
        self._journal = folder / "journal"
        self.health = Health(job, damages=[], repay=[])
        self._commits = self._readable_commits()
        self.health.shards = sum(len(commit.shards()) for commit in self._commits)
        self.health.sound_commits = self._sound_commits()
        self._salvage: Salvage | None = None
        self._dropped: set[int] = set()
        self._examine_journal()

    @property
    def _sealed_sequence(self) -> int:
        sound = self.health.sound_commits
        return self._commits[sound - 1].sealed_sequence if sound else 0

    def _tell(self, place: str, what: str) -> None:
        self.health.damages.append(Damage(place, what))

    def _readable_commits(self) -> list[Commit]:
        """Read the manifest up to its first damaged record."""
        folder = self._folder / "manifest"
        try:
            return read_commits(self._files, folder)
        except FileNotFoundError:
            return []
        except CorruptionError as error:
            self._tell("manifest", str(error))
        commits: list[Commit] = []
        with contextlib.suppress(FileNotFoundError, CorruptionError):
            while True:
                commits.append(read_commit(self._files, folder, len(commits) + 1))
        return commits

    def _sound_commits(self) -> int:
        """Check every file that a commit names; return how many commits from the first have all theirs."""
        sound = len(self._commits)
        for commit in reversed(self._commits):
            named = [(place, shard.name, shard.sha256) for place, shard in commit.shards()]
            named.append(("state", commit.state.name, commit.state.sha256))
            if commit.sketches is not None:
                named.append(("state", commit.sketches.name, commit.sketches.sha256))
            whole = [self._is_whole(*each) for each in named]
            if not all(whole):
                sound = commit.number - 1
        return sound

    def _is_whole(self, place: str, name: str, sha256: str) -> bool:
        try:
            found = self._digest(self._folder / place / name)
        except FileNotFoundError:
            self._tell(f"{place}/{name}", "is named by the manifest but missing")
            return False
        if found != sha256:
            self._tell(f"{place}/{name}", "its sha256 is not the manifest's")
            return False
        return True

    def _digest(self, path: Path) -> str:
        """Return the sha256 of a file, which may be too large for memory."""
        digest, offset = hashlib.sha256(), 0
        while piece := self._files.read_at(path, offset, PIECE_BYTES):
            digest.update(piece)
            offset += len(piece)
        return digest.hexdigest()

    def _examine_journal(self) -> None:
        """Read the journal as a recovery of the whole would; where that stops, look at what is left."""
        try:
            reader = Reader(self._files, self._journal)
            for block in reader.blocks():
                self.health.blocks += 1
                self.health.lines += block.header.n
            self._check_end(reader.tail.next_sequence)
        except FileNotFoundError:
            if self._commits and not (self._folder / PURGED).exists():
                self._tell("journal", "is missing")
            return
        except CorruptionError as error:
            self._tell("journal", str(error))
            self._examine_rot()
        else:
            self.health.torn_bytes = self._torn_bytes(reader)

    def _check_end(self, next_sequence: int) -> None:
        sealed = self._commits[-1].sealed_sequence if self._commits else 0
        if next_sequence <= sealed:
            raise CorruptionError(f"it ends at line {next_sequence - 1}, but the manifest names line {sealed}")

    def _torn_bytes(self, reader: Reader) -> int:
        tail = reader.tail
        if tail.last is None:
            return 0
        offset = tail.carried.previous_valid if tail.carried.previous == tail.segment else 0
        return len(self._files.read(self._journal / segment_name(tail.segment))) - offset - tail.last.size_bytes

    def _examine_rot(self) -> None:
        """Tell which lines are lost, and which items are to be paid for again because of that."""
        salvage = self._salvage = Salvage(self._files, self._journal)
        health = self.health
        health.blocks, health.lines = len(salvage.pieces), sum(piece.count for piece in salvage.pieces)
        sealed_by_all = self._commits[-1].sealed_sequence if self._commits else 0
        health.lost_lines = sum(count for _, count in salvage.lost)
        health.lost_lines += max(sealed_by_all + 1 - salvage.next_sequence, 0)
        done, once_done, known = self._sealed_items()
        paid: dict[int, list[Paid]] = {}
        for sequence, line in salvage.lines():
            record = decode_record(line)
            if isinstance(record, Paid | Decided):
                known = max(known, record.index)
            if isinstance(record, Paid):
                paid.setdefault(record.index, []).append(record)
            elif isinstance(record, Decided):
                once_done.add(record.index)
                completions = paid.pop(record.index, [])
                if record.index not in done:
                    if sequence > self._sealed_sequence and self._is_supported(record, completions):
                        done.add(record.index)
                    else:
                        self._dropped.add(sequence)
        if health.lost_lines:
            once_done.update(index for index in range(known) if index not in paid and self._is_item(index))
        for index in once_done:
            if index not in done:
                health.repay_items += 1
                health.repay += [index] if health.repay_items <= NAMED else []

    def _sealed_items(self) -> tuple[DoneSet, DoneSet, int]:
        """Return the items of sound commits, those of all whose sidecar can be read, and the highest of these."""
        done, once_done, known = DoneSet(), DoneSet(), -1
        for commit in self._commits:
            try:
                decided = Covered.read(self._files, self._folder / "state", commit.state).decided
            except CorruptionError:
                continue
            once_done.update(decided)
            known = max(known, *decided) if decided else known
            if commit.number <= self.health.sound_commits:
                done.update(decided)
        return done, once_done, known

    def _is_supported(self, decided: Decided, paid: list[Paid]) -> bool:
        """Whether the completions that a decision was made of are still there."""
        if not paid and decided.outcome != "failed":
            return False
        try:
            self._render(decided, paid)
        except CorruptionError:
            return False
        return True

    def repair(self) -> None:
        """Set aside what is damaged, durably; the next run makes again, or pays again, what is missing."""
        aside = self._folder / DAMAGED / f"{len(self._aside_before()) + 1:04d}"
        if self._salvage is not None:
            self._repair_journal(self._salvage, aside)
        keep = self.health.sound_commits
        folder = self._folder / "manifest"
        for name in [name for name in self._files.names(folder) if name.endswith(SUFFIX)]:
            if name > commit_name(keep):
                self._set_aside("manifest", name, aside)
        self._files.sync_folder(folder)
        named = {("state", commit.state.name) for commit in self._commits[:keep]}
        named |= {("state", c.sketches.name) for c in self._commits[:keep] if c.sketches is not None}
        named |= {(place, shard.name) for commit in self._commits[:keep] for place, shard in commit.shards()}
        for place in ("corpus", "rejects", "state"):
            for name in self._files.names(self._folder / place):
                if (place, name) not in named:
                    self._set_aside(place, name, aside)
            self._files.sync_folder(self._folder / place)

    def _repair_journal(self, salvage: Salvage, aside: Path) -> None:
        """Write the journal anew, put it in place last segment first, and set the old one aside.

        While segments of the new one are missing the journal cannot be opened, and a second repair finds all there is.
        """
        fresh = self._folder / "journal.repaired"
        self._files.make_folder(fresh)
        for name in self._files.names(fresh):
            self._files.remove(fresh / name)
        old = self._files.names(self._journal)
        rewrite(self._files, self._journal, salvage, fresh, self._dropped, self._sealed_sequence)
        for name in reversed(self._files.names(fresh)):
            self._files.rename(fresh / name, self._journal / name)
            self._files.sync_folder(self._journal)
        for name in old:
            self._set_aside("journal", name, aside)
        self._files.sync_folder(self._journal)

    def _aside_before(self) -> list[str]:
        self._files.make_folder(self._folder / DAMAGED)
        return self._files.names(self._folder / DAMAGED)

    def _set_aside(self, place: str, name: str, aside: Path) -> None:
        self._files.make_folder(aside / place)
        self._files.rename(self._folder / place / name, aside / place / name)
