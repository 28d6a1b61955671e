"""From a TOML file, the environment and options to one `Config`.

Rules of this file: options come before the environment, the environment before the file, the file before defaults.
Whatever is wrong is a ConfigError of one line that says where. Amounts of money are read as decimals.
"""

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from corpusmill.config.endpoints import check_models
from corpusmill.config.errors import ConfigError
from corpusmill.config.service import KeyConfig, ServerConfig
from corpusmill.config.whole import Config
from corpusmill.spec.diagnose import first_problem

MOST_USD = Decimal(1_000_000)
"""The largest spend cap: sums of pico-dollars stay within 64 bits."""


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
    try:
        check_models(config.endpoints, config.models)
        _check_service(config)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return config


def overridden(config: Config, environ: Mapping[str, str], options: Mapping[str, Any]) -> Config:
    """Return a configuration with what environment and options say otherwise.

    Each setting of `[server]`, and `data`, has a variable: CORPUSMILL_ and its name in capitals.

    Args:
        config: from the file.
        environ: the environment.
        options: by the setting's name; None says nothing.

    Raises:
        ConfigError: a variable's value does not fit.
    """
    told: dict[str, Any] = {name: environ[_variable(name)] for name in _settings() if environ.get(_variable(name))}
    data = told.pop("data", config.data)
    try:
        server = msgspec.convert({**msgspec.structs.asdict(config.server), **told}, ServerConfig, strict=False)
    except msgspec.ValidationError as error:
        name = re.sub(r".*\$\.(\w+).*", r"\1", str(error))
        raise ConfigError(f"{_variable(name)}: {str(error).partition(' - at')[0]}") from None
    given = {name: value for name, value in options.items() if value is not None}
    data = str(given.pop("data", data))
    return msgspec.structs.replace(config, data=data, server=msgspec.structs.replace(server, **given))


def _settings() -> list[str]:
    return [*ServerConfig.__struct_fields__, "data"]


def _variable(name: str) -> str:
    return f"CORPUSMILL_{name.upper()}"


def _check_service(config: Config) -> None:
    for name, key in config.keys.items():
        _check_key(f"keys.{name}", key)
    for name, root in config.roots.items():
        if not Path(root).is_dir():
            raise ConfigError(f"roots.{name}: {root} is no folder")
    for name, webhook in config.webhooks.items():
        if not webhook.url.startswith(("https://", "http://")):
            raise ConfigError(f"webhooks.{name}.url: expected an http:// or https:// URL")
        if (webhook.secret_env is None) == (webhook.secret_file is None):
            raise ConfigError(f"webhooks.{name}: expected one of secret_env and secret_file")


def _check_key(path: str, key: KeyConfig) -> None:
    if sum(source is not None for source in (key.key_env, key.key_file, key.sha256)) != 1:
        raise ConfigError(f"{path}: expected one of key_env, key_file and sha256")
    if key.sha256 is not None and not re.fullmatch("[0-9a-fA-F]{64}", key.sha256):
        raise ConfigError(f"{path}.sha256: expected 64 hexadecimal digits, as `printf %s KEY | sha256sum` prints them")
    if key.spend_usd is not None and not (key.spend_usd.is_finite() and 0 <= key.spend_usd <= MOST_USD):
        raise ConfigError(f"{path}.spend_usd: expected 0 to {MOST_USD:,} dollars, was {key.spend_usd}")
