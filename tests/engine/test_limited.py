"""What the limiter makes of a whole job, in virtual time: pools, widths, quotas and daily limits."""

import asyncio
import random
from collections import Counter

import pytest

from corpusmill.bootstrap.assembly import Assembly
from corpusmill.endpoint.client import Answer, CallRequest
from corpusmill.endpoint.failures import Failure, FailureKind
from corpusmill.engine.engine import Engine
from corpusmill.telemetry.events import CallFailed, JobPaused, JobResumed
from tests.engine.test_simulation import check_books
from tests.sim.world import ScriptedEndpoint, World, make_spec

SEEDS = range(4)


class Refusing(ScriptedEndpoint):
    """Refuses every call for a while."""

    def __init__(self, rng: random.Random, kind: FailureKind, until: float, retry_after: float | None = None) -> None:
        super().__init__(rng)
        self._kind, self._until, self._retry_after = kind, until, retry_after
        self.refused = 0

    async def _answer(self, request: CallRequest, deadline_seconds: float) -> Answer | Failure:
        now = asyncio.get_running_loop().time()
        if now >= self._until:
            return await super()._answer(request, deadline_seconds)
        self.refused += 1
        asked = None if self._retry_after is None else self._until - now
        return Failure(self._kind, "not now", 429, asked)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_share_of_a_dead_replica_goes_to_the_others_and_comes_back(seed: int) -> None:
    rng = random.Random(seed)
    dead, alive = ScriptedEndpoint(rng, down=(4.0, 20.0)), ScriptedEndpoint(rng)
    world = World(seed, make_spec(space=numbers(2000)), dead, alive)
    ended = world.run()
    assert ended is not None
    check_books(world, ended[1], items=2000)
    assert ended[1].outcomes.failed == 0
    answered = Counter(dead.answered) + Counter(alive.answered)
    assert max(answered.values()) == 1
    assert sum(dead.answered.values()) > 100, "it took part before and after"
    assert sum(alive.answered.values()) > 800
    assert ended[1].calls.errors <= 30
    assert not [event for event in world.events if isinstance(event, JobPaused)], "the job never stood still"


def numbers(count: int) -> dict[str, object]:
    return {"axes": {"genre": ["noir"], "place": ["here"], "n": list(range(count))}}


def test_a_job_waits_for_its_quota_if_it_is_told_to_and_asks_once_a_minute() -> None:
    endpoint = Refusing(random.Random(1), FailureKind.QUOTA_EXHAUSTED, until=600.0)
    world = World(1, make_spec(limits={"concurrency": 16, "on_quota": "pause"}), endpoint)
    ended = world.run()
    assert ended is not None
    check_books(world, ended[1])
    assert ended[0].state == "finished"
    assert ended[1].outcomes.failed == 0
    assert 8 <= endpoint.refused <= 30
    assert world.virtual_seconds < 800
    paused, resumed = [event for event in world.events if isinstance(event, JobPaused | JobResumed)]
    assert isinstance(paused, JobPaused)
    assert "quota" in paused.cause
    assert isinstance(resumed, JobResumed)
    assert resumed.paused_seconds == pytest.approx(600, rel=0.15)


def test_a_daily_limit_pauses_the_job_until_its_reset_and_says_until_when() -> None:
    hours = 5 * 3600.0
    endpoint = Refusing(random.Random(1), FailureKind.RATE_LIMITED, until=hours, retry_after=hours)
    world = World(1, make_spec(), endpoint)
    ended = world.run()
    assert ended is not None
    check_books(world, ended[1])
    assert endpoint.refused <= 2
    assert hours <= world.virtual_seconds < hours + 120
    (paused, resumed) = [event for event in world.events if isinstance(event, JobPaused | JobResumed)]
    assert isinstance(paused, JobPaused)
    assert paused.cause.startswith("daily limit")
    assert paused.seconds == pytest.approx(hours, rel=0.01)
    assert isinstance(resumed, JobResumed)


def test_the_width_grows_to_what_pays_where_none_is_set() -> None:
    spec = make_spec(space=numbers(3000), limits={})
    world = World(1, spec)
    ended = world.run()
    assert ended is not None
    check_books(world, ended[1], items=3000)
    assert 300 < world.endpoint.in_flight_most <= 10_000, "an endpoint that bears anything is used"
    assert world.virtual_seconds < 60


def test_the_width_is_what_was_set() -> None:
    world = World(1, make_spec(limits={"concurrency": 7}))
    assert world.run() is not None
    assert world.endpoint.in_flight_most == 7


