"""Fine-tuning jobs, as OpenAI's /fine_tuning/jobs runs them; nothing is trained.

Rule of this file: a job's state is a function of the time since it was made; nothing runs. Times are the clock's, but
for those that clients are told, which are seconds of the day.
"""

from typing import Any, Literal

import msgspec

from corpusmill.simulate.errors import ApiError, ErrorBody, invalid_request
from corpusmill.simulate.files import Files
from corpusmill.simulate.training_file import Measured, TrainingFileError, measure

State = Literal["validating_files", "queued", "running", "succeeded", "failed", "cancelled"]
OVER = ("succeeded", "failed", "cancelled")
STAGES: tuple[tuple[State, float], ...] = (("validating_files", 0.2), ("queued", 0.3), ("running", 1.0))
"""Each state, and the share of a job's time at which it ends."""

TUNED = "ft:"
"""How the name of a tuned model begins."""
ORGANIZATION = "corpusmill"
STEPS_TOLD = 4
MAX_JOBS = 1_000
DEFAULT_EPOCHS = 3


class Hyperparameters(msgspec.Struct, frozen=True):
    """How is trained; `auto` leaves it to the provider."""

    n_epochs: int | Literal["auto"] = "auto"
    batch_size: int | Literal["auto"] = "auto"
    learning_rate_multiplier: float | Literal["auto"] = "auto"


class MethodOf(msgspec.Struct, frozen=True):
    """The settings of one method."""

    hyperparameters: Hyperparameters = Hyperparameters()


