import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from genai_prices import Usage as Counts
from genai_prices import calc_price
from genai_prices.data import providers
from genai_prices.types import ConditionalPrice, ModelInfo, Provider, TimeOfDateConstraint
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.chain.completion import Usage
from corpusmill.endpoint.errors import PriceConfigError
from corpusmill.endpoint.prices import PICODOLLARS_PER_USD, Prices, format_usd, resolve_prices

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BASE_URLS = {
    "anthropic": "https://api.anthropic.com/v1",
    "cerebras": "https://api.cerebras.ai/v1",
    "deepseek": "https://api.deepseek.com",
    "fireworks": "https://api.fireworks.ai/inference/v1",
    "google": "https://generativelanguage.googleapis.com/v1beta/openai",
    "groq": "https://api.groq.com/openai/v1",
    "mistral": "https://api.mistral.ai/v1",
    "moonshotai": "https://api.moonshot.ai/v1",
    "novita": "https://api.novita.ai/v3/openai",
    "openai": "https://api.openai.com/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "perplexity": "https://api.perplexity.ai",
    "together": "https://api.together.xyz/v1",
    "x-ai": "https://api.x.ai/v1",
}
USAGES = [
    Usage(1, 0, 1, 0),
    Usage(1234, 567, 890, 12),
    Usage(200_000, 1, 3, 0),
    Usage(200_001, 150_000, 4096, 0),
    Usage(1_000_000, 999_999, 123_456, 0),
]
COUNTS = st.integers(0, 10**9)
RATES = st.integers(0, 10**9)


def changes_within_the_day(model: ModelInfo) -> bool:
    entries = model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]
    return any(isinstance(entry.constraint, TimeOfDateConstraint) for entry in entries)


def published() -> list[tuple[Provider, ModelInfo]]:
    return [(provider, model) for provider in providers if provider.id in BASE_URLS for model in provider.models]


def test_published_prices_cost_what_their_source_says() -> None:
    compared = 0
    for provider, model in published():
        prices = resolve_prices(BASE_URLS[provider.id], model.id, None, at=AT)
        if prices is None or changes_within_the_day(model):
            continue
        for usage in USAGES:
            counts = Counts(
                input_tokens=usage.input_tokens,
                cache_read_tokens=usage.cached_input_tokens,
                output_tokens=usage.output_tokens,
            )
            reference = calc_price(
                counts, model.id, provider_api_url=BASE_URLS[provider.id], genai_request_timestamp=AT
            )
            difference = Fraction(prices.cost(usage), PICODOLLARS_PER_USD) - Fraction(reference.total_price)
            assert 0 <= difference < Fraction(1, 10**6), (provider.id, model.id, usage)
            compared += 1
    assert compared > 2000


def test_a_price_that_changes_within_the_day_is_the_dearest_of_it() -> None:
    changing = [(provider, model) for provider, model in published() if changes_within_the_day(model)]
    assert changing
    usage = Usage(1000, 500, 1000)
    for provider, model in changing:
        prices = resolve_prices(BASE_URLS[provider.id], model.id, None, at=AT)
        assert prices is not None
        counts = Counts(input_tokens=1000, cache_read_tokens=500, output_tokens=1000)
        hourly = [
            calc_price(
                counts, model.id, provider_api_url=BASE_URLS[provider.id], genai_request_timestamp=AT.replace(hour=hour)
            ).total_price
            for hour in range(24)
        ]
        assert min(hourly) < max(hourly)
        assert Fraction(prices.cost(usage), PICODOLLARS_PER_USD) == Fraction(max(hourly))


def test_known_prices() -> None:
    assert resolve_prices(BASE_URLS["openai"], "gpt-4o-mini", None, at=AT) == Prices(150_000, 75_000, 600_000)
    tiered = resolve_prices(BASE_URLS["google"], "gemini-2.5-pro", None, at=AT)
    assert tiered is not None
    assert tiered.cost(Usage(200_000)) == 200_000 * 1_250_000
    assert tiered.cost(Usage(200_001)) == 200_001 * 2_500_000


@pytest.mark.parametrize(
    ("base_url", "model"),
    [
        ("http://127.0.0.1:8000/v1", "gpt-4o-mini"),
        ("https://api.openai.com/v1", "no-such-model"),
        ("https://api.openai.com/v1", "text-embedding-3-small"),
    ],
)
def test_an_unknown_price_is_none(base_url: str, model: str) -> None:
    assert resolve_prices(base_url, model, None, at=AT) is None


