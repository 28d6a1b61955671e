"""A little job on a simulated disk, with a driver that keeps its own books of what was acknowledged."""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import msgspec

from corpusmill.journal.entry import Entry, Kept, Lines
from corpusmill.journal.manifest import read_commits
from corpusmill.journal.records import Attempts, Decided, Outcome, Paid
from corpusmill.journal.store import JobStore
from corpusmill.spec.schema import Shards
from tests.sim.disk import SimDisk

FOLDER = Path("/job")
ITEMS = 14
STRAGGLER = 3
"""An item whose first completion is paid for early and whose outcome comes last, many segments and shards later."""
OUTCOMES: tuple[Outcome, ...] = ("kept", "kept", "rejected", "kept", "failed")


def render(decided: Decided, paid: list[Paid]) -> Lines:
    """The lines of an item depend on what was paid for it: a lost completion would show."""
    texts = [bytes(each.body).decode() for each in paid]
    line = msgspec.json.encode({"id": decided.index, "outcome": decided.outcome, "texts": texts})
    return Lines(corpus=(line,), kept=(kept_of(line),)) if decided.outcome == "kept" else Lines(reject=line)


def kept_of(line: bytes) -> Kept:
    """What is written down of a kept text: here a digest of the line, twice if its first byte is odd."""
    digest = hashlib.blake2b(line, digest_size=8).digest()
    return Kept(digest, digest * (1 + digest[0] % 2))


class Driver:
    """Runs the little job, and remembers across crashes what was acknowledged."""

    def __init__(self, rng: random.Random, shard_records: int = 3) -> None:
        self.rng = rng
        self.shards = Shards(records=shard_records)
        self.acked_paid: dict[tuple[int, int], str] = {}
        self.acked_decided: dict[int, str] = {}
        self.recalled: dict[int, list[Paid]] = {}
        self.calls = 0
        self.repaid = 0

    def open(self, disk: SimDisk) -> JobStore:
        disk.make_folder(FOLDER)
        store = JobStore(
            disk,
            FOLDER,
            self.shards,
            render=render,
            now=lambda: "2026-01-01T00:00:00Z",
            segment_bytes=1500,
            held_bytes=self.rng.choice([0, 200, 10_000]),
        )
        self.recalled = {index: store.unfinished.take(index) for index in range(ITEMS) if index in store.unfinished}
        assert not any(store.unfinished.take(index) for index in range(ITEMS))
        for index, outcome in self.acked_decided.items():
            assert index in store.done, f"acknowledged outcome of item {index} ({outcome}) is lost"
        marks = {mark for covered in store.fingerprints for mark in covered.fingerprints}
        for index, outcome in self.acked_decided.items():
            assert outcome != "kept" or index + 1 in marks, f"the fingerprint of item {index} is lost"
        for (index, step), text in self.acked_paid.items():
            known = [bytes(each.body).decode() for each in self.recalled.get(index, ()) if each.step == step]
            assert index in store.done or text in known, f"acknowledged completion of item {index} is lost"
        return store

    def run(self, disk: SimDisk) -> JobStore:
        """Open and work until all items are done."""
        store = self.open(disk)
        todo = [index for index in range(ITEMS) if index not in store.done]
        if STRAGGLER in todo:
            paid, *rest = self.entries(STRAGGLER)
            todo.remove(STRAGGLER)
            self.commit(store, [paid])
        else:
            rest = []
        while todo:
            count = self.rng.randrange(1, 4)
            batch = [entry for index in todo[:count] for entry in self.entries(index)]
            todo = todo[count:]
            cut = self.rng.randrange(len(batch) + 1)
            for part in (batch[:cut], batch[cut:]):
                self.commit(store, part)
        self.commit(store, rest)
        store.finish("finished")
        store.close()
        return store

    def commit(self, store: JobStore, entries: list[Entry]) -> None:
        if not entries:
            return
        store.commit(entries)
        for entry in entries:
            record = entry.record
            if isinstance(record, Paid):
                self.acked_paid[record.index, record.step] = bytes(record.body).decode()
            elif isinstance(record, Decided):
                self.acked_decided[record.index] = record.outcome
        store.settle()

    def entries(self, index: int) -> Iterator[Entry]:
        """Two steps for every third item; paid completions of earlier runs are used, not paid again."""
        paid = self.recalled.pop(index, [])
        for step in range(len(paid), 2 if index % 3 == 0 else 1):
            self.calls += 1
            self.repaid += (index, step) in self.acked_paid
            each = Paid(index, step, 0, Attempts(1), "m", msgspec.Raw(b'"answer %d"' % self.calls), (3, 0, 5, 0), 7)
            paid.append(each)
            yield Entry.of(each)
        outcome = OUTCOMES[index % 5]
        fingerprints = (index + 1,) if outcome == "kept" else ()
        decided = Decided(index, outcome, records=len(fingerprints), fingerprints=fingerprints)
        yield Entry.decided(decided, render(decided, paid))


def check_corpus(disk: SimDisk, driver: Driver) -> None:
    """Every item once, in committed shards, with whole lines; the sheet adds up; the dedup set is what was kept."""
    commits = read_commits(disk, FOLDER / "manifest")
    seen: list[int] = []
    kept_lines: list[tuple[int, Kept]] = []
    for commit in commits:
        for place, shard in (("corpus", commit.corpus), ("rejects", commit.rejects)):
            if shard is not None:
                content = disk.read(FOLDER / place / shard.name)
                assert len(content) == shard.bytes
                lines = content.splitlines()
                assert len(lines) == shard.records
                ids = [msgspec.json.decode(line)["id"] for line in lines]
                seen += ids
                kept_lines += [
                    (index, kept_of(line)) for index, line in zip(ids, lines, strict=True) if place == "corpus"
                ]
    assert sorted(seen) == list(range(ITEMS)), f"items in the shards: {sorted(seen)}"
    named = {(place, s.name) for c in commits for place, s in (("corpus", c.corpus), ("rejects", c.rejects)) if s}
    present = {(place, name) for place in ("corpus", "rejects") for name in disk.names(FOLDER / place)}
    assert named == present
    sheet = commits[-1].sheet
    assert sheet.outcomes.total == ITEMS
    assert sheet.calls.sent == sheet.calls.answered == ITEMS + len(range(0, ITEMS, 3))
    assert sheet.cost_picodollars == 7 * sheet.calls.answered
    assert driver.repaid == 0, "an acknowledged call was paid again"
    cut = disk.after_power_cut()
    assert read_commits(cut, FOLDER / "manifest") == commits, "what was told to be sealed is not"
    for place, name in named:
        assert cut.read(FOLDER / place / name) == disk.read(FOLDER / place / name)
    store = driver.open(disk.after_kill())
    kept = [index for index in range(ITEMS) if OUTCOMES[index % 5] == "kept"]
    marks = [mark for covered in store.fingerprints for mark in covered.fingerprints]
    assert sorted(marks) == sorted(index + 1 for index in kept)
    assert b"".join(bytes(covered.keys) for covered in store.fingerprints) == b"".join(k.keys for _, k in kept_lines)
    assert store.sketches.readable == len(kept_lines)
    rows = [store.sketches.read(row) for row in range(len(kept_lines))]
    assert rows == [(index, each.row) for index, each in kept_lines], "rows of kept texts are lost or mixed up"
    assert store.job_state == "finished"