class Method(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which way is trained."""

    type: Literal["supervised", "dpo"]
    supervised: MethodOf | None = None
    dpo: MethodOf | None = None


class JobRequest(msgspec.Struct, frozen=True):
    """Body of POST /fine_tuning/jobs."""

    model: str
    training_file: str
    validation_file: str | None = None
    suffix: str | None = None
    seed: int | None = None
    hyperparameters: Hyperparameters | None = None
    method: Method | None = None
    metadata: dict[str, str] | None = None

    @property
    def way(self) -> str:
        """The method's name."""
        return self.method.type if self.method else "supervised"

    @property
    def epochs(self) -> int:
        """How often the file is gone through."""
        settings = (self.method.supervised or self.method.dpo) if self.method else None
        wanted = (settings.hyperparameters if settings else self.hyperparameters) or Hyperparameters()
        return DEFAULT_EPOCHS if wanted.n_epochs == "auto" else wanted.n_epochs


class _Job(msgspec.Struct):
    """A job: what was asked, when, and what its files turned out to be."""

    id: str
    request: JobRequest
    created: int
    began: float
    measured: Measured | None
    fault: str | None
    cancelled: float | None = None


class Tuning:
    """All fine-tuning jobs of one endpoint.

    Args:
        files: what can be trained on.
        seconds: how long a job takes.
    """

    def __init__(self, files: Files, seconds: float) -> None:
        self._files, self._seconds = files, seconds
        self._jobs: dict[str, _Job] = {}

    def create(self, body: bytes, now: float, created: int) -> dict[str, Any]:
        """Begin a job.

        Raises:
            ApiError: the request is not one, or names a file that is not there.
        """
        try:
            request = msgspec.json.decode(body, type=JobRequest)
        except msgspec.ValidationError as error:
            raise invalid_request(f"Invalid request: {error}") from None
        except msgspec.DecodeError:
            raise invalid_request("We could not parse the JSON body of your request.") from None
        if len(self._jobs) >= MAX_JOBS:
            raise invalid_request("The simulated endpoint keeps no more fine-tuning jobs.")
        if request.suffix is not None and not 1 <= len(request.suffix) <= 64:
            raise invalid_request("'suffix' must have 1 to 64 characters", "suffix")
        self._require_files(request)
        measured, fault = self._measured(request)
        job = _Job(f"ftjob-sim{len(self._jobs) + 1:06d}", request, created, now, measured, fault)
        self._jobs[job.id] = job
        return self._shown(job, now)

    def get(self, name: str, now: float) -> dict[str, Any]:
        """Return a job as it is now; ApiError where there is none."""
        return self._shown(self._found(name), now)

    def listed(self, now: float) -> list[dict[str, Any]]:
        """Return all jobs, the newest first."""
        return [self._shown(job, now) for job in reversed(self._jobs.values())]

    def cancel(self, name: str, now: float) -> dict[str, Any]:
        """End a job; ApiError where it is over."""
        job = self._found(name)
        if (state := self._state(job, now)) in OVER:
            raise invalid_request(f"Job has already completed with status {state}: {name}")
        job.cancelled = now
        return self._shown(job, now)

    def events(self, name: str, now: float) -> list[dict[str, Any]]:
        """Return what has happened to a job, the newest first."""
        job = self._found(name)
        told: list[dict[str, Any]] = [
            {
                "object": "fine_tuning.job.event",
                "id": f"ftevent-{job.id}-{number:02d}",
                "created_at": job.created + int(at),
                "level": "error" if job.fault and message.startswith("The job failed") else "info",
                "message": message,
                "type": "metrics" if message.startswith("Step") else "message",
                "data": {},
            }
            for number, (at, message) in enumerate(self._story(job, now))
        ]
        return told[::-1]

    def tuned(self, name: str, now: float) -> str | None:
        """Return the base model of a tuned one; None where no job has made it yet."""
        made = (job for job in self._jobs.values() if _result(job) == name and self._state(job, now) == "succeeded")
        job = next(made, None)
        return None if job is None else job.request.model

    def names(self, now: float) -> list[str]:
        """Return the tuned models that there are."""
        return [_result(job) for job in self._jobs.values() if self._state(job, now) == "succeeded"]

    def _found(self, name: str) -> _Job:
        if name not in self._jobs:
            body = ErrorBody(
                f"Could not find fine tune: {name[:100]}",
                "invalid_request_error",
                "fine_tune_id",
                "fine_tune_not_found",
            )
            raise ApiError(404, "job_not_found", body)
        return self._jobs[name]

    def _require_files(self, request: JobRequest) -> None:
        for param in ("training_file", "validation_file"):
            name = getattr(request, param)
            try:
                purpose = self._files.get(name).purpose if name is not None else "fine-tune"
            except ApiError:
                raise invalid_request(f"invalid {param}: {name[:100]}", param) from None
            if purpose != "fine-tune":
                raise invalid_request(f"File '{name}' has purpose '{purpose}', not 'fine-tune'.", param)

    def _measured(self, request: JobRequest) -> tuple[Measured | None, str | None]:
        try:
            measured = measure(self._files.content(request.training_file), method=request.way)
            if request.validation_file is not None:
                measure(self._files.content(request.validation_file), method=request.way, least=1)
        except TrainingFileError as error:
            return None, str(error)
        return measured, None

    def _state(self, job: _Job, now: float) -> State:
        if job.cancelled is not None:
            return "cancelled"
        share = (now - job.began) / self._seconds if self._seconds else 1.0
        if job.fault is not None and share >= STAGES[0][1]:
            return "failed"
        return next((state for state, end in STAGES if share < end), "succeeded")

    def _shown(self, job: _Job, now: float) -> dict[str, Any]:
        state, request = self._state(job, now), job.request
        trained = job.measured.tokens * request.epochs if job.measured and state == "succeeded" else None
        error = {"code": "invalid_training_file", "message": job.fault, "param": "training_file"}
        return {
            "object": "fine_tuning.job",
            "id": job.id,
            "model": request.model,
            "created_at": job.created,
            "finished_at": job.created + int(self._seconds) if state in OVER else None,
            "fine_tuned_model": _result(job) if state == "succeeded" else None,
            "organization_id": f"org-{ORGANIZATION}",
            "result_files": [],
            "status": state,
            "training_file": request.training_file,
            "validation_file": request.validation_file,
            "hyperparameters": {"n_epochs": request.epochs, "batch_size": 1, "learning_rate_multiplier": 1.0},
            "trained_tokens": trained,
            "error": error if state == "failed" else {},
            "seed": request.seed or 0,
            "estimated_finish": None,
            "integrations": [],
            "method": msgspec.to_builtins(request.method) if request.method else {"type": "supervised"},
            "user_provided_suffix": request.suffix,
            "metadata": request.metadata,
        }

    def _story(self, job: _Job, now: float) -> list[tuple[float, str]]:
        """What has happened until now: seconds after the beginning, and what is said."""
        queued, running, end = (self._seconds * share for _, share in STAGES)
        story: list[tuple[float, str]] = [(0.0, f"Created fine-tuning job: {job.id}")]
        story.append((0.0, f"Validating training file: {job.request.training_file}"))
        if job.fault is not None:
            story.append((queued, f"The job failed due to an invalid training file. {job.fault}"))
        else:
            story.append((queued, "Files validated, moving job to queued state"))
            story.append((running, "Fine-tuning job started"))
            for step in range(1, STEPS_TOLD + 1):
                loss = f"training loss={2.0 / (step + 1):.2f}"
                story.append((running + (end - running) * step / (STEPS_TOLD + 1), f"Step {step}/{STEPS_TOLD}: {loss}"))
            story.append((end, f"New fine-tuned model created: {_result(job)}"))
            story.append((end, "The job has successfully completed"))
        until = now if job.cancelled is None else job.cancelled
        told: list[tuple[float, str]] = [(at, message) for at, message in story if at <= until - job.began]
        return told if job.cancelled is None else [*told, (job.cancelled - job.began, "The job has been cancelled")]


def _result(job: _Job) -> str:
    return f"{TUNED}{job.request.model}:{ORGANIZATION}:{job.request.suffix or ''}:{job.id.removeprefix('ftjob-')}"
