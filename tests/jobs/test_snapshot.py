from pathlib import Path

import msgspec
import pytest

from corpusmill.jobs.snapshot import Snapshot, disk_bytes, fold_tail
from corpusmill.journal.entry import Entry, Lines
from corpusmill.journal.files import Disk
from corpusmill.journal.manifest import read_commits
from corpusmill.journal.records import Attempts, Decided, Granted, Paid, Tried
from corpusmill.journal.store import JobStore
from corpusmill.spec.schema import Shards
from tests.jobs.harness import spec_of


def render(decided: Decided, paid: list[Paid]) -> Lines:
    """The lines of an item hold what was paid for it: a lost completion would show."""
    return Lines(corpus=(msgspec.json.encode([decided.index, [bytes(each.body).decode() for each in paid]]),))


def paid(index: int) -> Paid:
    return Paid(index, 0, 0, Attempts(1), "m", msgspec.Raw(b'"answer %d"' % index), (10, 0, 20, 0), 5)


def written(folder: Path, items: int, straggler: int) -> Lines:
    """A journal of many segments, in which one item is paid for first and decided last; return that item's lines."""
    store = JobStore(Disk(), folder, Shards(records=4), render=render, now=lambda: "now", segment_bytes=300)
    order = [index for index in range(items) if index != straggler]
    store.commit([Entry.of(paid(straggler)), Entry.of(Tried(straggler, Attempts(2, 1, 1)))])
    for index in order:
        decided = Decided(index, "kept", records=1)
        store.commit([Entry.of(paid(index)), Entry.decided(decided, render(decided, [paid(index)]))])
        store.settle()
    last = Decided(straggler, "kept", records=1)
    lines = render(last, [paid(straggler)])
    store.commit([Entry.decided(last, lines), Entry.of(Granted(99, 1000)), Entry.of(Tried(items, Attempts(1, 0, 1)))])
    store.close()
    return lines


@pytest.mark.parametrize("items", range(2, 14))
def test_the_tail_has_what_no_shard_has_with_completions_from_long_before(tmp_path: Path, items: int) -> None:
    straggler_lines = written(tmp_path, items, straggler=items // 2)
    commits = read_commits(Disk(), tmp_path / "manifest")
    snapshot = Snapshot(tmp_path, tmp_path, spec_of(), commits, running=False)
    sheet = snapshot.sheet
    tail = list(fold_tail(snapshot, sheet, render))
    sealed = sum(shard.records for shard in snapshot.sealed("corpus"))
    assert len(list((tmp_path / "journal").iterdir())) > items // 3
    assert tail[-1] == straggler_lines
    assert sealed + len(tail) == items
    assert (sheet.records, sheet.outcomes.kept, sheet.calls.answered) == (items, items, items)
    assert (sheet.calls.sent, sheet.calls.errors, sheet.granted) == (items + 3, 2, Granted(99, 1000))
    assert (sheet.tokens.input, sheet.cost_picodollars) == (10 * items, 5 * items)
    lines = [*snapshot.lines("corpus"), *(line for lines in tail for line in lines.corpus)]
    assert sorted(msgspec.json.decode(line)[0] for line in lines) == list(range(items))


def test_a_folder_that_is_not_there_takes_no_space(tmp_path: Path) -> None:
    assert disk_bytes(tmp_path / "gone") == 0
