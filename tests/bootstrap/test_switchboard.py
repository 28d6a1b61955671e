"""Endpoints and gates that several jobs of one process share, over real sockets."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec
import pytest

from corpusmill.bootstrap.switchboard import Switchboard
from corpusmill.bootstrap.target import DEFAULT, Target, Upstream, UpstreamError
from corpusmill.config import Config, ConfigError, EndpointConfig, ModelConfig, load_config
from corpusmill.engine.route import Route
from corpusmill.engine.tickets import Tickets
from corpusmill.limits.charge import Charge
from corpusmill.simulate import SimulateOptions, serving
from corpusmill.spec.schema import JobSpec, Limits
from tests.jobs.harness import spec_of

NOWHERE = "http://127.0.0.1:9/v1"


def run(scene: Callable[[str], Awaitable[None]]) -> None:
    async def scenario() -> None:
        async with serving(SimulateOptions()) as base_url:
            await scene(base_url)

    asyncio.run(scenario())


def spec_for(*aliases: str) -> JobSpec:
    spec = spec_of()
    first = spec.steps[0]
    steps = [
        msgspec.structs.replace(first, name=first.name if place == 0 else f"step{place}", model=alias)
        for place, alias in enumerate(aliases)
    ]
    return msgspec.structs.replace(spec, steps=steps)


def board(
    endpoints: Mapping[str, EndpointConfig],
    models: Mapping[str, ModelConfig],
    environ: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Switchboard:
    return Switchboard(Upstream(Config(dict(endpoints), dict(models)), None), environ or {}, limits or Limits())


def test_jobs_share_the_gate_of_one_key_and_not_that_of_another() -> None:
    async def scene(base_url: str) -> None:
        endpoints = {
            "a": EndpointConfig(base_url=base_url, api_key_env="A"),
            "same": EndpointConfig(base_url=base_url, api_key_env="SAME"),
            "b": EndpointConfig(base_url=base_url, api_key_env="B"),
            "mini": EndpointConfig(base_url=base_url, api_key_env="A", pool="mini"),
        }
        models = {name: ModelConfig(endpoint=name, name="simulated") for name in endpoints}
        keys = {"A": "key-a", "SAME": "key-a", "B": "key-b"}
        async with (
            board(endpoints, models, keys) as switchboard,
            switchboard.routes("one", spec_for("a", "b", "mini")) as one,
            switchboard.routes("two", spec_for("same")) as two,
        ):
            assert gate_of(one["a"]) is gate_of(two["same"])
            assert len({gate_of(one[alias]) for alias in ("a", "b", "mini")}) == 3

    run(scene)


def test_the_lower_limits_of_two_names_for_one_budget_hold() -> None:
    async def scene(base_url: str) -> None:
        endpoints = {
            "a": EndpointConfig(base_url=base_url, api_key_env="A", requests_per_minute=100),
            "same": EndpointConfig(base_url=base_url, api_key_env="SAME", requests_per_minute=60, requests_per_day=9),
        }
        models = {name: ModelConfig(endpoint=name, name="simulated") for name in endpoints}
        async with (
            board(endpoints, models, {"A": "key", "SAME": "key"}, Limits(requests_per_minute=80)) as switchboard,
            switchboard.routes("one", spec_for("a")),
        ):
            assert limits_of(switchboard) == {"requests_per_minute": 80}
            async with switchboard.routes("two", spec_for("same")):
                assert limits_of(switchboard) == {"requests_per_minute": 60, "requests_per_day": 9}

    run(scene)


def test_limits_and_prices_change_while_a_job_runs() -> None:
    async def scene(base_url: str) -> None:
        def config(limit: int, dollars: str) -> Config:
            prices = {"input": dollars, "output": dollars}
            document = {
                "endpoints": {"a": {"base_url": base_url, "requests_per_minute": limit}},
                "models": {"m": {"endpoint": "a", "name": "simulated", "prices": prices}},
            }
            return msgspec.convert(document, Config, strict=False)

        async with (
            Switchboard(Upstream(config(100, "1"), None), {}) as switchboard,
            switchboard.routes("one", spec_for("m")) as routes,
        ):
            assert limits_of(switchboard) == {"requests_per_minute": 100}
            assert routes["m"].prices is not None
            assert routes["m"].prices.input == 1_000_000
            switchboard.reload(config(200, "2"))
            assert limits_of(switchboard) == {"requests_per_minute": 200}
            assert routes["m"].prices.input == 2_000_000

    run(scene)


def test_an_endpoint_that_did_not_answer_is_asked_again_by_the_next_job() -> None:
    async def scene(base_url: str) -> None:
        endpoints = {"dead": EndpointConfig(base_url=NOWHERE), "alive": EndpointConfig(base_url=base_url)}
        models = {name: ModelConfig(endpoint=name, name="simulated") for name in endpoints}
        async with board(endpoints, models) as switchboard:
            for _ in range(2):
                with pytest.raises(UpstreamError, match=r"does not answer.*endpoints\.dead\.base_url"):
                    async with switchboard.routes("one", spec_for("dead")):
                        pass
            async with switchboard.routes("two", spec_for("alive")) as routes:
                assert routes["alive"].upstream == "simulated"

    run(scene)


def test_a_job_that_is_over_leaves_nothing_in_the_queue() -> None:
    async def scene(base_url: str) -> None:
        target = Target(DEFAULT, EndpointConfig(base_url=base_url))
        async with Switchboard(Upstream(Config(), target), {}) as switchboard:
            for number in range(3):
                async with switchboard.routes(f"job{number}", spec_for("default"), weight=2.0) as routes:
                    assert routes["default"].upstream == "simulated"
            assert [each.queue_depth for each in switchboard.statistics().values()] == [0]

    run(scene)


def test_a_job_that_asks_for_less_than_the_endpoint_allows_gets_less_and_others_do_not() -> None:
    async def seconds_for(route: Route, calls: int) -> float:
        began = asyncio.get_running_loop().time()
        for _ in range(calls):
            _, ticket = await route.admit(Charge())
            ticket.answered()
        return asyncio.get_running_loop().time() - began

    async def scene(base_url: str) -> None:
        endpoints = {"a": EndpointConfig(base_url=base_url, requests_per_minute=600_000)}
        frugal = msgspec.structs.replace(spec_for("m"), limits=Limits(requests_per_minute=3000))
        async with (
            board(endpoints, {"m": ModelConfig(endpoint="a", name="simulated")}) as switchboard,
            switchboard.routes("frugal", frugal) as less,
            switchboard.routes("greedy", spec_for("m")) as more,
        ):
            assert await seconds_for(more["m"], 30) < 0.3
            assert await seconds_for(less["m"], 30) == pytest.approx((30 - 3000 / 60 * 0.25) / 50, abs=0.3)
            assert await seconds_for(more["m"], 30) < 0.3

    run(scene)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ('[endpoints.a]\nbase_url="http://x"\n[endpoints.b]\nbase_url="http://x"\n', r"endpoints\.b: the same"),
        ('[models.m]\nendpoint=["a", "b"]\nname="x"\n[endpoints.a]\nbase_url="http://x"\n', "no endpoint 'b'"),
        ('[models.m]\nendpoint=[]\nname="x"\n', r"models\.m\.endpoint"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(tmp_path: Path, document: str, message: str) -> None:
    path = tmp_path / "corpusmill.toml"
    path.write_text(document)
    with pytest.raises(ConfigError, match=message):
        load_config(path)


def limits_of(switchboard: Switchboard) -> dict[str, float]:
    (statistics,) = switchboard.statistics().values()
    return {bucket.name: bucket.limit for bucket in statistics.buckets}


def gate_of(route: Route) -> Tickets:
    (member,) = route.members
    return member.tickets
