"""The operator's configuration: endpoints with their keys and limits, and models as aliases with prices.

Rule of this file: a TOML file in, frozen structs out. Keys themselves never stand in the file's structs, only where
they come from. Amounts of money are read as decimals.
"""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from corpusmill.endpoint.secret import Secret
from corpusmill.spec.diagnose import first_problem
from corpusmill.spec.schema import Limits, Positive, Strict


class ConfigError(Exception):
    """The configuration cannot be used: which file, where in it, and what to do."""


class EndpointConfig(Strict, frozen=True):
    """An OpenAI-compatible API. Its key is in an environment variable or in a file, never here.

    Attributes:
        base_url: with its /v1.
        api_key_env: the environment variable that holds the key.
        api_key_file: the file that holds the key.
        requests_per_minute, tokens_per_minute, concurrency: what the key allows; a spec's limits only lower them.
    """

    base_url: Annotated[str, Meta(min_length=1)]
    api_key_env: str | None = None
    api_key_file: str | None = None
    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None
    concurrency: Positive | None = None


class PriceConfig(Strict, frozen=True):
    """Prices in USD per million tokens; `cached_input` is `input` unless told."""

    input: Annotated[Decimal, Meta(extra={"unit": "USD per million tokens"})]
    output: Annotated[Decimal, Meta(extra={"unit": "USD per million tokens"})]
    cached_input: Decimal | None = None


class ModelConfig(Strict, frozen=True):
    """A model alias: which endpoint serves it, under which name, at which prices."""

    endpoint: str
    name: Annotated[str, Meta(min_length=1)]
    prices: PriceConfig | None = None


class Config(Strict, frozen=True):
    """The whole configuration."""

    endpoints: dict[str, EndpointConfig] = msgspec.field(default_factory=dict)
    models: dict[str, ModelConfig] = msgspec.field(default_factory=dict)


def load_config(path: Path) -> Config:
    """Read a configuration file.

    Raises:
        ConfigError: it cannot be read, is not TOML, or says what it must not.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    try:
        config = msgspec.convert(document, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {first_problem(document, Config) or error}") from None
    for alias, model in config.models.items():
        if model.endpoint not in config.endpoints:
            known = ", ".join(config.endpoints) or "none"
            raise ConfigError(f"{path}: models.{alias}.endpoint: no endpoint {model.endpoint!r}; there are: {known}")
        _check_prices(path, alias, model.prices)
    return config


def endpoint_key(name: str, endpoint: EndpointConfig, environ: Mapping[str, str]) -> Secret | None:
    """Return an endpoint's key, None where it needs none.

    Raises:
        ConfigError: the variable or file that should hold it does not.
    """
    if endpoint.api_key_file is not None:
        try:
            return Secret(Path(endpoint.api_key_file).read_text("utf-8"))
        except OSError as error:
            raise ConfigError(f"endpoints.{name}.api_key_file: cannot be read: {error.strerror}") from None
    if endpoint.api_key_env is not None:
        if not environ.get(endpoint.api_key_env):
            raise ConfigError(f"endpoints.{name}.api_key_env: the variable {endpoint.api_key_env} is not set")
        return Secret(environ[endpoint.api_key_env])
    return None


def lowered(limits: Limits, endpoint: EndpointConfig) -> Limits:
    """Return a spec's limits, lowered to what the endpoint allows."""
    return Limits(
        requests_per_minute=_least(limits.requests_per_minute, endpoint.requests_per_minute),
        tokens_per_minute=_least(limits.tokens_per_minute, endpoint.tokens_per_minute),
        concurrency=_least(limits.concurrency, endpoint.concurrency) or limits.concurrency,
    )


def _least(*bounds: int | None) -> int | None:
    return min((bound for bound in bounds if bound is not None), default=None)


def _check_prices(path: Path, alias: str, prices: PriceConfig | None) -> None:
    for name, amount in () if prices is None else msgspec.structs.asdict(prices).items():
        if amount is not None and not (amount.is_finite() and amount >= 0):
            raise ConfigError(f"{path}: models.{alias}.prices.{name}: a price is 0 or more, was {amount}")
