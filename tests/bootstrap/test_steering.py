"""Servers without limits, over real sockets: steered by their own metrics where they have them."""

import asyncio
from itertools import count

from corpusmill.bootstrap.switchboard import Switchboard
from corpusmill.bootstrap.target import DEFAULT, Target, Upstream
from corpusmill.chain.completion import Prompt
from corpusmill.config import Config, EndpointConfig
from corpusmill.endpoint.client import Answer, CallRequest
from corpusmill.engine.route import Route
from corpusmill.limits.charge import Charge
from corpusmill.simulate import SimulateOptions, serving
from tests.jobs.harness import spec_of

SEQUENCES = 16
SERVER = SimulateOptions(batch_sequences=SEQUENCES, text_chars=100)


async def work(route: Route, numbers: "count[int]") -> None:
    """Send one request after the other."""
    while True:
        member, ticket = await route.admit(Charge())
        try:
            prompt = Prompt("chat", f"{next(numbers)} say something")
            answer = await member.endpoint.call(CallRequest("simulated", prompt, {"max_tokens": 30}), 30.0)
            assert isinstance(answer, Answer)
            usage = answer.completion.usage
            ticket.answered(usage.input_tokens, usage.output_tokens, answer.headers)
        finally:
            ticket.leave()


def test_a_server_with_metrics_is_kept_full_with_a_short_queue() -> None:
    async def scenario() -> None:
        async with serving(SERVER) as base_url:
            upstream = Upstream(Config(), Target(DEFAULT, EndpointConfig(base_url=base_url)))
            async with (
                Switchboard(upstream, {}) as switchboard,
                switchboard.routes("job", spec_of()) as routes,
                asyncio.TaskGroup() as group,
            ):
                numbers, (route,) = count(), routes.values()
                tasks = [group.create_task(work(route, numbers)) for _ in range(200)]
                await asyncio.sleep(1.0)
                assert switchboard.statistics()[DEFAULT].width >= 60, "nothing is known at first"
                await asyncio.sleep(5.5)
                assert SEQUENCES <= switchboard.statistics()[DEFAULT].width <= SEQUENCES * 1.5
                for task in tasks:
                    task.cancel()

    asyncio.run(scenario())


def test_a_server_without_metrics_is_asked_no_more() -> None:
    async def scenario() -> None:
        async with serving(SimulateOptions(latency_seconds=0.1)) as base_url:
            upstream = Upstream(Config(), Target(DEFAULT, EndpointConfig(base_url=base_url)))
            async with Switchboard(upstream, {}) as switchboard, switchboard.routes("job", spec_of()) as routes:
                (route,) = routes.values()
                (steering,) = switchboard._steering
                async with asyncio.TaskGroup() as group:
                    worker = group.create_task(work(route, count()))
                    await asyncio.wait({steering}, timeout=10.0)
                    worker.cancel()
                assert steering.done(), "it is not asked again"

    asyncio.run(scenario())
