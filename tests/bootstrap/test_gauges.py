"""What a scrape sees of a job that runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from corpusmill.bootstrap.gauges import look
from corpusmill.bootstrap.job import Running
from corpusmill.bootstrap.run import run_job
from corpusmill.bootstrap.target import Target, Upstream
from corpusmill.config import Config, EndpointConfig
from corpusmill.simulate import SimulateOptions, serving
from corpusmill.telemetry.events import CallAnswered, Event
from corpusmill.telemetry.metrics.gauges import EstimateGauges
from tests.jobs.harness import spec_of


def test_estimates_are_judged_once_enough_answers_came(tmp_path: Path) -> None:
    started: list[Running] = []
    seen: list[tuple[EstimateGauges, ...]] = []
    used: list[int] = []

    def emit(event: Event) -> None:
        if isinstance(event, CallAnswered):
            used.append(event.input_tokens + event.output_tokens)
            seen.append(look(started, {}, {}, tmp_path).estimates)

    @asynccontextmanager
    async def watch(running: Running) -> AsyncIterator[None]:
        started.append(running)
        yield

    async def main() -> None:
        async with serving(SimulateOptions(seed=3)) as base_url:
            upstream = Upstream(Config(), Target("default", EndpointConfig(base_url=base_url)))
            await run_job(spec_of(), tmp_path, upstream, environ={}, emit=emit, watch=watch)

    asyncio.run(main())
    assert seen[:10] == [()] * 10
    (last,) = seen[-1]
    assert last.model == "simulated"
    mean = sum(used) / len(used)
    spread = sum(abs(mean - each) / each for each in used) / len(used)
    assert 0.3 * spread < last.error_ratio < 3 * spread
    assert -last.error_ratio <= last.bias_ratio <= last.error_ratio
