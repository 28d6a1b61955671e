"""Every way in which the little job's disk may stop or refuse, as scenarios that one seed and one place replay.

`python -m tests.sim.crashes` (`make crash`) runs them by the thousand and prints their counts; a failure prints the
command that runs it alone. `tests/journal/test_crashes.py` runs a few seeds of each.
"""

import argparse
import errno
import itertools
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

import msgspec

from corpusmill.journal.errors import BrokenDiskError, CorruptionError
from tests.sim.disk import Crash, SimDisk
from tests.sim.job import FOLDER, Driver, check_corpus

ROT_ITEMS = 8


class Case(msgspec.Struct, frozen=True):
    """One run: which scenario, with which seed, and at which operation or byte it strikes (0: the seed says)."""

    scenario: str
    seed: int
    at: int = 0

    def __str__(self) -> str:
        return f"{self.scenario}:{self.seed}:{self.at}"


def operations_of(seed: int) -> int:
    """How many operations an undisturbed run takes; it is checked as well."""
    rng = random.Random(seed)
    disk, driver = SimDisk(rng), Driver(rng)
    driver.run(disk)
    check_corpus(disk, driver)
    return disk.operations


def crash(kind: str, seed: int, at: int) -> None:
    """The machine stops once, at one operation; the next run ends the job."""
    rng = random.Random(seed * 100_003 + at)
    disk, driver = SimDisk(rng, crash_at=at), Driver(rng)
    try:
        driver.run(disk)
    except Crash:
        disk = stopped(disk, kind)
        driver.run(disk)
    check_corpus(disk, driver)


def stacked(seed: int, crashes: int = 5) -> None:
    """The machine stops again and again, soon after each start: inside the recovery from the stop before."""
    rng = random.Random(1_000_000 + seed)
    disk, driver = SimDisk(rng, crash_at=rng.randrange(1, 200)), Driver(rng)
    for crashed in itertools.count():
        try:
            driver.run(disk)
            break
        except Crash:
            plan = {"crash_at": rng.randrange(1, 40)} if crashed < crashes else {}
            disk = stopped(disk, rng.choice(["kill", "power"]), **plan)
    check_corpus(disk, driver)


def refusal(error: int, persistent: bool, seed: int, at: int) -> None:
    """The disk refuses one operation, or all from there on; then the machine stops and comes back with a sound disk."""
    rng = random.Random(seed * 100_003 + at)
    disk, driver = SimDisk(rng, fail_at=at, error=error, persistent=persistent), Driver(rng)
    try:
        driver.run(disk)
    except (OSError, BrokenDiskError):
        disk = stopped(disk, rng.choice(["kill", "power"]))
        driver.run(disk)
    check_corpus(disk, driver)


def refusal_then_power(seed: int, at: int) -> None:
    """The disk refuses one operation, the job goes on or not, and soon the power fails: was the refusal believed?"""
    rng = random.Random(seed * 100_003 + at)
    disk, driver = SimDisk(rng, fail_at=at, crash_at=at + rng.randrange(1, 30)), Driver(rng)
    try:
        driver.run(disk)
    except (Crash, OSError, BrokenDiskError):
        disk = stopped(disk, "power")
        driver.run(disk)
    check_corpus(disk, driver)


def rot(seed: int, at: int) -> str:
    """One bit of the journal flips; return what became of it: `told` as rot, or `torn`, taken for an unacked tail."""
    disk, driver = rot_job(seed)
    path, byte = rot_places(disk)[at]
    disk.flip_bit(FOLDER / "journal" / path, byte, byte % 8)
    try:
        again = Driver(driver.rng).open(disk)
    except CorruptionError:
        return "told"
    missing = [index for index in range(ROT_ITEMS) if index not in again.done]
    assert missing in ([], [ROT_ITEMS - 1]), f"{path} byte {byte}: items {missing} vanished silently"
    return "torn"


def rot_job(seed: int) -> tuple[SimDisk, Driver]:
    """A job that stopped before its first commit, so that all it knows is in its journal."""
    rng = random.Random(seed)
    disk, driver = SimDisk(rng), Driver(rng, shard_records=1000)
    store = driver.open(disk)
    for index in range(ROT_ITEMS):
        driver.commit(store, list(driver.entries(index)))
    store.close()
    return disk, driver


def rot_places(disk: SimDisk) -> list[tuple[str, int]]:
    """Every third byte of every segment."""
    folder = FOLDER / "journal"
    return [(name, byte) for name in disk.names(folder) for byte in range(0, len(disk.read(folder / name)), 3)]


def stopped(disk: SimDisk, kind: str, **plan: int) -> SimDisk:
    """The disk as the next process, or the next boot, finds it."""
    return disk.after_kill(**plan) if kind == "kill" else disk.after_power_cut(**plan)


