"""`corpusmill serve`: jobs over HTTP, for weeks."""

import asyncio
import os
from contextlib import closing
from pathlib import Path
from typing import get_args

import click
import uvloop

from corpusmill.bootstrap.target import from_environment
from corpusmill.cli.spans import otlp_option, spans_asked_for
from corpusmill.config import Config, load_config, overridden
from corpusmill.telemetry.events import broadcast
from corpusmill.telemetry.log import Level, LogSink
from corpusmill.web.server import Configuration
from corpusmill.web.server import serve as serving


@click.command(epilog="SIGTERM lets calls that are out come back; SIGHUP reads the configuration again.")
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    envvar="CORPUSMILL_CONFIG",
    help="Endpoints, models, keys and everything else (TOML).",
)
@click.option("--data", type=click.Path(), help="Data directory.  [default: data]")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes any free port.  [default: 8378]")
@click.option("--max-running", type=click.IntRange(1, 1000), help="Jobs that run at once.  [default: 4]")
@click.option(
    "--grace-seconds", type=click.IntRange(0), help="How long calls are waited for at the end.  [default: 60]"
)
@click.option("--model-name", envvar="OPENAI_MODEL", help="The upstream model that the alias `default` means.")
@click.option(
    "--log-level",
    type=click.Choice(get_args(Level)),
    envvar="CORPUSMILL_LOG_LEVEL",
    default="info",
    show_default=True,
    help="debug: a line for every call, item and request.",
)
@otlp_option
def serve(
    config_path: Path | None,
    model_name: str | None,
    log_level: Level,
    otlp_endpoint: str | None,
    **options: str | int | None,
) -> int:
    """Serve a queue of jobs over HTTP.

    Each option has a place in the configuration and a variable CORPUSMILL_NAME. Without a configuration, the endpoint
    is what OPENAI_BASE_URL and OPENAI_API_KEY say; with neither set, a simulated one is started and text is invented.
    """

    def load() -> Config:
        file = load_config(config_path) if config_path is not None else Config()
        return overridden(file, os.environ, options)

    source = Configuration(load, from_environment(os.environ), model_name, os.environ)
    with (
        spans_asked_for(otlp_endpoint) as sinks,
        closing(LogSink(level=log_level)) as log,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        emit = broadcast(log, *sinks)
        runner.run(serving(source, emit=emit, say=lambda line: click.echo(line, err=True)))
    return 0
