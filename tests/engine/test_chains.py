"""Chains in virtual time: a branch, fan-out, a fold, a list topped up, a dialogue, a judge, through crashes and drains.

Answers are a function of their prompts, so whatever happens on the way, every item must end as it does undisturbed.
"""

import asyncio
import functools
import random
import zlib

import pytest

from corpusmill.bootstrap.assembly import Assembly
from corpusmill.chain.completion import Choice
from corpusmill.endpoint.client import Answer, CallRequest
from corpusmill.endpoint.failures import Failure, FailureKind
from corpusmill.engine.engine import Engine
from corpusmill.spec.schema import JobSpec
from tests.engine.test_simulation import SEEDS
from tests.sim.world import ScriptedEndpoint, World, make_spec

ITEMS = 36
STEPS: list[dict[str, object]] = [
    {"name": "any", "prompt": "any {{ nonce }} {{ rejected }}", "parse": "yes_no", "attempts": 2},
    {"name": "found", "prompt": "list {{ nonce }}", "parse": "list", "when": "any", "otherwise": ["nothing"]},
    {"name": "part", "prompt": "part {{ nonce }} {{ element }}", "each": "found", "attempts": 2},
    {"name": "state", "prompt": "state {{ nonce }} {{ previous }} {{ element }}", "fold": "part"},
    {
        "name": "asked", "prompt": "list {{ nonce }} not {{ so_far | join }}", "parse": "list", "when": "any",
        "top_up": {"items": 4, "calls": 3}, "otherwise": [],
    },
    {
        "name": "talk", "prompt": "talk {{ nonce }} {{ state | last }} {{ history[-1].text if history else '' }}",
        "rounds": {"turns": 3, "speakers": [{"name": "A"}, {"name": "B"}], "until": "'5' in history[-1].text"},
    },
    {"name": "grade", "prompt": "grade {{ nonce }} {{ talk }}", "parse": "number", "attempts": 3, "back_to": "found"},
]  # fmt: skip


def chained(**changes: object) -> JobSpec:
    return make_spec(
        space={"axes": {"genre": ["noir", "western"], "place": ["here", "there"], "n": list(range(9))}},
        steps=STEPS,
        filters=[
            {"of": "any", "not_matching": "maybe"},
            {"of": "part", "not_matching": "[01]$"},
            {"of": "grade", "matching": "GRADE: [3-9]"},
        ],
        dedup=None,
        examples=[
            {"name": "row", "prompt": "{{ found }} {{ part }}", "completion": " {{ state }} {{ asked }} {{ talk }}"},
            {"name": "grade", "prompt": "{{ any }}", "completion": "{{ grade }} {{ nonce }}"},
        ],
        shards={"records": 20},
        **changes,
    )


def answer(prompt: str) -> Choice:
    """What the endpoint says to a prompt: always the same."""
    chance = random.Random(zlib.crc32(prompt.encode()))
    match prompt.partition(" ")[0]:
        case "any":
            text = chance.choice(["Yes.", "No.", "maybe"])
        case "list":
            text = "\n".join(f"- thing {chance.randrange(9)}" for _ in range(chance.randrange(1, 5)))
        case "grade":
            text = f"GRADE: {chance.randrange(1, 6)}"
        case _:
            text = f"{prompt[:4]} {chance.randrange(10)}"
    return Choice(text, "stop")


def by_id(world: World) -> dict[object, object]:
    return {line["id"]: line for line in world.lines("corpus") + world.lines("rejects")}


@functools.cache
def undisturbed() -> dict[object, object]:
    world = World(0, chained(), ScriptedEndpoint(random.Random(0), text=answer))
    ended = world.run()
    assert ended is not None
    outcomes = ended[1].outcomes
    assert outcomes.kept > 5
    assert outcomes.rejected > 5
    assert outcomes.failed == 0
    return by_id(world)


