"""The whole configuration."""

import msgspec

from corpusmill.config.endpoints import EndpointConfig, ModelConfig
from corpusmill.config.service import Keys, Roots, ServerConfig, Webhooks
from corpusmill.spec.schema import Strict


class Config(Strict, frozen=True):
    """The whole configuration; `run` and `plan` read only endpoints and models of it.

    Attributes:
        data: the data directory.
    """

    endpoints: dict[str, EndpointConfig] = msgspec.field(default_factory=dict)
    models: dict[str, ModelConfig] = msgspec.field(default_factory=dict)
    data: str = "data"
    server: ServerConfig = ServerConfig()
    keys: Keys = msgspec.field(default_factory=dict)
    webhooks: Webhooks = msgspec.field(default_factory=dict)
    roots: Roots = msgspec.field(default_factory=dict)
