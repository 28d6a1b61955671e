"""Opening a job again reads what came after its last commit, and notices a journal that lacks what was committed."""

import random
import sys
import tracemalloc
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from corpusmill.journal.block import CHAIN_START, BadBlockError, decode_block, encode_block
from corpusmill.journal.entry import Entry
from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.files import write_all
from corpusmill.journal.places import Place, Places
from corpusmill.journal.records import Attempts, Paid
from corpusmill.journal.store import JobStore
from corpusmill.spec.schema import Shards
from tests.sim.disk import SimDisk
from tests.sim.job import FOLDER, ITEMS, Driver, render

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

JOURNAL = FOLDER / "journal"
APART_BYTES = 100_000


def finished_job(seed: int) -> tuple[SimDisk, Driver]:
    rng = random.Random(seed)
    disk, driver = SimDisk(rng), Driver(rng)
    driver.run(disk)
    return disk, driver


def test_damage_in_what_is_sealed_does_not_keep_a_job_from_going_on() -> None:
    disk, driver = finished_job(3)
    path = JOURNAL / disk.names(JOURNAL)[0]
    disk.flip_bit(path, len(disk.read(path)) // 2, 3)
    store = driver.open(disk)
    assert len(store.done) == ITEMS


def test_a_journal_that_vanished_behind_the_manifest_is_told() -> None:
    disk, driver = finished_job(3)
    for name in disk.names(JOURNAL):
        disk.remove(JOURNAL / name)
    with pytest.raises(CorruptionError, match="fsck"):
        driver.open(disk)


def test_damage_in_the_last_block_is_rot_where_the_manifest_names_its_lines() -> None:
    disk, driver = finished_job(3)
    path = JOURNAL / disk.names(JOURNAL)[-1]
    disk.flip_bit(path, len(disk.read(path)) - 9, 3)
    with pytest.raises(CorruptionError, match="fsck"):
        driver.open(disk)


def test_segments_of_another_job_are_told_even_where_their_lines_have_the_same_numbers() -> None:
    """As when somebody restores folders from two backups and mixes them up: each block is whole, and of another job."""
    disks = [journal_of(request_id) for request_id in ("ab", "ba")]
    names = disks[0].names(JOURNAL)
    assert names == disks[1].names(JOURNAL)
    assert len(names) > 2
    ours, theirs = ([disk.read(JOURNAL / name) for name in names] for disk in disks)
    assert [len(each) for each in ours] == [len(each) for each in theirs]
    replace_file(disks[0], JOURNAL / names[1], theirs[1])
    with pytest.raises(CorruptionError, match="belongs"):
        opened(disks[0])


def journal_of(request_id: str) -> SimDisk:
    """A journal of several segments whose numbers and sizes do not depend on the order of the letters."""
    disk = SimDisk(random.Random(1))
    disk.make_folder(FOLDER)
    store = opened(disk, segment_bytes=3000)
    for index in range(8):
        store.commit([Entry.of(replace(paid(index, 0, 2000), request_id=request_id))])
    store.close()
    return disk


def replace_file(disk: SimDisk, path: Path, content: bytes) -> None:
    disk.remove(path)
    write_all(disk.create(path), 0, content)


def test_a_block_with_another_number_of_lines_than_it_says_is_none() -> None:
    """No disk makes one, for its checksum is right: a writer that errs would."""
    frame = encode_block([b"{}", b"{}"], first=7, chain=CHAIN_START)
    assert decode_block(memoryview(frame), 0).lines == [b"{}", b"{}"]
    text = zstd.decompress(frame)
    for wrong in (text + b"{}\n", text[:-1], text[:-3], text.replace(b'"n":2', b'"n":3')):
        with pytest.raises(BadBlockError):
            decode_block(memoryview(zstd.compress(wrong)), 0)


def test_a_place_is_never_behind_the_line_it_is_asked_for() -> None:
    rng = random.Random(1)
    places, blocks = Places(APART_BYTES), []
    first, segment, offset = 1, 1, 0
    for _ in range(2000):
        blocks.append((first, Place(segment, offset)))
        places.note(first, Place(segment, offset))
        first += rng.randrange(1, 50)
        offset += rng.randrange(1000, APART_BYTES // 3)
        if rng.random() < 0.02:
            segment, offset = segment + 1, 0
    for line in sorted(rng.randrange(1, first + 100) for _ in range(300)):
        found = places.before(line)
        starts = {place: start for start, place in blocks}
        assert starts[found] <= line
        exact = max(place for start, place in ((s, (p.segment, p.offset)) for s, p in blocks) if start <= line)
        assert exact[0] == found.segment
        assert exact[1] - found.offset < APART_BYTES


def test_a_new_job_waits_for_one_sync_and_a_job_that_was_there_for_one_of_each_folder() -> None:
    disk = SimDisk(random.Random(1))
    Driver(random.Random(1)).open(disk)
    assert disk.operations == 1
    disk = disk.after_power_cut()
    Driver(random.Random(1)).open(disk)
    assert disk.operations == 1 + len(("corpus", "rejects", "state", "manifest"))


def test_completions_without_an_outcome_are_read_when_needed_not_held() -> None:
    """As of a refold with calls: all items have completions, of two steps, and none has an outcome."""
    disk, items, chars = SimDisk(random.Random(1)), 1000, 5000
    disk.make_folder(FOLDER)
    store = opened(disk)
    for first in range(0, items, 50):
        batch = [paid(index, step, chars) for index in range(first, first + 50) for step in (0, 1)]
        store.commit([Entry.of(each) for each in batch])
        store.settle()
    store.close()
    tracemalloc.start()
    store = opened(disk, held_bytes=200_000)
    held_bytes, _ = tracemalloc.get_traced_memory()
    assert held_bytes < 0.1 * items * 2 * chars
    for index in [*range(0, items, 2), *reversed(range(1, items, 2))]:
        assert index in store.unfinished
        assert store.unfinished.take(index) == [paid(index, step, chars) for step in (0, 1)]
        assert index not in store.unfinished
    held_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held_bytes < 0.15 * items * 2 * chars
    assert store.unfinished.take(5) == []
    store.close()


def test_a_completion_that_rots_while_it_waits_is_told() -> None:
    disk = SimDisk(random.Random(1))
    disk.make_folder(FOLDER)
    store = opened(disk)
    for index in range(4):
        store.commit([Entry.of(paid(index, 0, 1000))])
    store.close()
    store = opened(disk, held_bytes=0)
    disk.flip_bit(JOURNAL / disk.names(JOURNAL)[0], 60, 3)
    with pytest.raises(CorruptionError, match="fsck"):
        store.unfinished.take(0)


def opened(disk: SimDisk, **options: int) -> JobStore:
    return JobStore(disk, FOLDER, Shards(), render=render, now=lambda: "2026-01-01T00:00:00Z", **options)


def paid(index: int, step: int, chars: int) -> Paid:
    body = random.Random(2 * index + step).randbytes(chars // 2).hex()
    return Paid(index, step, 0, Attempts(1), "m", msgspec.Raw(msgspec.json.encode(body)))
