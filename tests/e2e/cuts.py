"""Real cuts: a real `corpusmill run` is killed, or its file system is shut down under it, at seeded moments.

`python -m tests.e2e.cuts` (`make kill`) cuts one job 50 times with SIGKILL and, where there are root and loop devices,
another one with EXT4_IOC_SHUTDOWN, which drops everything that was not synced. What is asked again is counted by the
endpoint's own ledger: each item has its own nonce, so a repeated prompt is a repeated call.
"""

import argparse
import fcntl
import os
import random
import signal
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from corpusmill.journal.files import Disk
from corpusmill.journal.manifest import read_commits
from corpusmill.journal.records import Paid, decode_record
from corpusmill.journal.segment import Reader
from tests.e2e.running import SPEC, command, lines, simulated, started, stats, write_spec

WIDTH = 20
SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN, the same as FS_IOC_SHUTDOWN of Linux; its argument NO_LOG_FLUSH drops the journal of ext4 too."""
NO_LOG_FLUSH = 2
IMAGE_BYTES = 512 << 20
"""Sparse; it holds a segment with what is reserved for it, and the free space that a run wants."""


class Journaled(msgspec.Struct, frozen=True):
    """How many answers a job's journal holds, and how many one group commit of it held at most."""

    answers: int
    most_at_once: int

    @property
    def unsynced_most(self) -> int:
        """Answers that may have come without being durable: one block is being written, the next one collects."""
        return 2 * self.most_at_once


Cut = Callable[[subprocess.Popen[str]], None]


class Counts(msgspec.Struct):
    """What the cuts of one job came to.

    Attributes:
        lost: calls that the endpoint took and that no journal knew after the last cut.
    """

    cuts: int = 0
    before_the_first_call: int = 0
    in_flight: int = 0
    lost: int = 0
    repeated: int = 0

    def __str__(self) -> str:
        return (
            f"{self.cuts} cuts ({self.before_the_first_call} of them before the first call of their run), "
            f"{self.in_flight} calls in flight at them, {self.repeated} calls repeated, {self.lost} not in the journal"
        )


