"""Asks every model about the held-out items, by the engine that makes corpora, and reads what they said.

Rule of this file: each model is asked by a job of its own in `<data>/evaluations`, so an evaluation that was broken off
goes on where it stopped, and nothing is paid for twice.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median, quantiles

import msgspec

from corpusmill.bootstrap.job import Running
from corpusmill.bootstrap.run import run_job
from corpusmill.bootstrap.target import Upstream
from corpusmill.evaluate.answers import Answer, read_answer
from corpusmill.evaluate.errors import EvaluationError
from corpusmill.evaluate.heldout import require_held_out
from corpusmill.evaluate.result import Asked, Cost, Result, conclude
from corpusmill.evaluate.spec import EvaluationSpec, Finetuned, job_of
from corpusmill.exports.record import read_record
from corpusmill.finetune.attempt import tuned_model
from corpusmill.jobs.folder import job_path
from corpusmill.jobs.snapshot import take_snapshot
from corpusmill.jobs.summary import Summary
from corpusmill.space.documents.places import Base
from corpusmill.spec.checks import check_spec
from corpusmill.spec.schema import JobSpec
from corpusmill.telemetry.events import CallAnswered, Event

EVALUATIONS = "evaluations"


def models_of(spec: EvaluationSpec, data: Path) -> dict[str, str]:
    """Return the upstream name or alias of each model.

    Raises:
        EvaluationError: a job has no tuned model yet.
    """
    return {key: _resolved(key, model, data) for key, model in spec.models.items()}


def jobs_of(spec: EvaluationSpec, data: Path, base: Base) -> dict[str, JobSpec]:
    """Return the job that asks each model, when all is well with the spec and its documents.

    Raises:
        SpecError: the spec cannot be accepted.
        EvaluationError: its documents are not held out, or a model is not there.
    """
    if spec.cluster not in {**spec.space.axes, **spec.space.documents}:
        raise EvaluationError(f"cluster: there is no axis {spec.cluster!r}; name the axis that the items differ by")
    jobs = {key: job_of(spec, key, model) for key, model in models_of(spec, data).items()}
    for job in jobs.values():
        check_spec(job)
    require_held_out(next(iter(jobs.values())), spec.trained_on, data, base)
    return jobs


async def evaluate(
    spec: EvaluationSpec,
    data: Path,
    upstream: Upstream,
    base: Base,
    *,
    environ: Mapping[str, str],
    tell: Callable[[str], None],
) -> Result:
    """Ask all models, one after the other, and conclude.

    Raises:
        EvaluationError: what `jobs_of` refuses, or a model could not be asked to the end.
        SpecError, UpstreamError, JobFolderError, JournalError: as a run's.
    """
    asked: dict[str, Asked] = {}
    for key, job in jobs_of(spec, data, base).items():
        seconds: list[float] = []

        def note(event: Event, seconds: list[float] = seconds) -> None:
            if isinstance(event, CallAnswered):
                seconds.append(event.seconds)

        home = data / EVALUATIONS
        summary = await run_job(job, home, upstream, environ=environ, emit=note, watch=_unwatched, base=base)
        if summary.state != "finished":
            raise EvaluationError(f"{key} is {summary.state}: {summary.reason}; the same command goes on")
        answers = await asyncio.to_thread(_answers, home, job, spec)
        tell(f"{key}: {len(answers):,} answers of {job.steps[0].model}, in {job_path(home, job.name)}")
        unanswered = summary.outcomes.total - summary.outcomes.kept
        asked[key] = Asked(job.steps[0].model, answers, unanswered, _cost(summary, seconds))
    return conclude(spec.name, spec.cluster, asked, grounded=spec.source is not None, seed=spec.seed)


def _resolved(key: str, model: str | Finetuned, data: Path) -> str:
    if isinstance(model, str):
        return model
    tuned = tuned_model(job_path(data, model.finetuned))
    if tuned is None:
        raise EvaluationError(
            f"models.{key}: no model has come of job {model.finetuned} yet; "
            f"`corpusmill finetune {model.finetuned}` makes one"
        )
    return tuned


def _answers(home: Path, job: JobSpec, spec: EvaluationSpec) -> list[Answer]:
    try:
        return [read_answer(read_record(line), spec) for line in take_snapshot(home, job.name).lines("corpus")]
    except msgspec.ValidationError as error:
        raise EvaluationError(f"reference: it must give a list of texts for every item ({error})") from None


def _cost(summary: Summary, seconds: list[float]) -> Cost:
    latency = None
    if len(seconds) > 1:
        latency = (round(median(seconds), 4), round(quantiles(seconds, n=20, method="inclusive")[-1], 4))
    return Cost(summary.calls.answered, summary.tokens.input, summary.tokens.output, summary.cost_usd, latency)


@asynccontextmanager
async def _unwatched(_running: Running) -> AsyncIterator[None]:
    yield
