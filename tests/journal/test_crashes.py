"""Nothing acknowledged is lost, nothing is doubled: the job store on a disk that crashes at every single operation.

Goal: after any crash, and any crash inside the recovery from a crash, the store knows every acknowledged completion and
decision, and in the end every item has exactly one line in exactly one committed shard. Method: a small job is written
with the machine stopping at operation 1, 2, 3, ... by kill or power cut; the driver keeps its own books of what was
acknowledged. `make crash` runs the same scenarios by the thousand; a failure names the case that replays it.
"""

import os

import pytest

from tests.sim.crashes import cases_of, rot, run_case

SEEDS = int(os.environ.get("CRASH_SEEDS", "4"))


def failures(scenario: str, seed: int) -> list[str]:
    return [failure for case in cases_of(scenario, seed) if (failure := run_case(case))]


@pytest.mark.parametrize("kind", ["kill", "power"])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_crash_at_any_operation_loses_and_doubles_nothing(seed: int, kind: str) -> None:
    assert not failures(kind, seed)


@pytest.mark.parametrize("seed", range(SEEDS * 60))
def test_crashes_inside_recoveries_lose_and_double_nothing(seed: int) -> None:
    assert not failures("stacked", seed)


@pytest.mark.parametrize("error", ["eio", "enospc"])
@pytest.mark.parametrize("how", ["once", "persistent"])
def test_a_disk_that_refuses_any_operation_loses_nothing_acknowledged(error: str, how: str) -> None:
    assert not failures(f"{error}-{how}", 7)


def test_a_flipped_bit_in_the_journal_is_never_silent() -> None:
    """Rot in the last block is a torn tail (its items are paid again); anywhere else it is told."""
    fates = [rot(case.seed, case.at) for case in cases_of("rot", 5)]
    assert fates.count("told") > fates.count("torn") > 0
