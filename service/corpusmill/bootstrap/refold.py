"""Folds a job's journal anew, under another spec: other filters, dedup or examples over the same completions.

Rules of this file: nothing is called. An item's completions are told apart by what was asked: the old spec's walk says
which prompt each of them answers, and the new spec's walk gets one wherever it asks just that. Items keep the order in
which they were decided. Each item goes into the new journal in one block, with all its records, so a fold that was
broken off goes on behind the last one.
"""

import contextlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec.structs import replace

from corpusmill.bootstrap.assembly import Assembly
from corpusmill.bootstrap.documents import open_documents
from corpusmill.bootstrap.job import now
from corpusmill.bootstrap.replay import UNANSWERED, Replay
from corpusmill.chain.asks import Ask, Reply, replay
from corpusmill.chain.chain import Chain
from corpusmill.chain.completion import Completion, GaveUp
from corpusmill.chain.records import RecordWriter
from corpusmill.chain.verdict import Verdict
from corpusmill.chain.walk import Walk
from corpusmill.engine.outcome import SURPLUS, Liner, decide
from corpusmill.jobs.folder import kept_spec
from corpusmill.journal.entry import Entry
from corpusmill.journal.errors import refused
from corpusmill.journal.files import Disk, Files
from corpusmill.journal.manifest import read_commits
from corpusmill.journal.records import Attempts, Decided, Granted, Paid, Tried, decode_record
from corpusmill.journal.segment import Reader
from corpusmill.journal.sheet import Sheet
from corpusmill.spec.errors import DocumentError, RenderError, SpecError
from corpusmill.spec.freeze import changed_paths
from corpusmill.spec.schema import JobSpec

BATCH = 500
"""Items in one block of the new journal, about."""


class Refold:
    """One fold of an old journal into a new generation.

    Args:
        files: the disk.
        source: the folder of the generation that is read.
        chain: of its spec.
        assembly: of the new generation.
        calls: whether items that need calls are left to a run; else they fail as `unanswered`.

    Attributes:
        before: the balance sheet of what was read.
        unanswered: items that would need calls.
    """

    def __init__(
        self, files: Files, source: Path, chain: Chain, replayer: Replay, assembly: Assembly, *, calls: bool
    ) -> None:
        self._calls = calls
        self._journal = Reader(files, source / "journal")
        self._chain, self._replay, self._assembly = chain, replayer, assembly
        self._kept = assembly.store.figures.outcomes.kept
        self.before = Sheet()
        self.unanswered = 0

    def run(self) -> None:
        """Fold what is not folded yet; durable on return, but for the last shards.

        Raises:
            CorruptionError: the old journal is damaged.
            OSError, BrokenDiskError: of the new one.
        """
        store, batch = self._assembly.store, list[Entry]()
        for decided, paid in self._decisions():
            if decided.index not in store.done and decided.index not in store.unfinished:
                batch += self._item(decided, paid)
            if len(batch) >= BATCH:
                store.commit(batch)
                store.settle()
                batch = []
        if batch:
            store.commit(batch)
            store.settle()

    def _decisions(self) -> Iterator[tuple[Decided, list[Paid]]]:
        """Yield the old decisions in their order, each with what was paid for it and all its requests."""
        paid: dict[int, list[Paid]] = {}
        tried: dict[int, Attempts] = {}
        for block in self._journal.blocks():
            for line in block.lines:
                record = decode_record(line)
                self.before.add(record)
                if isinstance(record, Paid):
                    paid.setdefault(record.index, []).append(record)
                elif isinstance(record, Tried):
                    tried[record.index] = tried.get(record.index, Attempts()) + record.attempts
                elif isinstance(record, Decided):
                    attempts = tried.pop(record.index, Attempts()) + record.attempts
                    yield replace(record, attempts=attempts), paid.pop(record.index, [])

    def _item(self, old: Decided, paid: list[Paid]) -> list[Entry]:
        """Take an item through the new chain; return its completions that are used, and its decision."""
        walk = Walk(self._assembly.chain, self._assembly.space.item(old.index))
        answers = Answers(self._answers_of(old, paid), self._replay, old)
        try:
            verdict = replay(walk.asks(), answers.reply)
            if verdict.outcome == "kept" and self._is_surplus():
                verdict = Verdict("rejected", SURPLUS, "the target was met before this answer came")
            if answers.lacked and self._calls:
                self.unanswered += 1
                return [Entry.of(each) for each in answers.used]
            entry = self._concluded(walk, verdict, old.attempts)
        except RenderError as error:
            reason = "document" if isinstance(error, DocumentError) else "template"
            failed = Decided(old.index, "failed", reason, str(error)[:300], attempts=old.attempts)
            entry = Entry.decided(failed, self._assembly.liner.lines(walk, failed))
        self.unanswered += answers.lacked
        return [*(Entry.of(each) for each in answers.used), entry]

    def _concluded(self, walk: Walk, verdict: Verdict, attempts: Attempts) -> Entry:
        novelty = self._assembly.novelty
        decided, marks = decide(walk, verdict, attempts, novelty=novelty, records=self._assembly.liner.records)
        lines = self._assembly.liner.lines(walk, decided, novelty.marker.kept(marks))
        novelty.remember(decided.index, marks)
        self._kept += decided.outcome == "kept"
        return Entry.decided(decided, lines)

    def _is_surplus(self) -> bool:
        target = self._assembly.spec.target
        return target is not None and self._kept >= target.kept

    def _answers_of(self, old: Decided, paid: list[Paid]) -> dict[bytes, deque[Paid]]:
        """Return what was paid for, by what was asked."""
        recalled = {each.place: each for each in paid}
        found: dict[bytes, deque[Paid]] = {}

        def reply(ask: Ask) -> Reply:
            each = recalled.get(ask.place)
            if each is None:
                return UNANSWERED
            found.setdefault(asked(ask), deque()).append(each)
            return self._replay.completion(ask.step.api, each)

        with contextlib.suppress(RenderError):  # what broke the item once breaks it again; what was asked is known
            replay(Walk(self._chain, self._assembly.space.item(old.index)).asks(), reply)
        return found


