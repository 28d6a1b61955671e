"""`corpusmill evaluate`: several models side by side on held-out items, with how sure the figures are."""

import asyncio
import math
import os
from pathlib import Path

import click
import msgspec
import uvloop
from msgspec.structs import replace

from corpusmill.bootstrap.target import Upstream, from_environment
from corpusmill.config import Config, load_config
from corpusmill.evaluate.errors import EvaluationError
from corpusmill.evaluate.page import result_page
from corpusmill.evaluate.result import Result
from corpusmill.evaluate.run import evaluate as evaluated
from corpusmill.evaluate.spec import EvaluationSpec, job_of
from corpusmill.evaluate.text import result_text
from corpusmill.exports.errors import OutputError
from corpusmill.space.documents.places import Base
from corpusmill.space.files import inline_axis_files
from corpusmill.spec.load import load_as


@click.command(epilog="The same command again goes on: no answer is paid for twice.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--data", type=click.Path(path_type=Path), envvar="CORPUSMILL_DATA", default=Path("data"), show_default=True
)
@click.option(
    "--config", type=click.Path(path_type=Path), envvar="CORPUSMILL_CONFIG", help="Endpoints and models (TOML)."
)
@click.option("--model-name", envvar="OPENAI_MODEL", help="The upstream model that the alias `default` means.")
@click.option("--html", type=click.Path(path_type=Path), help="Write one self-contained page with plots there.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def evaluate(
    spec: Path, data: Path, config: Path | None, model_name: str | None, html: Path | None, as_json: bool
) -> None:
    """Ask the models that SPEC names about its held-out items, and compare their answers with what is true.

    Accuracy (precision, recall, F1) and consistency (agreement between draws) are told apart. Intervals and tests go
    by whole documents; a difference that the sample is too small for is not called one.
    """
    wanted = _self_contained(load_as(EvaluationSpec, spec), spec.parent)
    upstream = Upstream(
        load_config(config) if config is not None else Config(), from_environment(os.environ), model_name
    )
    if upstream.default is None and not upstream.config.models:
        raise EvaluationError("no endpoint: set OPENAI_BASE_URL or OPENAI_API_KEY, or give --config")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(evaluated(wanted, data, upstream, Base.beside(spec), environ=os.environ, tell=_tell))
    if html is not None:
        _write(html, result_page(result))
    click.echo(msgspec.json.encode(_without_nan(result)) if as_json else result_text(result))


def _self_contained(spec: EvaluationSpec, folder: Path) -> EvaluationSpec:
    """Make what axis files hold part of the spec."""
    return replace(spec, space=inline_axis_files(job_of(spec, "any", "any"), folder).space)


def _without_nan(result: Result) -> object:
    """Return the result for JSON, which has no NaN: null where nothing is known."""
    return _cleaned(msgspec.to_builtins(result))


def _cleaned(value: object) -> object:
    if isinstance(value, dict):
        return {key: _cleaned(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from None
    _tell(f"page: {path}")


def _tell(line: str) -> None:
    click.echo(f"corpusmill: {line}", err=True)
