"""`corpusmill check`: could a job run, and if not, what is to be mended?"""

import asyncio
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
import uvloop

from corpusmill.bootstrap.check import EndpointFinding, Findings, ModelFinding
from corpusmill.bootstrap.check import check as checked
from corpusmill.bootstrap.target import Upstream, from_environment
from corpusmill.cli.accept import accepted
from corpusmill.config import Config, load_config


@click.command(epilog="Nothing is written. Each model is called once, for some 40 tokens.")
@click.argument("spec", type=click.Path(path_type=Path), required=False)
@click.option(
    "--config", type=click.Path(path_type=Path), envvar="CORPUSMILL_CONFIG", help="Endpoints and models (TOML)."
)
@click.option("--model-name", envvar="OPENAI_MODEL", help="The upstream model that the alias `default` means.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object.")
def check(spec: Path | None, config: Path | None, model_name: str | None, as_json: bool) -> int:
    """Ask the endpoints of SPEC, or all that are configured: do they answer, take the key, have the models?

    Each model gets one small call. What is wrong is told with what to do about it, and the exit code is 1 then.
    """
    job = accepted(spec) if spec is not None else None
    configured = load_config(config) if config is not None else Config()
    upstream = Upstream(configured, from_environment(os.environ), model_name)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        findings = runner.run(checked(job, upstream, os.environ, at=datetime.now(UTC)))
    if as_json:
        click.echo(msgspec.json.encode({"ok": not findings.problems, **msgspec.to_builtins(findings)}))
    else:
        click.echo("\n".join(_lines(findings)))
    return 1 if findings.problems else 0


def _lines(findings: Findings) -> Iterator[str]:
    for endpoint in findings.endpoints:
        yield f"endpoint {endpoint.name}: {_endpoint_text(endpoint)}"
        for model in findings.models:
            if model.endpoint == endpoint.name:
                yield f"  model {_name(model)}: {_model_text(model)}"
    yield f"{findings.problems} to mend" if findings.problems else "all is well: a job can run"


def _endpoint_text(endpoint: EndpointFinding) -> str:
    if endpoint.problem is not None:
        return f"NOT USABLE: {endpoint.problem}"
    listed = "no list of models" if endpoint.models is None else f"models listed: {endpoint.models:,}"
    return f"{endpoint.base_url} answers; {listed}"


def _name(model: ModelFinding) -> str:
    return model.alias if model.model in {None, model.alias} else f"{model.alias} ({model.model})"


def _model_text(model: ModelFinding) -> str:
    if model.problem is not None:
        return f"NOT USABLE: {model.problem}"
    tokens = "no usage told, so costs stay unknown"
    if model.input_tokens is not None:
        tokens = f"{model.input_tokens} tokens in, {model.output_tokens} out"
    price = "price known" if model.priced else f"price unknown, set models.{model.alias}.prices"
    return f"answered in {model.seconds} s; {tokens}; {price}"
