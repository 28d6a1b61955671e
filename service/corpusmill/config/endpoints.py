"""Endpoints with their keys and limits, and models as aliases with prices.

Rule of this file: keys themselves never stand in the structs, only where they come from.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from corpusmill.config.errors import ConfigError
from corpusmill.config.secrets import secret_of
from corpusmill.endpoint.errors import EndpointConfigError
from corpusmill.endpoint.network import endpoint_url
from corpusmill.endpoint.secret import Secret
from corpusmill.spec.schema import Concurrency, Positive, Strict


class EndpointConfig(Strict, frozen=True):
    """An OpenAI-compatible API. Its key is in an environment variable or in a file, never here.

    Attributes:
        base_url: with its /v1.
        api_key_env: the environment variable that holds the key.
        api_key_file: the file that holds the key.
        pool: endpoints of one base URL and key share one budget, unless their pools differ: an API that limits groups
            of its models apart is one endpoint for each group.
        requests_per_minute, tokens_per_minute, concurrency: what the key allows; a spec's limits only lower them.
        input_tokens_per_minute, output_tokens_per_minute: where the API counts them apart.
        requests_per_day, tokens_per_day: may be used up at once; then jobs pause until there is room again.
        reserve_output: the API takes `max_tokens` of every call, and gives back nothing of what was not used.
    """

    base_url: Annotated[str, Meta(min_length=1)]
    api_key_env: str | None = None
    api_key_file: str | None = None
    pool: str = ""
    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None
    input_tokens_per_minute: Positive | None = None
    output_tokens_per_minute: Positive | None = None
    requests_per_day: Positive | None = None
    tokens_per_day: Positive | None = None
    concurrency: Concurrency | None = None
    reserve_output: bool = False


class PriceConfig(Strict, frozen=True):
    """Prices in USD per million tokens; `cached_input` is `input` unless told."""

    input: Annotated[Decimal, Meta(extra={"unit": "USD per million tokens"})]
    output: Annotated[Decimal, Meta(extra={"unit": "USD per million tokens"})]
    cached_input: Decimal | None = None


class ModelConfig(Strict, frozen=True):
    """A model alias: which endpoint serves it, under which name, at which prices.

    Attributes:
        endpoint: one, or several keys or replicas that share the calls; what one of them cannot take, the others do.
        name: at the endpoint, the same at each.
        prices: of each; where they are not told, those published for the first endpoint count.
    """

    endpoint: str | Annotated[list[str], Meta(min_length=1, max_length=64)]
    name: Annotated[str, Meta(min_length=1)]
    prices: PriceConfig | None = None

    @property
    def endpoints(self) -> list[str]:
        """The names of its endpoints, each once."""
        return [self.endpoint] if isinstance(self.endpoint, str) else list(dict.fromkeys(self.endpoint))


def check_models(endpoints: Mapping[str, EndpointConfig], models: Mapping[str, ModelConfig]) -> None:
    """Check what must hold between endpoints and models.

    Raises:
        ConfigError: where something is wrong, and what to do.
    """
    for name, endpoint in endpoints.items():
        check_base_url(f"endpoints.{name}.base_url", endpoint.base_url)
    _check_budgets(endpoints)
    for alias, model in models.items():
        for name in model.endpoints:
            if name not in endpoints:
                known = ", ".join(endpoints) or "none"
                raise ConfigError(f"models.{alias}.endpoint: no endpoint {name!r}; there are: {known}")
        _check_prices(alias, model.prices)


def check_base_url(place: str, base_url: str) -> None:
    """Check that a base URL can be one.

    Args:
        place: the setting or variable that holds it.
        base_url: what it holds.

    Raises:
        ConfigError: what is wrong with it, and where it stands.
    """
    try:
        endpoint_url(base_url)
    except EndpointConfigError as error:
        raise ConfigError(f"{place}: {error}") from None


def endpoint_key(name: str, endpoint: EndpointConfig, environ: Mapping[str, str]) -> Secret | None:
    """Return an endpoint's key, None where it needs none.

    Raises:
        ConfigError: the variable or file that should hold it does not.
    """
    return secret_of(f"endpoints.{name}.api_key", endpoint.api_key_env, endpoint.api_key_file, environ)


def check_endpoint_keys(endpoints: Mapping[str, EndpointConfig], environ: Mapping[str, str]) -> None:
    """Check that every endpoint's key is where it is said to be.

    Raises:
        ConfigError: a variable or file that should hold one does not.
    """
    for name, endpoint in endpoints.items():
        endpoint_key(name, endpoint, environ)


def _check_budgets(endpoints: Mapping[str, EndpointConfig]) -> None:
    """Refuse two names for one budget: which of their limits would hold?"""
    names: dict[tuple[str | None, ...], str] = {}
    for name, endpoint in endpoints.items():
        budget = (endpoint.base_url, endpoint.api_key_env, endpoint.api_key_file, endpoint.pool)
        other = names.setdefault(budget, name)
        if other != name:
            raise ConfigError(
                f"endpoints.{name}: the same base_url and key as endpoints.{other}; keep one of them, or "
                "give each a pool of its own if the API limits them apart"
            )


def _check_prices(alias: str, prices: PriceConfig | None) -> None:
    for name, amount in () if prices is None else msgspec.structs.asdict(prices).items():
        if amount is not None and not (amount.is_finite() and amount >= 0):
            raise ConfigError(f"models.{alias}.prices.{name}: a price is 0 or more, was {amount}")
