"""From a model alias to where it leads: which endpoints, with which keys and limits, and under which name.

Rule of this file: it only looks things up, and reads keys. Nothing is opened, nobody is asked.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from corpusmill.config import Config, EndpointConfig, ModelConfig, check_base_url, endpoint_key
from corpusmill.config.secrets import variable_or_file
from corpusmill.endpoint.secret import Secret
from corpusmill.limits.charge import Limits as GateLimits
from corpusmill.spec.schema import Limits

OPENAI_BASE_URL: Final = "https://api.openai.com/v1"
"""What every OpenAI client calls when only a key is set."""

DEFAULT: Final = "default"
"""The name of the endpoint that the environment sets, and of the alias that means its model."""


Budget = tuple[str, Secret | None, str]
"""Base URL, credential and pool: what an API counts together, and what has one gate."""


class UpstreamError(Exception):
    """The endpoint cannot serve this job: which, why, and what to do.

    Attributes:
        may_pass: it is an outage, and worth waiting for.
    """

    def __init__(self, message: str, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class Target(msgspec.Struct, frozen=True):
    """One endpoint with its key: what aliases lead to.

    Attributes:
        name: what the operator calls it; for people and metrics.
        endpoint: where it is and what it allows.
        api_key: None where it needs none, or where nobody has to know it.
    """

    name: str
    endpoint: EndpointConfig
    api_key: Secret | None = None

    @property
    def budget(self) -> Budget:
        """What shares one gate."""
        return self.endpoint.base_url, self.api_key, self.endpoint.pool


class Upstream(msgspec.Struct, frozen=True):
    """How aliases are resolved.

    Attributes:
        config: the operator's aliases; they come first.
        default: the endpoint for every other alias; None where there is none.
        model_name: what the alias `default` means, if it is not configured.
    """

    config: Config
    default: Target | None
    model_name: str | None = None

    def model(self, alias: str) -> ModelConfig | None:
        """Return what is configured of an alias."""
        return self.config.models.get(alias)

    def name(self, alias: str) -> str | None:
        """Return the model's name at its endpoint; None where only the endpoint can tell."""
        model = self.model(alias)
        if model is not None:
            return model.name
        return self.model_name if alias == DEFAULT else alias

    @property
    def needs_published_prices(self) -> bool:
        """Whether there may be calls whose price is not configured."""
        return self.default is not None or any(model.prices is None for model in self.config.models.values())

    def endpoints(self, alias: str) -> dict[str, EndpointConfig]:
        """Return the endpoints an alias leads to, by name: one, or a pool of them.

        Raises:
            UpstreamError: it is not configured, and there is no default.
        """
        model = self.model(alias)
        if model is not None:
            return {name: self.config.endpoints[name] for name in model.endpoints}
        if self.default is None:
            raise UpstreamError(f"no endpoint for model {alias!r}: set OPENAI_BASE_URL, or configure the alias")
        return {self.default.name: self.default.endpoint}

    def targets(self, alias: str, environ: Mapping[str, str]) -> list[Target]:
        """Return the endpoints an alias leads to, with their keys.

        Raises:
            UpstreamError: it is not configured, and there is no default.
            ConfigError: a key is not where it should be.
        """
        if self.model(alias) is None and self.default is not None:
            return [self.default]
        return [
            Target(name, endpoint, endpoint_key(name, endpoint, environ))
            for name, endpoint in self.endpoints(alias).items()
        ]


def from_environment(environ: Mapping[str, str]) -> Target | None:
    """Return the endpoint that OPENAI_BASE_URL and OPENAI_API_KEY name, None where neither is set.

    OPENAI_API_KEY_FILE may name a file that holds the key instead.

    Raises:
        ConfigError: that file cannot be read, or the URL cannot be one.
    """
    base_url, key = environ.get("OPENAI_BASE_URL"), variable_or_file("OPENAI_API_KEY", environ)
    if not base_url and not key:
        return None
    if base_url:
        check_base_url("OPENAI_BASE_URL", base_url)
    return Target(DEFAULT, EndpointConfig(base_url=base_url or OPENAI_BASE_URL), key)


def gate_limits(endpoint: EndpointConfig, limits: Limits) -> GateLimits:
    """Return what the gate of an endpoint holds to: what the endpoint allows, lowered by other limits."""
    allowed = GateLimits(
        requests_per_minute=endpoint.requests_per_minute,
        tokens_per_minute=endpoint.tokens_per_minute,
        input_tokens_per_minute=endpoint.input_tokens_per_minute,
        output_tokens_per_minute=endpoint.output_tokens_per_minute,
        requests_per_day=endpoint.requests_per_day,
        tokens_per_day=endpoint.tokens_per_day,
        concurrency=endpoint.concurrency,
        reserve_output=endpoint.reserve_output,
    )
    return allowed.lowered(spec_limits(limits))


def spec_limits(limits: Limits) -> GateLimits:
    """Return the limits of a spec as a gate's."""
    return GateLimits(
        requests_per_minute=limits.requests_per_minute,
        tokens_per_minute=limits.tokens_per_minute,
        concurrency=limits.concurrency,
    )
