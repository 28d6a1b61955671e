"""What the metrics say that a job cost, against the provider's own books, over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from corpusmill.bootstrap.gauges import look, new_counts
from corpusmill.bootstrap.job import Running
from corpusmill.bootstrap.run import run_job
from corpusmill.bootstrap.target import Upstream
from corpusmill.config import Config, EndpointConfig, ModelConfig, PriceConfig
from corpusmill.jobs.summary import Summary
from corpusmill.simulate import SimulateOptions, serving
from corpusmill.spec.schema import JobSpec
from corpusmill.telemetry.metrics.exposition import Exposition
from tests.jobs.harness import spec_of
from tests.telemetry.scraped import Series, series_in, value

PRICES = PriceConfig(input=Decimal("0.15"), output=Decimal("0.60"), cached_input=Decimal("0.075"))
MODEL = {"endpoint": "provider", "model": "default"}

TOLD = {"rate_limit": 0.02, "http_503": 0.02, "refusal": 0.1, "length": 0.05, "empty_choice": 0.05, "bad_request": 0.02}
"""Faults after which the client knows what it owes."""

UNTOLD = {"reset": 0.02, "truncation": 0.02, "garbage": 0.03, "content_type": 0.03, "http_500": 0.02}
"""Faults after which only the provider knows."""

READABLE = ("ok", "refusal", "length", "empty_choice")


def spec() -> JobSpec:
    plain = spec_of()
    guide = "Write with care, as the guide for screenwriters says. " * 120
    step = msgspec.structs.replace(plain.steps[0], system=guide)
    return msgspec.structs.replace(plain, steps=[step])


def run(data: Path, faults: dict[str, float]) -> tuple[Series, dict[str, Any], Summary]:
    return asyncio.run(_run(data, SimulateOptions(seed=11, prompt_cache=True, faults=faults)))


async def _run(data: Path, options: SimulateOptions) -> tuple[Series, dict[str, Any], Summary]:
    @asynccontextmanager
    async def watch(running: Running) -> AsyncIterator[None]:
        yield

    counts = new_counts()
    async with serving(options) as base_url, aiohttp.ClientSession() as session:
        models = {"default": ModelConfig(endpoint="provider", name="simulated", prices=PRICES)}
        config = Config(endpoints={"provider": EndpointConfig(base_url=base_url)}, models=models)
        summary = await run_job(spec(), data, Upstream(config, None), environ={}, emit=counts, watch=watch)
        scrape = await Exposition(counts, lambda: look([], {}, {}, data)).scrape()
        async with session.get(base_url.removesuffix("/v1") + "/stats") as answer:
            ledger = json.loads(await answer.read())
    return series_in(scrape.plain.decode()), ledger, summary


def billed_usd(bill: dict[str, int]) -> Decimal:
    fresh = bill["input"] - bill["cached_input"]
    micros = fresh * PRICES.input + bill["cached_input"] * Decimal("0.075") + bill["output"] * PRICES.output
    return micros / 10**6


def micro_dollars(amount: Decimal | float | None) -> Decimal:
    assert amount is not None
    return Decimal(amount).quantize(Decimal("0.000001"))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Series, dict[str, Any], Summary]:
    return run(tmp_path_factory.mktemp("told"), TOLD)


def test_cost_is_the_providers_bill_to_the_micro_dollar(told: tuple[Series, dict[str, Any], Summary]) -> None:
    series, ledger, _ = told
    for outcome in TOLD:
        assert ledger["outcomes"][outcome], f"no {outcome} came; the test shows less than it says"
    assert set(ledger["billed"]) <= set(READABLE)
    owed = sum(billed_usd(bill) for bill in ledger["billed"].values())
    assert owed > 0
    assert micro_dollars(value(series, "cost_usd_total", **MODEL)) == micro_dollars(owed)
    assert value(series, "unpriced_requests_total", **MODEL) == 0
    assert value(series, "maybe_billed_failures_total", **MODEL) == 0


def test_tokens_and_requests_are_the_providers_too(told: tuple[Series, dict[str, Any], Summary]) -> None:
    series, ledger, _ = told
    bills = ledger["billed"].values()
    cached = sum(bill["cached_input"] for bill in bills)
    assert cached > 1024 * 50, "the cache is used"
    assert value(series, "llm_cached_input_tokens_total", **MODEL) == cached
    assert value(series, "llm_tokens_total", **MODEL, direction="input") == sum(bill["input"] for bill in bills)
    assert value(series, "llm_tokens_total", **MODEL, direction="output") == sum(bill["output"] for bill in bills)
    assert value(series, "llm_requests_total", **MODEL) == ledger["requests"]
    refused = value(series, "llm_request_failures_total", **MODEL, reason="rate_limited")
    assert refused == ledger["rate_limited"]


def test_retries_are_the_calls_that_repeat_a_failed_one(told: tuple[Series, dict[str, Any], Summary]) -> None:
    series, _, summary = told
    retries = sum(number for (name, _), number in series.items() if name == "corpusmill_llm_retries_total")
    items = sum(msgspec.structs.astuple(summary.outcomes))
    assert retries == summary.calls.sent - items > 0


def test_a_bill_that_nobody_told_is_not_guessed_but_counted(tmp_path: Path) -> None:
    series, ledger, _ = run(tmp_path, UNTOLD)
    owed = sum(billed_usd(ledger["billed"][outcome]) for outcome in READABLE if outcome in ledger["billed"])
    assert micro_dollars(value(series, "cost_usd_total", **MODEL)) == micro_dollars(owed)
    unknown = sum(ledger["outcomes"].get(outcome, 0) for outcome in UNTOLD)
    assert unknown > 5
    assert value(series, "maybe_billed_failures_total", **MODEL) == unknown
