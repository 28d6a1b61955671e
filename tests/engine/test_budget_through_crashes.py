"""A budget through crashes, by the endpoint's own books: what a restarted job takes for spent is never less than what
was spent, and not more than what was out and a hundredth of the budget above it."""

import os
import random

import pytest

from corpusmill.bootstrap.assembly import Assembly
from corpusmill.endpoint.failures import FailureKind
from corpusmill.engine.budget import GRANTS, Price
from tests.sim.world import FOLDER, PRICES, ScriptedEndpoint, World, make_spec

SEEDS = [int(os.environ["SEED"])] if "SEED" in os.environ else range(int(os.environ.get("SIM_SEEDS", "12")))
CALLS, USD = 300, 0.05
WIDTH = 16
WORST_PICODOLLARS = 200 * 8_000_000 + 400 * 2_000_000
"""The most that a call of the job can be reserved at: 200 tokens out, and a prompt of well under 400 bytes."""


class BudgetWorld(World):
    """A world that remembers what its crashes forfeited so far."""

    forfeited = 0
    forfeited_picodollars = 0
    crashes = 0


def taken_for_spent(world: World) -> Price:
    """What the next run will count as spent."""
    assembly = Assembly(world.spec, FOLDER, world.disk, lambda: "2026-01-01T00:00:00.000Z")
    assembly.store.close()
    return assembly._budget().spent


def crash_and_check(world: BudgetWorld) -> None:
    """Crash, and compare the books."""
    world.crash()
    spent, endpoint = taken_for_spent(world), world.endpoint
    assert spent.calls >= endpoint.sent, "calls were sent that no durable grant covered"
    assert spent.picodollars >= endpoint.billed_picodollars, "money was spent that no durable grant covered"
    world.forfeited = spent.calls - endpoint.sent
    world.forfeited_picodollars = spent.picodollars - endpoint.billed_picodollars
    world.crashes += 1
    assert world.forfeited <= world.crashes * (WIDTH + CALLS // GRANTS)
    assert world.forfeited_picodollars <= world.crashes * (WIDTH * WORST_PICODOLLARS + USD * 10**12 / GRANTS)


def spend_through_crashes(seed: int, crashes: int = 4) -> None:
    """Run a job with both budgets, crash it a few times, and check the books after each crash and in the end."""
    rng = random.Random(seed)
    spec = make_spec(
        budget={"calls": CALLS, "usd": USD}, space={"axes": {"genre": ["a"], "place": ["b"], "n": list(range(400))}}
    )
    world = BudgetWorld(seed, spec, ScriptedEndpoint(rng, faults={FailureKind.RATE_LIMITED: 0.02}))
    world.disk.crash_at = rng.randrange(5, 100)
    while (ended := world.run()) is None:
        crash_and_check(world)
        world.disk.crash_at = rng.randrange(5, 100) if world.crashes < crashes else 0
    assert ended[0].state == "exhausted"
    assert world.endpoint.sent <= CALLS
    assert world.endpoint.billed_picodollars <= USD * 10**12
    wasted = world.forfeited + WIDTH, world.forfeited_picodollars + WIDTH * WORST_PICODOLLARS
    calls_left = CALLS - world.endpoint.sent - wasted[0]
    picodollars_left = USD * 10**12 - world.endpoint.billed_picodollars - wasted[1]
    assert min(calls_left, picodollars_left) <= 0, "the job stopped although more could have been spent"


@pytest.mark.parametrize("seed", SEEDS)
def test_grants_cover_what_was_spent_whatever_crashes(seed: int) -> None:
    spend_through_crashes(seed)


def test_the_worst_case_of_a_call_is_what_this_file_says() -> None:
    assert PRICES.output * 200 + PRICES.input * 400 == WORST_PICODOLLARS