def cut_and_finish(folder: Path, cuts: int, seed: int, cut: Cut) -> Counts:
    """Cut a job so many times, let it finish, and check everything.

    Args:
        folder: where the job runs; its `data` is what the cut acts on.
        cuts: how many.
        seed: decides the moments.
        cut: ends the process, and whatever else.
    """
    rng, counts = random.Random(seed), Counts()
    items = 60 * cuts + 200
    space = {**SPEC["space"], "limit": None, "draws": -(-items // 1200)}
    spec = write_spec(folder, space={**space, "limit": items}, limits={"concurrency": WIDTH})
    with simulated("--latency", "0.05", "--latency-spread", "0.5", "--text-chars", "400") as base_url:
        while counts.cuts < cuts:
            _run_until_cut(folder, spec, base_url, rng, cut, counts)
        counts.lost = stats(base_url)["admitted"] - journaled(folder).answers
        done = command("run", spec, "--json", "--quiet", "--concurrency", "100", folder=folder, base_url=base_url)
        ledger = stats(base_url)
    assert done.returncode == 0, done.stderr
    counts.repeated = ledger["admitted"] - ledger["prompts_seen"]
    assert ledger["prompts_seen"] == items
    assert counts.repeated == counts.lost, f"what is in the journal was paid again: {counts} with seed {seed}"
    unsynced = counts.cuts * journaled(folder).unsynced_most
    assert counts.repeated <= counts.in_flight + unsynced, f"{counts}, {unsynced} unsynced at most, with seed {seed}"
    check_files(folder, items)
    return counts


def _run_until_cut(folder: Path, spec: Path, base_url: str, rng: random.Random, cut: Cut, counts: Counts) -> None:
    """Start the run, stop it at some moment, ask the endpoint what was out, and cut it."""
    admitted = stats(base_url)["admitted"]
    process = started("run", spec, "--json", folder=folder, base_url=base_url)
    assert process.stderr is not None
    if rng.random() < 0.8:
        for line in process.stderr:
            if "job_started" in line:
                break
        time.sleep(rng.uniform(0.0, 0.3))
    else:
        time.sleep(rng.uniform(0.2, 1.5))
    process.send_signal(signal.SIGSTOP)
    ledger = stats(base_url)
    cut(process)
    process.communicate()
    counts.cuts += 1
    counts.in_flight += ledger["in_flight"]
    counts.before_the_first_call += ledger["admitted"] == admitted


def journaled(folder: Path, job: str = "job") -> Journaled:
    """Read a job's journal as a recovery does."""
    path = folder / "data" / "jobs" / job / "journal"
    blocks = Reader(Disk(), path).blocks() if path.exists() else ()
    answers = [sum(isinstance(decode_record(line), Paid) for line in block.lines) for block in blocks]
    return Journaled(sum(answers), max(answers, default=0))


def kill(process: subprocess.Popen[str]) -> None:
    """Kill -9."""
    process.send_signal(signal.SIGKILL)


def check_files(folder: Path, items: int, job_id: str = "job", name: str = "job") -> None:
    """Every item once, in files that are what the manifest says, each line whole."""
    job = folder / "data" / "jobs" / job_id
    ids = [line["id"].rsplit(":row", 1)[0] for place in ("corpus", "rejects") for line in lines(folder, place, job_id)]
    assert sorted(ids) == sorted(f"{name}:{index}" for index in range(items)), "an item is lost or doubled"
    for commit in read_commits(Disk(), job / "manifest"):
        for place, shard in commit.shards():
            assert (job / place / shard.name).stat().st_size == shard.bytes
    fsck = command("fsck", job_id, folder=folder)
    assert fsck.returncode == 0, fsck.stdout + fsck.stderr


class LoopMount:
    """An ext4 of its own in a file, whose power can be cut."""

    def __init__(self, image: Path, place: Path) -> None:
        self._image, self.place = image, place

    def mount(self) -> None:
        """Mount it, which replays the file system's own journal."""
        _quietly("mount", "-o", "loop", self._image, self.place)

    def unmount(self) -> None:
        """Unmount it; what was not on the disk after a cut is gone then."""
        _quietly("umount", self.place)

    def cut_power(self, process: subprocess.Popen[str]) -> None:
        """Shut the file system down as it is, kill the process, and mount the file system again."""
        self.shut_down()
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.unmount()
        self.mount()

    def shut_down(self) -> None:
        """Let every further write and sync of the file system fail with EIO, and drop what was not synced."""
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(descriptor)


@contextmanager
def loop_mount(folder: Path) -> Iterator[LoopMount]:
    """Give a small ext4 on a loop device.

    Raises:
        OSError: this machine does not allow it; the message says why.
    """
    if os.geteuid() != 0:
        raise PermissionError("mounting needs root")
    image, place = folder / "image", folder / "data"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    _quietly("mkfs.ext4", "-q", "-F", image)
    mount = LoopMount(image, place)
    mount.mount()
    try:
        yield mount
    finally:
        if place.is_mount():
            _quietly("umount", "--lazy", place)


def _quietly(*arguments: str | Path) -> None:
    """Run a command of the system; OSError where it is missing or fails."""
    done = subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise OSError(done.returncode, f"{arguments[0]}: {done.stderr.strip()}")


def main() -> None:
    """Cut, and print the counts."""
    parser = argparse.ArgumentParser(description="Kill a real run, and cut its disk's power, at seeded moments.")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--power-cuts", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="corpusmill-cuts-") as name:
        folder = Path(name) / "kill"
        folder.mkdir()
        print(f"kill -9: {cut_and_finish(folder, options.kills, options.seed, kill)}")  # noqa: T201 - output
        folder = Path(name) / "power"
        folder.mkdir()
        try:
            with loop_mount(folder) as mount:
                counts = cut_and_finish(folder, options.power_cuts, options.seed, mount.cut_power)
        except OSError as error:
            print(f"power cuts of a real ext4: skipped, {error}")  # noqa: T201 - output
            return
        print(f"power cuts of a real ext4: {counts}")  # noqa: T201 - output


if __name__ == "__main__":
    main()