def test_configured_prices_come_first_and_need_no_catalogue() -> None:
    script = (
        "import sys, datetime; from corpusmill.endpoint.prices import resolve_prices;"
        "at = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc);"
        "assert resolve_prices('https://api.openai.com/v1', 'gpt-4o', {'input': '0.15', 'output': 0.6}, at=at).cost;"
        "assert 'genai_prices' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    ("configured", "prices"),
    [
        ({"input": Decimal("0.15"), "output": Decimal("0.6")}, Prices(150_000, 150_000, 600_000)),
        ({"input": 2.5, "cached_input": "1.25", "output": 10}, Prices(2_500_000, 1_250_000, 10_000_000)),
        ({"input": 0, "output": 0}, Prices(0, 0, 0)),
        ({"input": "0.0000001", "output": "0.0000019"}, Prices(1, 1, 2)),
    ],
)
def test_configured_prices_are_usd_per_million_tokens(configured: dict[str, object], prices: Prices) -> None:
    assert resolve_prices("http://x/v1", "m", configured, at=AT) == prices


@pytest.mark.parametrize(
    ("configured", "named"),
    [
        ({}, "input"),
        ({"input": 1}, "output"),
        ({"input": 1, "output": 1, "out": 1}, "out "),
        ({"input": -1, "output": 1}, "input"),
        ({"input": 1, "output": float("nan")}, "output"),
        ({"input": 1, "output": "inf"}, "output"),
        ({"input": 1, "output": "1e999999999"}, "output"),
        ({"input": 1, "output": "cheap"}, "output"),
        ({"input": True, "output": 1}, "input"),
        ({"input": None, "output": 1}, "input"),
    ],
)
def test_a_configured_price_that_is_none_is_refused_by_name(configured: dict[str, object], named: str) -> None:
    with pytest.raises(PriceConfigError, match=rf"prices\.{named}"):
        resolve_prices("http://x/v1", "m", configured, at=AT)


@given(rates=st.tuples(RATES, RATES, RATES, RATES), tokens=st.tuples(COUNTS, COUNTS, COUNTS))
def test_the_cost_is_the_sum_of_its_parts(rates: tuple[int, int, int, int], tokens: tuple[int, int, int]) -> None:
    prices = Prices(*rates)
    uncached, cached, output = tokens
    usage = Usage(uncached + cached, cached, output, output)
    assert prices.cost(usage) == uncached * rates[0] + cached * rates[1] + output * rates[2] + rates[3]


@given(above=st.integers(0, 10**6), tokens=st.integers(0, 2 * 10**6))
def test_a_tier_holds_for_all_tokens_of_a_call(above: int, tokens: int) -> None:
    prices = Prices(1, 1, 1, tiers=((above, Prices(3, 2, 5)),))
    assert prices.cost(Usage(tokens, 0, 7)) == (3 * tokens + 35 if tokens > above else tokens + 7)


def test_more_cached_than_input_tokens_never_earns_money() -> None:
    assert Prices(10, 1, 0).cost(Usage(5, 9, 0)) == 5


@pytest.mark.parametrize(
    ("picodollars", "text"),
    [
        (0, "$0.00"),
        (1, "<$0.000001"),
        (10**6, "$0.000001"),
        (123 * 10**6, "$0.000123"),
        (10**11, "$0.10"),
        (125 * 10**9, "$0.125"),
        (10**12, "$1.00"),
        (123_456_789 * 10**10, "$1,234,567.89"),
        (-5 * 10**10, "-$0.05"),
    ],
)
def test_amounts_for_people(picodollars: int, text: str) -> None:
    assert format_usd(picodollars) == text


@given(st.integers(10**6, 10**20))
def test_an_amount_reads_back_as_what_it_was(picodollars: int) -> None:
    read = Fraction(Decimal(format_usd(picodollars).replace("$", "").replace(",", "")))
    step = Fraction(1, 100) if picodollars >= PICODOLLARS_PER_USD else Fraction(1, 10**6)
    assert abs(read - Fraction(picodollars, PICODOLLARS_PER_USD)) <= step / 2