class Answers:
    """The answers that a new walk gets.

    Attributes:
        used: completions that were asked for, at their new places.
        lacked: whether something was asked for that nobody has answered yet.
    """

    def __init__(self, found: dict[bytes, deque[Paid]], replayer: Replay, old: Decided) -> None:
        self._found, self._replay, self._old = found, replayer, old
        self._last: dict[tuple[int, int], Completion] = {}
        self.used: list[Paid] = []
        self.lacked = False

    def reply(self, ask: Ask) -> Reply:
        """Answer an ask as it was answered before.

        Where one more attempt is asked for that was never made, the one before it stands: it is rejected again.
        """
        step, part, attempt = ask.place
        if found := self._found.get(asked(ask)):
            each = found.popleft()
            self.used.append(replace(each, step=step, part=part, attempt=attempt))
            self._last[step, part] = completion = self._replay.completion(ask.step.api, each)
            return completion
        if attempt and (last := self._last.get((step, part))) is not None:
            return last
        if self._old.outcome == "failed":
            return GaveUp(self._old.reason, self._old.detail)
        self.lacked = True
        return GaveUp("unanswered", f"step {ask.step.name} was never asked this")


def asked(ask: Ask) -> bytes:
    """Return what tells one ask from another."""
    step = ask.step
    return msgspec.json.encode((step.model, step.parameters, ask.prompt), order="sorted")


FREE = frozenset({"attempts", "parse", "clean", "between", "require", "back_to", "otherwise"})
"""What of a step may change without asking anything else than before, but where later steps see another output."""


def check_refoldable(kept: JobSpec, spec: JobSpec, *, calls: bool) -> None:
    """Refuse a spec with other items, and one that asks other things where no call may be made.

    Raises:
        SpecError: it names the place.
    """
    for place in changed_paths(kept, spec):
        if place.startswith(("name", "seed", "space")) and place != "space.limit":
            raise SpecError(place, "a fold keeps the items of its job; give a job with other items another name")
    old, new = (msgspec.to_builtins(each.steps) for each in (kept, spec))
    for number, step in enumerate(new):
        before = old[number] if number < len(old) else {}
        changed = [key for key in {**before, **step} if before.get(key) != step.get(key) and key not in FREE]
        if changed and not calls:
            raise SpecError(
                f"steps[{number}].{changed[0]}",
                "differs from what was asked, and a fold makes no call; --run asks anew, from this step on",
            )


class Folded(msgspec.Struct, frozen=True):
    """What a fold came to: the balance sheets before and after, and how many items nobody has answered yet."""

    before: Sheet
    after: Sheet
    unanswered: int


def fold(home: Path, source: Path, part: Path, spec: JobSpec, *, calls: bool) -> Folded:
    """Fold the journal of one generation into another, which is incomplete until it is renamed.

    Args:
        home: the job's folder.
        source: the generation that is read.
        part: the new one, begun with the spec.
        spec: the new one's.
        calls: whether items that need calls are left to a run; else they fail as `unanswered`.

    Raises:
        CorruptionError: the old journal is damaged.
        JournalError: the disk refuses.
    """
    files, old_spec = Disk(), kept_spec(source)
    assembly = open_generation(home, part, spec)
    try:
        chain = Chain(old_spec)
        replayer = Replay(assembly.space, chain, Liner(chain, RecordWriter(old_spec)))
        refold = Refold(files, source, chain, replayer, assembly, calls=calls)
        refold.run()
        if calls and assembly.store.figures.granted is None:
            assembly.store.commit([Entry.of(_spent(refold.before))])
            assembly.store.settle()
        if not refold.unanswered or not calls:
            commits = read_commits(files, source / "manifest")
            assembly.store.finish(commits[-1].job_state if commits else "running")
        return Folded(refold.before, assembly.store.figures, refold.unanswered)
    except OSError as error:
        raise refused(error, f"{part} cannot be written") from error
    finally:
        assembly.store.close()


def _spent(sheet: Sheet) -> Granted:
    """Return a grant of what was spent in the job's life: it counts in the budget of what comes now."""
    granted = sheet.granted or Granted(0, 0)
    return Granted(max(sheet.calls.sent, granted.calls), max(sheet.cost_picodollars, granted.picodollars))


def open_generation(home: Path, part: Path, spec: JobSpec) -> Assembly:
    """Open a generation, complete or not, as a job of its own."""
    return Assembly(spec, part, Disk(), now, open_documents(home, spec), job=home.name)