def test_where_rates_are_known_there_are_workers_enough_for_them() -> None:
    spec = make_spec(space=numbers(3000), limits={"requests_per_minute": 6000})
    world = World(1, spec)
    workers: list[int] = []

    async def look(assembly: Assembly, engine: Engine) -> None:
        while True:
            await asyncio.sleep(1.0)
            workers.append(len(engine._workers))

    assert world.run(look) is not None
    assert world.virtual_seconds == pytest.approx(30, rel=0.2)
    assert max(workers) < 600, "about those in flight and a few more"


def test_a_server_that_says_slow_down_gets_half_and_no_item_is_lost() -> None:
    endpoint = Refusing(random.Random(1), FailureKind.SLOW_DOWN, until=1.0)
    world = World(1, make_spec(limits={"requests_per_minute": 600}), endpoint)
    ended = world.run()
    assert ended is not None
    check_books(world, ended[1])
    assert ended[1].outcomes.failed == 0
    failures = [event for event in world.events if isinstance(event, CallFailed)]
    assert {event.kind for event in failures} == {"slow_down"}
    assert world.virtual_seconds > 120 / (600 / 60) * 1.8, "half the rate, from then on"


class Straggling(ScriptedEndpoint):
    """Answers quickly, but for one prompt in a hundred whose first call takes half a minute."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.seen: Counter[str] = Counter()

    async def _answer(self, request: CallRequest, deadline_seconds: float) -> Answer | Failure:
        self.seen[request.prompt.text] += 1
        if int(request.prompt.text.rsplit(" ", 1)[1]) % 100 == 0 and self.seen[request.prompt.text] == 1:
            await asyncio.sleep(25.0)
        return await super()._answer(request, deadline_seconds)


def straggling(*, hedge: bool, **changes: object) -> World:
    limits = {"concurrency": 64, "hedge": hedge}
    spec = make_spec(space=numbers(1000), limits=limits, **changes)
    return World(3, spec, Straggling(random.Random(3)))


@pytest.mark.parametrize("budget", [{}, {"calls": 1300}, {"usd": 50.0}])
def test_a_straggler_at_the_end_is_asked_again_and_both_calls_are_counted(budget: dict[str, float]) -> None:
    plain, hedged = straggling(hedge=False), straggling(hedge=True, budget=budget)
    assert plain.run() is not None
    ended = hedged.run()
    assert ended is not None
    ending, summary = ended
    assert ending.state == "finished"
    check_books(hedged, summary, items=1000)
    extra = hedged.endpoint.sent - 1000
    assert 1 <= extra <= 10, "one in a hundred at most"
    assert summary.calls.sent == hedged.endpoint.sent
    assert summary.calls.answered == 1000
    assert summary.calls.errors == extra
    assert hedged.virtual_seconds < plain.virtual_seconds - 5
    assert hedged.endpoint.sent <= budget.get("calls", 2000)
    assert plain.endpoint.sent == 1000, "nothing is sent twice unless asked for"


def test_a_budget_that_the_rest_of_the_job_may_need_is_not_spent_on_hedges() -> None:
    world = straggling(hedge=True, budget={"calls": 1000})
    ended = world.run()
    assert ended is not None
    assert ended[0].state == "finished"
    assert world.endpoint.sent == 1000


def test_a_drain_waits_for_calls_that_may_be_hedged() -> None:
    async def drain_soon(assembly: Assembly, engine: Engine) -> None:
        await asyncio.sleep(3)
        assembly.halt.stop("interrupted", "test")

    world = straggling(hedge=True)
    ended = world.run(drain_soon)
    assert ended is not None
    assert ended[1].calls.answered == sum(world.endpoint.answered.values())
    assert ended[1].calls.sent == world.endpoint.sent


def test_a_search_in_vain_is_told_and_goes_on_when_there_is_an_item() -> None:
    axes = {"genre": ["noir"], "place": ["here"], "m": list(range(1500)), "n": list(range(1000))}
    space = {"axes": axes, "order": "sequential", "where": "m == 1499 and n > 990"}
    world = World(1, make_spec(space=space), ScriptedEndpoint(random.Random(1)))
    ended = world.run()
    assert ended is not None
    assert ended[1].outcomes.total == 9
    paused, resumed = [event for event in world.events if isinstance(event, JobPaused | JobResumed)]
    assert isinstance(paused, JobPaused)
    assert "`where` excludes more than 1,000,000 combinations" in paused.cause
    assert isinstance(resumed, JobResumed)
