"""The operator's configuration: endpoints and models, and what the daemon may do."""

from corpusmill.config.endpoints import (
    EndpointConfig,
    ModelConfig,
    PriceConfig,
    check_base_url,
    check_endpoint_keys,
    endpoint_key,
)
from corpusmill.config.errors import ConfigError
from corpusmill.config.load import load_config, overridden
from corpusmill.config.service import KeyConfig, Scope, ServerConfig, WebhookConfig
from corpusmill.config.whole import Config

__all__ = [
    "Config",
    "ConfigError",
    "EndpointConfig",
    "KeyConfig",
    "ModelConfig",
    "PriceConfig",
    "Scope",
    "ServerConfig",
    "WebhookConfig",
    "check_base_url",
    "check_endpoint_keys",
    "endpoint_key",
    "load_config",
    "overridden",
]
