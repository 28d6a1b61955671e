"""`--otlp-endpoint`: spans of calls, where they are asked for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import click

from corpusmill.telemetry.events import Emit

otlp_option = click.option(
    "--otlp-endpoint",
    envvar="OTEL_EXPORTER_OTLP_ENDPOINT",
    metavar="URL",
    help="Send a span for every call to this OTLP/HTTP receiver, such as http://localhost:4318.",
)


@contextmanager
def spans_asked_for(base_url: str | None) -> Iterator[list[Emit]]:
    """Give what takes events and sends spans of them, if it is asked for, while the block runs.

    Raises:
        click.UsageError: the URL is none, or the extra is not installed.
    """
    if not base_url:
        yield []
        return
    if urlsplit(base_url).scheme not in {"http", "https"} or not urlsplit(base_url).netloc:
        raise click.UsageError(f"--otlp-endpoint {base_url}: give a URL such as http://localhost:4318")
    try:
        from corpusmill.telemetry.otlp import spans_sent  # noqa: PLC0415 - lazy, and an optional extra
    except ModuleNotFoundError as error:
        raise click.UsageError(
            f"--otlp-endpoint (or OTEL_EXPORTER_OTLP_ENDPOINT) needs {error.name}, which is not installed: "
            "pip install 'corpusmill[otlp]'"
        ) from None
    with spans_sent(base_url, os.environ, lambda line: click.echo(f"corpusmill: {line}", err=True)) as spans:
        yield [spans]
