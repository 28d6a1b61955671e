"""The whole engine in virtual time: what must hold for every seed, whatever the endpoint and the disk do.

A failure names its seed; `make sim SEED=n` replays it alone.
"""

import asyncio
import errno
import os
import random
from collections import Counter

import pytest

from corpusmill.bootstrap.assembly import Assembly
from corpusmill.chain.completion import Choice
from corpusmill.endpoint.failures import FailureKind
from corpusmill.engine.engine import Engine
from corpusmill.jobs.summary import Summary
from corpusmill.telemetry.events import JobPaused, JobResumed
from tests.sim.world import ScriptedEndpoint, World, make_spec

ITEMS = 120
SEEDS = [int(os.environ["SEED"])] if "SEED" in os.environ else range(int(os.environ.get("SIM_SEEDS", "12")))
FAULTS = {
    FailureKind.RATE_LIMITED: 0.02,
    FailureKind.SERVER_ERROR: 0.05,
    FailureKind.CONNECT: 0.03,
    FailureKind.RESET: 0.05,
    FailureKind.TIMEOUT: 0.02,
    FailureKind.MALFORMED: 0.05,
    FailureKind.EMPTY_CHOICE: 0.03,
    FailureKind.BAD_REQUEST: 0.02,
}


def check_books(world: World, summary: Summary, items: int = ITEMS) -> None:
    """One line per item, ids unique, and a balance sheet that adds up."""
    corpus, rejects = world.lines("corpus"), world.lines("rejects")
    indexes = sorted(int(str(line["index"])) for line in corpus + rejects)
    assert len(indexes) == len(set(indexes)) == items
    ids = [line["id"] for line in corpus + rejects]
    assert len(ids) == len(set(ids))
    outcomes = summary.outcomes
    assert outcomes.total == items == summary.items
    assert outcomes.kept == len(corpus) == summary.records
    assert sum(summary.rejected_by.values()) == outcomes.rejected
    assert sum(summary.failed_by.values()) == outcomes.failed
    reasons = Counter(str(line["reason"]) for line in rejects)
    assert reasons == Counter(summary.rejected_by) + Counter(summary.failed_by) + Counter(duplicate=outcomes.duplicate)
    calls = summary.calls
    assert calls.sent == calls.answered + calls.rate_limited + calls.errors


@pytest.mark.parametrize("seed", SEEDS)
def test_every_item_has_one_outcome_whatever_the_endpoint_does(seed: int) -> None:
    rng = random.Random(seed)
    world = World(seed, make_spec(), ScriptedEndpoint(rng, faults=FAULTS))
    ended = world.run()
    assert ended is not None
    ending, summary = ended
    assert ending.state == "finished"
    check_books(world, summary)
    assert set(summary.failed_by) <= {"bad_request", "malformed", "empty_choice"}
    assert summary.calls.sent == world.endpoint.sent


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_speak_for_an_endpoint_that_refuses_some_items_before_their_price_is_known(seed: int) -> None:
    endpoint = ScriptedEndpoint(random.Random(seed), faults={FailureKind.BAD_REQUEST: 0.2})
    world = World(seed, make_spec(), endpoint, priced_after_seconds=60)
    ended = world.run()
    assert ended is not None
    assert ended[0].state == "finished", ended[0].reason
    check_books(world, ended[1])
    assert set(ended[1].failed_by) == {"bad_request"}
    assert ended[1].cost_usd is not None


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_seed_gives_the_same_bytes(seed: int) -> None:
    worlds = [World(seed, make_spec(), ScriptedEndpoint(random.Random(seed), faults=FAULTS)) for _ in range(2)]
    for world in worlds:
        world.run()
    assert worlds[0].lines("corpus") == worlds[1].lines("corpus")
    assert worlds[0].virtual_seconds == worlds[1].virtual_seconds


@pytest.mark.parametrize("seed", SEEDS)
def test_crashes_lose_no_item_and_pay_again_only_what_was_out(seed: int) -> None:
    rng = random.Random(seed)
    world = World(seed, make_spec(), ScriptedEndpoint(rng, faults={FailureKind.SERVER_ERROR: 0.05}))
    world.disk.crash_at = rng.randrange(5, 120)
    crashes = 0
    while (ended := world.run()) is None:
        crashes += 1
        world.crash()
        world.disk.crash_at = rng.randrange(5, 120) if crashes < 4 else 0
    check_books(world, ended[1])
    paid_again = sum(world.endpoint.answered.values()) - len(world.endpoint.answered)
    assert paid_again <= world.lost_most
    assert ended[1].calls.answered == len(world.endpoint.answered)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_budget_of_calls_is_never_exceeded(seed: int) -> None:
    rng = random.Random(seed)
    spec = make_spec(budget={"calls": 57})
    world = World(seed, spec, ScriptedEndpoint(rng, faults={FailureKind.SERVER_ERROR: 0.2}))
    ended = world.run()
    assert ended is not None
    assert ended[0].state == "exhausted"
    assert world.endpoint.sent == 57
    more = World.run(world)
    assert more is not None
    assert more[0].state == "exhausted"
    assert world.endpoint.sent == 57


@pytest.mark.parametrize("seed", SEEDS)
def test_a_budget_of_dollars_is_never_exceeded_by_the_endpoints_own_bill(seed: int) -> None:
    rng = random.Random(seed)
    spec = make_spec(budget={"usd": 0.02})
    world = World(seed, spec, ScriptedEndpoint(rng, faults={FailureKind.TIMEOUT: 0.1}))
    ended = world.run()
    assert ended is not None
    assert ended[0].state == "exhausted"
    assert 0.4 * 10**10 < world.endpoint.billed_picodollars <= 2 * 10**10