@pytest.mark.parametrize("seed", SEEDS)
def test_crashes_change_no_line_and_pay_again_only_what_was_out(seed: int) -> None:
    rng = random.Random(seed)
    world = World(seed, chained(), ScriptedEndpoint(rng, faults={FailureKind.SERVER_ERROR: 0.05}, text=answer))
    world.disk.crash_at = rng.randrange(10, 150)
    crashes = 0
    while (ended := world.run()) is None:
        crashes += 1
        world.crash()
        world.disk.crash_at = rng.randrange(5, 150) if crashes < 5 else 0
    assert by_id(world) == undisturbed()
    assert ended[1].outcomes.total == ITEMS
    paid_again = sum(world.endpoint.answered.values()) - len(world.endpoint.answered)
    assert paid_again <= world.lost_most


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drain_in_the_middle_of_a_fan_out_keeps_every_answer(seed: int) -> None:
    async def drain_soon(assembly: Assembly, engine: Engine) -> None:
        await asyncio.sleep(random.Random(seed).uniform(1, 12))
        assembly.halt.stop("interrupted", "test")

    world = World(seed, chained(), ScriptedEndpoint(random.Random(seed), text=answer))
    ended = world.run(drain_soon)
    assert ended is not None
    assert ended[0].state == "interrupted"
    assert ended[1].calls.answered == sum(world.endpoint.answered.values())
    assert world.endpoint.in_flight == 0
    assert world.run() is not None
    assert by_id(world) == undisturbed()
    assert max(world.endpoint.answered.values()) == 1, "nothing was asked for twice"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_budget_holds_where_one_item_has_many_calls_out(seed: int) -> None:
    spec = chained(budget={"calls": 97})
    world = World(seed, spec, ScriptedEndpoint(random.Random(seed), text=answer))
    ended = world.run()
    assert ended is not None
    assert ended[0].state == "exhausted"
    assert world.endpoint.sent == 97


@pytest.mark.parametrize("seed", SEEDS)
def test_every_item_of_a_chain_has_one_outcome_whatever_the_endpoint_does(seed: int) -> None:
    faults = {FailureKind.RATE_LIMITED: 0.02, FailureKind.RESET: 0.05, FailureKind.BAD_REQUEST: 0.01}
    world = World(seed, chained(), ScriptedEndpoint(random.Random(seed), faults=faults, text=answer))
    ended = world.run()
    assert ended is not None
    assert ended[1].outcomes.total == ITEMS
    assert set(ended[1].failed_by) <= {"bad_request"}


class Unstructured(ScriptedEndpoint):
    """Takes no `response_format`."""

    async def _answer(self, request: CallRequest, deadline_seconds: float) -> Answer | Failure:
        if "response_format" in request.parameters:
            return Failure(FailureKind.BAD_REQUEST, "response_format is not supported", 400)
        return await super()._answer(request, deadline_seconds)


def test_an_endpoint_that_takes_no_schema_is_asked_without_it() -> None:
    step = {"name": "plot", "prompt": "{{ nonce }}", "parse": "json", "schema": {"type": "object"}}
    spec = make_spec(steps=[step], filters=[], dedup=None)
    endpoint = Unstructured(random.Random(1), text=lambda _: Choice('{"a": 1}', "stop"))
    ended = World(1, spec, endpoint).run()
    assert ended is not None
    assert ended[1].outcomes.kept == 120
    assert ended[1].calls.errors <= 16, "those that were out when the first was refused"


def test_items_of_a_chain_wait_for_no_other_items() -> None:
    steps = [{"name": name, "prompt": f"{name} {{{{ nonce }}}}"} for name in ("one", "two", "three")]
    items = {"axes": {"genre": ["noir"], "place": ["here"], "n": list(range(600))}}
    spec = make_spec(
        space=items, steps=steps, filters=[], dedup=None, examples=[{"name": "r", "prompt": "", "completion": "x"}]
    )
    world = World(1, spec)
    assert world.run() is not None
    mean_seconds = 1.133  # of a log-normal latency with sigma 0.5
    ideal = 3 * 600 * mean_seconds / 16
    assert world.virtual_seconds < 1.1 * ideal, "a barrier after each step, or each 16 items, would cost twice as much"
