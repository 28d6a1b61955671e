"""`corpusmill config`: is the operator's configuration right?"""

import os
from pathlib import Path

import click

from corpusmill.config import Config, check_endpoint_keys, load_config, overridden
from corpusmill.daemon.webhooks import signing_keys
from corpusmill.web.keys import Keyring, require_keys
from corpusmill.web.tls import tls_context


@click.group()
def config() -> None:
    """Look at the operator's configuration."""


@config.command(epilog="Nobody is asked; `corpusmill check` asks the endpoints.")
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    envvar="CORPUSMILL_CONFIG",
    help="The file (TOML); without one, the environment alone is checked.",
)
def check(path: Path | None) -> None:
    """Check that a configuration can be used: its form, its secrets, its folders, its certificate."""
    found = overridden(load_config(path) if path is not None else Config(), os.environ, {})
    check_endpoint_keys(found.endpoints, os.environ)
    keyring = Keyring(found, os.environ)
    require_keys(found.server.host, keyring)
    signing_keys(found.webhooks, os.environ)
    tls_context(found.server)
    click.echo(
        f"the configuration can be used: {len(found.endpoints)} endpoints, {len(found.models)} models, "
        f"{len(keyring)} keys, {len(found.webhooks)} webhooks, {len(found.roots)} folders; data in {found.data}"
    )