@pytest.mark.parametrize("seed", SEEDS)
def test_a_budget_holds_through_crashes(seed: int) -> None:
    rng = random.Random(seed)
    spec = make_spec(budget={"calls": 80, "usd": 0.02})
    world = World(seed, spec, ScriptedEndpoint(rng, faults={FailureKind.SERVER_ERROR: 0.1}))
    world.disk.crash_at = rng.randrange(20, 120)
    crashes = 0
    while (ended := world.run()) is None:
        crashes += 1
        world.crash()
        world.disk.crash_at = rng.randrange(5, 120) if crashes < 3 else 0
    assert world.endpoint.sent <= 80
    assert world.endpoint.billed_picodollars <= 2 * 10**10
    assert ended[0].state == "exhausted"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_target_is_met_exactly(seed: int) -> None:
    def sometimes(prompt: str) -> Choice:
        good = sum(prompt.encode()) % 10 < 7
        return Choice(f"A fine answer to {prompt}" if good else "short", "stop")

    rng = random.Random(seed)
    world = World(seed, make_spec(target={"kept": 50}), ScriptedEndpoint(rng, text=sometimes))
    ended = world.run()
    assert ended is not None
    ending, summary = ended
    assert ending.state == "finished"
    assert summary.outcomes.kept == 50
    check_books(world, summary, items=summary.outcomes.total)
    assert summary.rejected_by.get("surplus", 0) <= 10
    assert world.endpoint.sent < ITEMS


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drain_keeps_every_answer_that_was_paid_for(seed: int) -> None:
    async def drain_soon(assembly: Assembly, engine: Engine) -> None:
        await asyncio.sleep(3)
        assembly.halt.stop("interrupted", "test")

    rng = random.Random(seed)
    world = World(seed, make_spec(), ScriptedEndpoint(rng, faults=FAULTS))
    ended = world.run(drain_soon)
    assert ended is not None
    assert ended[0].state == "interrupted"
    assert ended[1].calls.answered == sum(world.endpoint.answered.values())
    assert world.endpoint.in_flight == 0
    again = world.run()
    assert again is not None
    check_books(world, again[1])
    assert max(world.endpoint.answered.values()) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_full_disk_pauses_and_goes_on_by_itself(seed: int) -> None:
    async def fill_and_empty(assembly: Assembly, engine: Engine) -> None:
        await asyncio.sleep(2)
        world.disk.fail_at, world.disk.error, world.disk.persistent = 1, errno.ENOSPC, True
        world.disk.free = 0
        await asyncio.sleep(100)
        sent_in_pause.append(world.endpoint.sent)
        await asyncio.sleep(100)
        sent_in_pause.append(world.endpoint.sent)
        world.disk.fail_at, world.disk.free = 0, 1 << 30

    sent_in_pause: list[int] = []
    world = World(seed, make_spec())
    ended = world.run(fill_and_empty)
    assert ended is not None
    check_books(world, ended[1])
    assert sent_in_pause[0] == sent_in_pause[1], "calls were issued although nothing could be saved"
    assert any(isinstance(event, JobPaused) for event in world.events)
    assert any(isinstance(event, JobResumed) for event in world.events)
    assert max(world.endpoint.answered.values()) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_an_outage_of_a_minute_loses_no_item(seed: int) -> None:
    world = World(seed, make_spec(), ScriptedEndpoint(random.Random(seed), down=(2.0, 62.0)))
    ended = world.run()
    assert ended is not None
    check_books(world, ended[1])
    assert ended[1].outcomes.failed == 0
    assert ended[1].calls.errors <= 30 + 16
    pauses = [event for event in world.events if isinstance(event, JobPaused | JobResumed)]
    assert [type(event) for event in pauses] == [JobPaused, JobResumed], "it is told, and told when it is over"


@pytest.mark.parametrize("kind", [FailureKind.UNAUTHORIZED, FailureKind.QUOTA_EXHAUSTED, FailureKind.MODEL_NOT_FOUND])
def test_what_no_call_can_mend_stops_the_job_after_a_handful_of_calls(kind: FailureKind) -> None:
    spec = make_spec(limits={"concurrency": 500})
    world = World(1, spec, ScriptedEndpoint(random.Random(1), faults={kind: 1.0}))
    ended = world.run()
    assert ended is not None
    ending, summary = ended
    assert ending.state == "failed"
    assert kind.value in ending.reason
    assert world.endpoint.sent <= 5
    assert summary.outcomes.total == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_two_steps_and_attempts_survive_crashes(seed: int) -> None:
    def answer(prompt: str) -> Choice:
        grade = prompt.startswith("grade")
        return Choice(("good" if sum(prompt.encode()) % 3 else "bad") if grade else f"plot of {prompt}", "stop")

    rng = random.Random(seed)
    spec = make_spec(
        steps=[
            {"name": "plot", "prompt": "{{ nonce }} {{ genre }} {{ place }} {{ n }}"},
            {"name": "grade", "prompt": "grade {{ plot }} {{ nonce }}", "attempts": 3},
        ],
        filters=[{"of": "grade", "matching": "good"}],
    )
    world = World(seed, spec, ScriptedEndpoint(rng, text=answer))
    world.disk.crash_at = rng.randrange(10, 200)
    crashes = 0
    while (ended := world.run()) is None:
        crashes += 1
        world.crash()
        world.disk.crash_at = rng.randrange(5, 100) if crashes < 3 else 0
    check_books(world, ended[1])
    paid_again = sum(world.endpoint.answered.values()) - len(world.endpoint.answered)
    assert paid_again <= world.lost_most
    assert ended[1].outcomes.kept > 100
