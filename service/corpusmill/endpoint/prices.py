"""What a call costs, exactly.

The rule of this file: money is a whole number of pico-dollars (1e-12 USD), in which a price per million tokens with six
decimals is a whole number per token. What does not come out even is rounded up, so that a budget is never undercut. An
unknown price is None, never 0.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal, DecimalException
from typing import TYPE_CHECKING, Final

import msgspec

from corpusmill.chain.completion import Usage
from corpusmill.endpoint.errors import PriceConfigError

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice, TieredPrices

PICODOLLARS_PER_USD: Final = 10**12
MAX_USD_PER_MILLION_TOKENS: Final = 1_000_000
HALF_HOURS_OF_A_DAY: Final = 48

_CONFIGURED: Final = ("input", "cached_input", "output")


class Prices(msgspec.Struct, frozen=True):
    """The prices of one model.

    Attributes:
        input: pico-dollars per input token that was not cached.
        cached_input: pico-dollars per cached input token.
        output: pico-dollars per output token, those of reasoning included.
        request: pico-dollars per answered call.
        tiers: the prices of calls with more than so many input tokens, ascending; they hold for all tokens of a call.
    """

    input: int
    cached_input: int
    output: int
    request: int = 0
    tiers: tuple[tuple[int, "Prices"], ...] = ()

    def cost(self, usage: Usage) -> int:
        """What a call of this usage costs, in pico-dollars."""
        prices = self
        for above_input_tokens, tier in self.tiers:
            if usage.input_tokens > above_input_tokens:
                prices = tier
        cached = min(usage.cached_input_tokens, usage.input_tokens)
        return (
            prices.request
            + (usage.input_tokens - cached) * prices.input
            + cached * prices.cached_input
            + usage.output_tokens * prices.output
        )


def resolve_prices(
    base_url: str, model: str, configured: Mapping[str, object] | None, *, at: datetime
) -> Prices | None:
    """The prices of a model: those configured, else those published for this endpoint and model, else None.

    Args:
        base_url: the endpoint's base URL, by which its provider is known.
        model: the upstream name.
        configured: `input`, `output` and, if it differs from `input`, `cached_input`, in USD per million tokens.
        at: the day whose published prices count; where they change within the day, the dearest of it.

    Raises:
        PriceConfigError: a configured price is missing, unknown, negative or no number.
    """
    return _published(base_url, model, at) if configured is None else _configured(configured)


def load_published() -> None:
    """Load the published prices; takes a third of a second, which the first look-up then does not take."""
    _published("", "", datetime.now(UTC))


def format_usd(picodollars: int) -> str:
    """An amount for people: whole cents from one dollar on, below that down to the micro-dollar."""
    sign, amount = ("-", -picodollars) if picodollars < 0 else ("", picodollars)
    if 0 < amount < 10**6:
        return f"{sign}<$0.000001"
    usd = Decimal(amount).scaleb(-12)
    if amount >= PICODOLLARS_PER_USD:
        return f"{sign}${usd:,.2f}"
    whole, _, decimals = f"{usd:.6f}".partition(".")
    return f"{sign}${whole}.{decimals.rstrip('0'):0<2}"


def _configured(configured: Mapping[str, object]) -> Prices:
    for name in configured:
        if name not in _CONFIGURED:
            raise PriceConfigError(f"prices.{name} is no price; there are {', '.join(_CONFIGURED)}")
    for name in ("input", "output"):
        if name not in configured:
            raise PriceConfigError(f"prices.{name} is missing: give it in USD per million tokens")
    rates = {name: _per_token(_amount(name, value)) for name, value in configured.items()}
    return Prices(rates["input"], rates.get("cached_input", rates["input"]), rates["output"])


def _amount(name: str, value: object) -> Decimal:
    try:
        usd = Decimal(str(value)) if not isinstance(value, bool) else Decimal("nan")
    except DecimalException:
        usd = Decimal("nan")
    if not usd.is_finite() or not 0 <= usd <= MAX_USD_PER_MILLION_TOKENS:
        raise PriceConfigError(
            f"prices.{name} must be a number of USD per million tokens from 0 to {MAX_USD_PER_MILLION_TOKENS}"
        )
    return usd


def _published(base_url: str, model: str, at: datetime) -> Prices | None:
    """The prices in genai-prices' bundled data; this never reads the network."""
    from genai_prices import Usage as Counts  # noqa: PLC0415 - 30 MB and 0.1 s that a configured price does not need
    from genai_prices import calc_price  # noqa: PLC0415 - as above

    try:
        model_found = calc_price(Counts(), model, provider_api_url=base_url, genai_request_timestamp=at).model
    except LookupError:
        return None
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    moments = [midnight + timedelta(minutes=30) * count for count in range(HALF_HOURS_OF_A_DAY)]
    of_the_day = [_from_published(model_found.get_prices(moment)) for moment in moments]
    known = [prices for prices in of_the_day if prices is not None]
    return max(known, key=lambda prices: prices.input + prices.output, default=None)


def _from_published(price: "ModelPrice") -> Prices | None:
    """The prices, in tiers wherever one of the rates changes; None for a model that does not read and write text."""
    if price.input_mtok is None or price.output_mtok is None:
        return None
    rates = (price.input_mtok, price.cache_read_mtok, price.output_mtok, price.requests_kcount)
    starts = {tier.start for rate in rates for tier in getattr(rate, "tiers", ())}
    return msgspec.structs.replace(
        _above(0, price), tiers=tuple((start, _above(start + 1, price)) for start in sorted(starts))
    )


def _above(input_tokens: int, price: "ModelPrice") -> Prices:
    """The prices of a call of so many input tokens."""
    input_usd = _rate(price.input_mtok, input_tokens) or Decimal(0)
    cached_usd = _rate(price.cache_read_mtok, input_tokens)
    return Prices(
        input=_per_token(input_usd),
        cached_input=_per_token(input_usd if cached_usd is None else cached_usd),
        output=_per_token(_rate(price.output_mtok, input_tokens) or Decimal(0)),
        request=_per_token((_rate(price.requests_kcount, input_tokens) or Decimal(0)) * 1000),
    )


def _rate(rate: "Decimal | TieredPrices | None", input_tokens: int) -> Decimal | None:
    if rate is None or isinstance(rate, Decimal):
        return rate
    return next((tier.price for tier in reversed(rate.tiers) if input_tokens > tier.start), rate.base)


def _per_token(usd_per_million: Decimal) -> int:
    """Pico-dollars per token: 1 USD per million tokens is a million of them."""
    return int(usd_per_million.scaleb(6).to_integral_value(ROUND_CEILING))
