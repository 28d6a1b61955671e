"""`corpusmill plan`: what a job would be and take, before a cent is spent.

Rule of this file: no network, nothing written. What only an endpoint could tell is told as unknown.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from corpusmill.bootstrap.assembly import space_of
from corpusmill.bootstrap.documents import sketched_documents
from corpusmill.bootstrap.models import ANYWHERE, known_models
from corpusmill.bootstrap.target import Upstream, from_environment
from corpusmill.cli.accept import Overrides, accepted
from corpusmill.cli.plan_text import plan_text
from corpusmill.config import Config, load_config
from corpusmill.jobs.advice import advice, suggested_max_tokens
from corpusmill.jobs.plan import MOST_SAMPLES, make_plan
from corpusmill.space.documents.places import Base
from corpusmill.space.values import encode_value
from corpusmill.spec.schema import JobSpec
from corpusmill.spec.steps import aliases

POSITIVE = click.IntRange(min=1)


@click.command(epilog="Nothing is called and nothing is written.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--data", type=click.Path(path_type=Path), envvar="CORPUSMILL_DATA", default=Path("data"), show_default=True
)
@click.option("--samples", type=click.IntRange(0, MOST_SAMPLES), default=3, show_default=True, help="Items to show.")
@click.option(
    "--config", type=click.Path(path_type=Path), envvar="CORPUSMILL_CONFIG", help="Endpoints and models (TOML)."
)
@click.option("--model-name", envvar="OPENAI_MODEL", help="The upstream model that the alias `default` means.")
@click.option("--rpm", type=POSITIVE, help="Requests per minute, instead of the spec's.")
@click.option("--tpm", type=POSITIVE, help="Tokens per minute, instead of the spec's.")
@click.option("--concurrency", type=POSITIVE, help="Calls in flight, instead of the spec's.")
@click.option("--limit", type=POSITIVE, help="Items, instead of the spec's.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as one JSON object.")
def plan(
    spec: Path,
    data: Path,
    samples: int,
    config: Path | None,
    model_name: str | None,
    as_json: bool,
    **overrides: int | None,
) -> None:
    """Count and estimate the job that SPEC describes, and show its prompts."""
    job = accepted(spec, msgspec.convert(overrides, Overrides))
    configured = load_config(config) if config is not None else Config()
    upstream = Upstream(configured, from_environment(os.environ) or ANYWHERE, model_name)
    models = known_models(job, upstream, at=datetime.now(UTC))
    with sketched_documents(job, Base.beside(spec)) as (documents, remarks):
        suggested = suggested_max_tokens(data, job)
        made, basis = make_plan(job, space_of(job, documents), models, samples, (*remarks, *advice(job, suggested)))
    made = msgspec.structs.replace(made, suggested_max_tokens=suggested)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(made, enc_hook=encode_value), ensure_ascii=False).encode())
    else:
        click.echo(plan_text(job, made, basis, models, remark=_simulated(job, configured, os.environ)))


def _simulated(spec: JobSpec, config: Config, environ: Mapping[str, str]) -> str:
    """Return what to say where a run would be answered by the simulated endpoint."""
    if from_environment(environ) is not None or all(alias in config.models for alias in aliases(spec.steps)):
        return ""
    return "No endpoint is set (OPENAI_BASE_URL, OPENAI_API_KEY): a run is simulated, for nothing, in its own time."
