"""A real disk that is cut off, full or failing, under a real run. `make kill` does more of the same."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.e2e.cuts import LoopMount, check_files, cut_and_finish, journaled, kill, loop_mount
from tests.e2e.running import command, simulated, started, stats, write_spec

ITEMS = 1500
SPACE = {"axes": {"genre": ["noir"], "place": ["Peru"], "n": list(range(ITEMS))}}
Start = Callable[[Path, Path, str], subprocess.Popen[str]]
LATENCY = ("--latency", "0.05", "--text-chars", "300")


@pytest.fixture
def mount() -> Iterator[LoopMount]:
    """A small ext4 at `data` of a folder of its own, or the reason why this machine has none.

    It is no folder of pytest's: those of earlier runs are removed by later ones, which must not meet a mount.
    """
    with ExitStack() as entered:
        folder = Path(entered.enter_context(TemporaryDirectory(prefix="corpusmill-mount-")))
        try:
            place = entered.enter_context(loop_mount(folder))
        except OSError as error:
            pytest.skip(f"no file system on a loop device here: {error}")
        yield place


@pytest.fixture
def folder(mount: LoopMount) -> Path:
    """Where the job runs, with its data on the mount."""
    return mount.place.parent


@pytest.fixture
def running(mount: LoopMount) -> Iterator[Start]:
    """Starts a run that does not outlive the test, nor its file system."""
    processes: list[subprocess.Popen[str]] = []

    def start(spec: Path, folder: Path, base_url: str) -> subprocess.Popen[str]:
        processes.append(started("run", spec, "--json", folder=folder, base_url=base_url))
        return processes[-1]

    yield start
    for process in processes:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def until(true: Callable[[], bool], what: str) -> None:
    """Return when something has come about; fail if it does not within half a minute."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, f"{what} did not come about"


def test_kills_lose_no_item_and_repeat_only_what_was_out(tmp_path: Path) -> None:
    cut_and_finish(tmp_path, 3, 1, kill)


def test_power_cuts_of_a_real_file_system_do_no_more_than_kills(folder: Path, mount: LoopMount) -> None:
    cut_and_finish(folder, 3, 2, mount.cut_power)


def test_a_disk_that_runs_full_pauses_the_job_until_there_is_room(
    folder: Path, mount: LoopMount, running: Start
) -> None:
    spec = write_spec(folder, space=SPACE, limits={"concurrency": 10})
    ballast = mount.place / "ballast"
    with simulated(*LATENCY) as base_url:
        process = running(spec, folder, base_url)
        until(lambda: stats(base_url)["requests"] > 50, "50 requests")
        room = os.statvfs(mount.place)
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - (24 << 20))
        assert process.stderr is not None
        assert any("disk (nearly full)" in line for line in process.stderr), "the job did not say that it is paused"
        until(lambda: stats(base_url)["in_flight"] == 0, "an end of the calls that were out")
        assert stats(base_url)["requests"] < ITEMS
        ballast.unlink()
        _, told = process.communicate(timeout=60)
        ledger = stats(base_url)
    assert process.returncode == 0, told
    assert "job_resumed" in told
    assert ledger["admitted"] == ledger["prompts_seen"] == ITEMS
    check_files(folder, ITEMS)


def test_a_disk_that_fails_ends_the_job_with_exit_code_74_and_loses_nothing_acknowledged(
    folder: Path, mount: LoopMount, running: Start
) -> None:
    spec = write_spec(folder, space=SPACE, limits={"concurrency": 10})
    with simulated(*LATENCY) as base_url:
        process = running(spec, folder, base_url)
        until(lambda: stats(base_url)["requests"] > 100, "100 requests")
        process.send_signal(signal.SIGSTOP)
        before = stats(base_url)
        mount.shut_down()
        process.send_signal(signal.SIGCONT)
        _, told = process.communicate(timeout=30)
        issued_behind = stats(base_url)["admitted"] - before["admitted"]
        mount.unmount()
        mount.mount()
        again = command("run", spec, "--json", "--quiet", "--concurrency", "100", folder=folder, base_url=base_url)
        ledger = stats(base_url)
    assert process.returncode == 74, told
    assert "safe" in told
    assert "Traceback" not in told
    assert again.returncode == 0, again.stderr
    repeated = ledger["admitted"] - ledger["prompts_seen"]
    unsynced = journaled(folder).unsynced_most
    assert repeated <= before["in_flight"] + unsynced + issued_behind, "more than was out, unsynced or behind the cut"
    check_files(folder, ITEMS)
