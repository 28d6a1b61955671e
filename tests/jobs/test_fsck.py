"""What `fsck` finds and mends: flipped bits anywhere, missing files, torn tails; on the job of the crash tests."""

import copy
import random

import msgspec
import pytest

from corpusmill.jobs.fsck import Examination
from corpusmill.journal.entry import Lines
from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.manifest import read_commits
from corpusmill.journal.records import Decided, Paid
from tests.sim.disk import Crash, SimDisk
from tests.sim.job import FOLDER, ITEMS, Driver, render

PLACES = ("journal", "corpus", "rejects", "state", "manifest")


def checked_render(decided: Decided, paid: list[Paid]) -> Lines:
    """As the product's: completions that cannot have led to the decision are told."""
    if len(paid) < (2 if decided.index % 3 == 0 else 1):
        raise CorruptionError(f"item {decided.index} lacks completions")
    return render(decided, paid)


def examined(disk: SimDisk) -> Examination:
    return Examination(disk, FOLDER, "job", checked_render, lambda _: True)


def begun_job(seed: int, stop: int) -> SimDisk:
    """A job that was cut off after so many operations."""
    rng = random.Random(seed)
    disk = SimDisk(rng, crash_at=stop)
    try:
        Driver(rng).run(disk)
    except Crash:
        disk = disk.after_kill()
        Driver(rng).open(disk).close()
    return disk.after_kill()


def ids_when_finished(disk: SimDisk) -> list[int]:
    """Let the job finish, and return the items in its shards."""
    Driver(random.Random(1)).run(disk)
    shards = [(place, shard) for commit in read_commits(disk, FOLDER / "manifest") for place, shard in commit.shards()]
    lines = [line for place, shard in shards for line in disk.read(FOLDER / place / shard.name).splitlines()]
    return sorted(msgspec.json.decode(line)["id"] for line in lines)


@pytest.mark.parametrize("stop", [40, 70, 0])
def test_a_job_that_was_only_cut_off_is_sound(stop: int) -> None:
    health = examined(begun_job(3, stop)).health
    assert health.is_sound, health.damages
    assert health.lines > 0


@pytest.mark.parametrize("stop", [45, 0])
@pytest.mark.parametrize("place", PLACES)
def test_a_flipped_bit_anywhere_is_told_and_can_be_mended(place: str, stop: int) -> None:
    disk = begun_job(4, stop)
    tried, sound_lines = 0, examined(disk).health.lines
    for name in disk.names(FOLDER / place):
        size = len(disk.read(FOLDER / place / name))
        for byte in range(0, size, max(size // 12, 1)):
            rotten = copy.deepcopy(disk)
            rotten.flip_bit(FOLDER / place / name, byte, byte % 8)
            found = examined(rotten)
            if found.health.is_sound and not found.health.torn_bytes:
                assert found.health.lines == sound_lines, f"{place}/{name}, byte {byte}: lines vanished silently"
                continue
            found.repair()
            again = examined(rotten).health
            assert again.is_sound, again.damages
            assert ids_when_finished(rotten) == list(range(ITEMS))
            tried += 1
    assert tried > 0 or not disk.names(FOLDER / place)


@pytest.mark.parametrize("place", ["corpus", "rejects", "state"])
def test_what_is_derived_is_made_again_without_paying(place: str) -> None:
    disk = begun_job(5, 0)
    name = disk.names(FOLDER / place)[0]
    before = disk.read(FOLDER / place / name)
    disk.remove(FOLDER / place / name)
    found = examined(disk)
    assert not found.health.is_sound
    assert not found.health.repay_items
    assert not found.health.lost_lines
    found.repair()
    driver = Driver(random.Random(1))
    driver.run(disk)
    assert driver.calls == 0
    assert disk.read(FOLDER / place / name) == before


def test_lost_completions_are_named_before_they_are_paid_again() -> None:
    rng = random.Random(6)
    disk, driver = SimDisk(rng), Driver(rng, shard_records=1000)
    store = driver.open(disk)
    for index in range(8):
        driver.commit(store, list(driver.entries(index)))
    store.close()
    path = FOLDER / "journal" / disk.names(FOLDER / "journal")[0]
    disk.flip_bit(path, len(disk.read(path)) // 2, 1)
    found = examined(disk)
    lost = found.health.lost_lines
    assert lost > 0
    found.repair()
    again = Driver(rng, shard_records=1000)
    assert ids_when_finished(copy.deepcopy(disk)) == list(range(ITEMS))
    missing = [index for index in range(8) if index not in again.open(disk).done]
    assert missing
    assert found.health.repay == missing
    assert disk.names(FOLDER / "damaged" / "0001" / "journal")


def test_examining_changes_nothing() -> None:
    disk = begun_job(7, 50)
    before = {
        (place, name): disk.read(FOLDER / place / name) for place in PLACES for name in disk.names(FOLDER / place)
    }
    examined(disk)
    after = {(place, name): disk.read(FOLDER / place / name) for place in PLACES for name in disk.names(FOLDER / place)}
    assert before == after
