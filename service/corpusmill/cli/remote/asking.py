"""How a command finds its daemon: CORPUSMILL_URL and CORPUSMILL_API_KEY (or CORPUSMILL_API_KEY_FILE).

Rule of this file: a key is never an option, because the options of a process are everybody's to read.
"""

import os
from collections.abc import Callable
from typing import TypeVar

import click
import msgspec

from corpusmill.config import ConfigError
from corpusmill.config.secrets import variable_or_file
from corpusmill_client import Patience, SyncClient

KEY_VARIABLE = "CORPUSMILL_API_KEY"
DEFAULT_URL = "http://127.0.0.1:8378"

QUICK = Patience(seconds=3)
"""For a person who waits for one answer: a daemon that is not there is told soon."""

STEADFAST = Patience(seconds=300)
"""For what goes on for long: a daemon that is restarted is waited for."""

Function = TypeVar("Function", bound=Callable[..., object])


def asks_daemon(function: Function) -> Function:
    """Give a command the options that all of them have."""
    function = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(function)
    return click.option(
        "--url", envvar="CORPUSMILL_URL", default=DEFAULT_URL, show_default=True, help="Address of the daemon."
    )(function)


def opened(url: str, patience: Patience = QUICK) -> SyncClient:
    """Return a client of the daemon; to be used as a context manager.

    Raises:
        ConfigError: the address or the key cannot be one.
    """
    secret = variable_or_file(KEY_VARIABLE, os.environ)
    try:
        return SyncClient(url, secret.reveal() if secret is not None else "", patience=patience)
    except ValueError as error:
        raise ConfigError(f"CORPUSMILL_URL or --url: {error}") from None


def print_json(value: object) -> None:
    """Print one JSON object on one line."""
    click.echo(msgspec.json.encode(value))
