"""The gate against models of real servers: what it has to reach, in a shortened run of the benchmark."""

import pytest

from benchmarks.limits.scenarios import SCENARIOS, Scenario, misses, run_row
from tests.sim.loop import run_sim

LONG = {"latency 30 s", "latency 75 s"}


@pytest.mark.parametrize("scenario", [row for row in SCENARIOS if row.name not in LONG], ids=lambda row: row.name)
def test_utilisation_refusals_and_shares(scenario: Scenario) -> None:
    assert not misses(scenario, run_sim(run_row(scenario, "corpusmill", seed=1, measured_seconds=60.0), seed=None))