def engine(seed: int) -> None:
    """The whole engine in virtual time, with faults of the endpoint, crashing up to four times."""
    from tests.engine import test_budget_through_crashes as budget  # noqa: PLC0415 - heavy, and only here
    from tests.engine import test_simulation as simulation  # noqa: PLC0415 - as above

    budget.spend_through_crashes(seed)
    simulation.test_crashes_lose_no_item_and_pay_again_only_what_was_out(seed)
    simulation.test_a_budget_holds_through_crashes(seed)


SCENARIOS: dict[str, Callable[[int, int], object]] = {
    "kill": lambda seed, at: crash("kill", seed, at),
    "power": lambda seed, at: crash("power", seed, at),
    "stacked": lambda seed, _: stacked(seed),
    "eio-once": lambda seed, at: refusal(errno.EIO, False, seed, at),
    "eio-persistent": lambda seed, at: refusal(errno.EIO, True, seed, at),
    "enospc-once": lambda seed, at: refusal(errno.ENOSPC, False, seed, at),
    "enospc-persistent": lambda seed, at: refusal(errno.ENOSPC, True, seed, at),
    "eio-then-power": refusal_then_power,
    "rot": rot,
    "engine": lambda seed, _: engine(seed),
}

SEEDS = {"kill": 40, "power": 80, "stacked": 4000, "eio-then-power": 20, "rot": 2, "engine": 60}
"""Seeds of each scenario in a full round; 8 of those not named. One seed of a scenario strikes everywhere in turn."""


def cases_of(scenario: str, seed: int) -> Iterator[Case]:
    """Every place at which one seed of a scenario strikes."""
    if scenario in {"stacked", "engine"}:
        yield Case(scenario, seed)
    elif scenario == "rot":
        yield from (Case(scenario, seed, at) for at in range(len(rot_places(rot_job(seed)[0]))))
    else:
        yield from (Case(scenario, seed, at) for at in range(1, operations_of(seed) + 1))


def run_case(case: Case) -> str | None:
    """Run one; return what went wrong, None where nothing did."""
    try:
        SCENARIOS[case.scenario](case.seed, case.at)
    except Exception:  # noqa: BLE001 - the outermost guard: whatever goes wrong is this case's failure
        return f"{case}\n{traceback.format_exc(limit=-2, chain=False)}"
    return None


def run_seed(scenario: str, seed: int) -> tuple[str, int, list[str]]:
    """Run all cases of one seed; return how many there were, and what went wrong."""
    failures = [(case, run_case(case)) for case in cases_of(scenario, seed)]
    return scenario, len(failures), [failure for _, failure in failures if failure]


def run_all(scale: float, wanted: list[str], workers: int | None, most_failures: int) -> int:
    """Run so many times the usual seeds of the scenarios, print the counts, and return how many failed."""
    began = time.monotonic()
    runs, failures = dict.fromkeys(wanted, 0), list[str]()
    with ProcessPoolExecutor(workers) as pool:
        jobs = [
            pool.submit(run_seed, scenario, seed)
            for scenario in wanted
            for seed in range(max(round(SEEDS.get(scenario, 8) * scale), 1))
        ]
        for job in as_completed(jobs):
            scenario, count, failed = job.result()
            runs[scenario] += count
            failures += failed
            if len(failures) >= most_failures:
                pool.shutdown(cancel_futures=True)
                break
    for scenario, count in runs.items():
        print(f"{scenario:<18} {count:>7,} runs")  # noqa: T201 - a command's output
    for failure in failures[:most_failures]:
        replay = failure.split("\n", 1)[0]
        print(f"\nFAILED {failure}replay: python -m tests.sim.crashes --replay {replay}")  # noqa: T201 - as above
    seconds = time.monotonic() - began
    print(f"{sum(runs.values()):,} runs in {seconds:.0f} s, {len(failures)} failures")  # noqa: T201 - as above
    return len(failures)


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description="Crash the journal on a simulated disk, by the thousand.")
    parser.add_argument("--scale", type=float, default=1.0, help="times the usual number of seeds")
    parser.add_argument("--only", nargs="*", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--workers", type=int, help="processes; by default as many as there are processors")
    parser.add_argument("--failures", type=int, default=5, help="end at so many")
    parser.add_argument("--replay", metavar="SCENARIO:SEED:AT", help="run one case alone")
    options = parser.parse_args()
    if options.replay:
        scenario, seed, at = options.replay.split(":")
        SCENARIOS[scenario](int(seed), int(at))
        return
    sys.exit(run_all(options.scale, options.only, options.workers, options.failures) > 0)


if __name__ == "__main__":
    main()
