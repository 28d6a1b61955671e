"""Asks every model about the held-out items, and the judge about their answers, by the engine that makes corpora.

Rules of this file: each model is asked by a job of its own in `<data>/evaluations`, and so is the judge about each
model; so an evaluation that was broken off goes on where it stopped, and nothing is paid for twice. Whatever can be
refused is refused before the first call.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median, quantiles

from corpusmill.bootstrap.assembly import check_budget
from corpusmill.bootstrap.documents import open_documents, sketched_documents
from corpusmill.bootstrap.job import Running, carry_job
from corpusmill.bootstrap.run import prepare_process
from corpusmill.bootstrap.switchboard import Switchboard
from corpusmill.bootstrap.target import Upstream
from corpusmill.evaluate.answers import read_answers, unanswered
from corpusmill.evaluate.check import check_evaluation
from corpusmill.evaluate.errors import EvaluationError
from corpusmill.evaluate.heldout import Unseen
from corpusmill.evaluate.items import Items
from corpusmill.evaluate.judge import Pair, bench_of, judge_jobs, read_pairs, read_scores, rows_of, write_rows
from corpusmill.evaluate.result import Asked, Cost, Judged, Result, conclude
from corpusmill.evaluate.scores import Verdicts
from corpusmill.evaluate.spec import EvaluationSpec, Finetuned, Judge, job_of
from corpusmill.finetune.attempt import tuned_model
from corpusmill.jobs.folder import job_path
from corpusmill.jobs.snapshot import Snapshot, take_snapshot
from corpusmill.jobs.summary import Summary
from corpusmill.journal.files import Disk
from corpusmill.space.documents.places import Base
from corpusmill.space.documents.scan import Bound
from corpusmill.spec.schema import JobSpec
from corpusmill.spec.steps import choices
from corpusmill.telemetry.events import CallAnswered, Event

EVALUATIONS = "evaluations"
JUDGES, ROWS = "judges", "rows"
"""The folder of all judges, in that of the evaluations; and in that of one of them what is put before it."""

WHOLE = Bound(bytes=2**50, files=10**9)
"""A sketch that leaves nothing out."""


async def evaluate(
    spec: EvaluationSpec,
    data: Path,
    upstream: Upstream,
    base: Base,
    *,
    environ: Mapping[str, str],
    tell: Callable[[str], None],
) -> Result:
    """Ask all models, one after the other, then the judge, and conclude.

    Raises:
        SpecError: the spec cannot be accepted.
        EvaluationError: its items are not held out, a model is not there, or one could not be asked to the end.
        UpstreamError, JobFolderError, JournalError: as a run's.
    """
    check_evaluation(spec)
    jobs = {key: job_of(spec, key, _resolved(key, model, data)) for key, model in spec.models.items()}
    require_held_out(spec, data, base)
    judges = judge_jobs(spec)
    prepare_process()
    async with Switchboard(upstream, environ, spec.limits) as switchboard:
        caller = _Caller(switchboard, data / EVALUATIONS)
        await caller.require([*jobs.values(), *judges.values()])
        asked = {key: await _asked(caller, key, job, spec, base, tell) for key, job in jobs.items()}
        judged = None
        if spec.judge is not None:
            items = caller.items(next(iter(jobs.values())), spec)
            bench = _Caller(switchboard, data / EVALUATIONS / JUDGES / bench_of(spec.judge))
            judged = await _judged(bench, judges, spec.judge, items, asked, tell)
    return conclude(spec.name, spec.cluster, asked, judged, grounded=spec.source is not None, seed=spec.seed)


def require_held_out(spec: EvaluationSpec, data: Path, base: Base) -> None:
    """Refuse items that a model was trained on, and items of which nobody is told what is true.

    Raises:
        SpecError, EvaluationError: as `evaluate`.
    """
    with sketched_documents(job_of(spec, "any", "any"), base, WHOLE) as (documents, _):
        unseen = Unseen(Items(spec, dict(documents)), documents)
        for job in spec.training_jobs:
            unseen.require_unseen(data, job)


class _Caller:
    """Runs jobs in the folder of the evaluations."""

    def __init__(self, switchboard: Switchboard, home: Path) -> None:
        self.home, self._switchboard = home, switchboard

    async def require(self, jobs: list[JobSpec]) -> None:
        """Refuse jobs that cannot be begun, before one of them is; raises as a run."""
        for job in jobs:
            async with self._switchboard.routes(job.name, job) as routes:
                await check_budget(job, routes)

    async def run(self, job: JobSpec, base: Base) -> tuple[Summary, list[float], str]:
        """Run a job to its end; return what it came to, the seconds of each call of this run, and the model's name.

        Raises:
            EvaluationError: it has not come to its end.
        """
        seconds: list[float] = []

        def note(event: Event) -> None:
            if isinstance(event, CallAnswered):
                seconds.append(event.seconds)

        async with self._switchboard.routes(job.name, job) as routes:
            summary = await carry_job(
                job.name, job, self.home, routes, endpoint="", emit=note, watch=_unwatched, base=base
            )
        if summary.state != "finished":
            raise EvaluationError(
                f"{job.name} is {summary.state}: {summary.reason}; when that is put right the same command goes on"
            )
        return summary, seconds, routes[job.steps[0].model].upstream

    def snapshot(self, job: JobSpec) -> Snapshot:
        """Look at a job."""
        return take_snapshot(self.home, job.name)

    def items(self, job: JobSpec, spec: EvaluationSpec) -> Items:
        """Return the items as a job was asked about them."""
        snapshot = self.snapshot(job)
        return Items(spec, dict(open_documents(snapshot.home, snapshot.spec)))


async def _asked(
    caller: _Caller, key: str, job: JobSpec, spec: EvaluationSpec, base: Base, tell: Callable[[str], None]
) -> Asked:
    summary, seconds, model = await caller.run(job, base)
    items = caller.items(job, spec)
    lines = caller.snapshot(job).lines("corpus")
    answers = await asyncio.to_thread(read_answers, lines, items, spec, choices(job.steps[0]))
    given = sum(answer.given for answer in answers)
    decided = {**summary.failed_by, **summary.rejected_by}
    empty = len(unanswered(answers)) - sum(decided.values())
    tell(f"{key}: {given:,} answers of {model}, in {job_path(caller.home, job.name)}")
    reasons = {**decided, **({"empty": empty} if empty else {})}
    return Asked(model, answers, reasons, _cost([summary], seconds))


async def _judged(
    caller: _Caller,
    jobs: dict[str, JobSpec],
    judge: Judge,
    items: Items,
    asked: dict[str, Asked],
    tell: Callable[[str], None],
) -> Judged:
    others = next(iter(asked.values())).answers if judge.asks == "preference" else None
    pairs: dict[str, list[Pair]] = {}
    scores: dict[str, Verdicts] = {}
    unjudged: dict[str, int] = {}
    summaries: list[Summary] = []
    seconds: list[float] = []
    model = judge.model
    for key, job in jobs.items():
        rows, answers = caller.home / ROWS / rows_of(job), asked[key].answers
        lines: list[bytes] = []
        if await asyncio.to_thread(write_rows, Disk(), rows, judge, items, answers, others):
            summary, latencies, model = await caller.run(job, Base.beside(rows))
            summaries.append(summary)
            seconds += latencies
            lines = list(caller.snapshot(job).lines("corpus"))
        if others is not None:
            pairs[key], unjudged[key] = read_pairs(lines, judge, answers, others)
        else:
            scores[key], unjudged[key] = read_scores(lines, judge, answers)
        tell(f"judge: {len(lines):,} verdicts of {model} on {key}, in {job_path(caller.home, job.name)}")
    return Judged(model, judge.asks, pairs, scores, unjudged, _cost(summaries, seconds))


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


def _cost(summaries: list[Summary], seconds: list[float]) -> Cost:
    """Return what jobs took; what a dollar amount is unknown of is unknown as a whole."""
    latency = None
    if len(seconds) > 1:
        latency = (round(median(seconds), 4), round(quantiles(seconds, n=20, method="inclusive")[-1], 4))
    priced = [summary.cost_usd for summary in summaries if summary.cost_usd is not None]
    return Cost(
        calls=sum(summary.calls.answered for summary in summaries),
        input_tokens=sum(summary.tokens.input for summary in summaries),
        output_tokens=sum(summary.tokens.output for summary in summaries),
        usd=round(sum(priced), 6) if len(priced) == len(summaries) else None,
        latency_seconds=latency,
    )


@asynccontextmanager
async def _unwatched(_running: Running) -> AsyncIterator[None]:
    yield
