"""A provider with /files and /fine_tuning/jobs, through the openai SDK.

Rules of this file: nothing is sent twice. The SDK's own retries are off, because an upload or a job whose answer was
lost may have been made; who asks again looks first. Errors are told apart by type, in one table.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec
import openai
from openai.types.fine_tuning import FineTuningJob
from openai.types.fine_tuning.job_create_params import Method

from corpusmill.endpoint.secret import Secret
from corpusmill.finetune.errors import OutageError, ProviderError

TIMEOUT_SECONDS = 600.0
"""A large file over a slow line."""
LISTED = 100
"""Entries of a page."""
LOOKED_THROUGH = 5_000
"""How many of the newest files or jobs are looked through for one of ours."""
PURPOSE: Final = "fine-tune"

_PASSING = (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError)


class Progress(msgspec.Struct, frozen=True):
    """A provider's job as it is now."""

    id: str
    status: str
    fine_tuned_model: str | None
    trained_tokens: int | None
    error: str | None


class Told(msgspec.Struct, frozen=True):
    """Something that happened to it."""

    id: str
    message: str


class Order(msgspec.Struct, frozen=True):
    """A fine-tuning job to be made; None leaves a setting to the provider."""

    model: str
    training_file: str
    validation_file: str | None
    suffix: str | None
    seed: int | None
    epochs: int | None
    preferences: bool = False


class Provider:
    """Where training is done; a context manager.

    Args:
        base_url: of its API.
        api_key: None where it asks for none.
    """

    def __init__(self, base_url: str, api_key: Secret | None) -> None:
        key = api_key.reveal() if api_key else "none"
        self._client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=TIMEOUT_SECONDS)
        self._base_url = base_url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def find_file(self, name: str, size_bytes: int) -> str | None:
        """Return the id of a file of this name and size; None where there is none."""
        with self._explained():
            for count, file in enumerate(self._client.files.list(purpose=PURPOSE, limit=LISTED)):
                if file.filename == name and file.bytes == size_bytes:
                    return file.id
                if count >= LOOKED_THROUGH:
                    break
        return None

    def upload(self, name: str, path: Path) -> str:
        """Upload a file; return its id."""
        with self._explained(), path.open("rb") as file:
            return self._client.files.create(file=(name, file), purpose=PURPOSE).id

    def find_job(self, model: str, training_file: str) -> str | None:
        """Return the id of a job that trains this model on this file; None where there is none."""
        with self._explained():
            for count, job in enumerate(self._client.fine_tuning.jobs.list(limit=LISTED)):
                if job.training_file == training_file and job.model == model:
                    return job.id
                if count >= LOOKED_THROUGH:
                    break
        return None

    def create_job(self, order: Order) -> str:
        """Make a job; return its id."""
        absent = openai.omit
        method: Method = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": order.epochs or "auto"}}}
        plain = None if order.preferences else order.epochs
        with self._explained():
            job = self._client.fine_tuning.jobs.create(
                model=order.model,
                training_file=order.training_file,
                validation_file=order.validation_file or absent,
                suffix=order.suffix or absent,
                seed=absent if order.seed is None else order.seed,
                hyperparameters=absent if plain is None else {"n_epochs": plain},
                method=method if order.preferences else absent,
            )
        return job.id

    def progress(self, job: str) -> Progress:
        """Return what became of a job until now."""
        with self._explained():
            return _progress(self._client.fine_tuning.jobs.retrieve(job))

    def events(self, job: str, seen: str | None) -> list[Told]:
        """Return what has happened since the event `seen`, the oldest first."""
        told: list[Told] = []
        with self._explained():
            for event in self._client.fine_tuning.jobs.list_events(job, limit=LISTED):
                if event.id == seen or len(told) >= LOOKED_THROUGH:
                    break
                told.append(Told(event.id, event.message))
        return told[::-1]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn the SDK's errors into ours."""
        try:
            yield
        except _PASSING as error:
            raise OutageError(f"{self._base_url} does not answer: {_said(error)}") from None
        except openai.NotFoundError as error:
            raise ProviderError(
                f"{self._base_url} has not what was asked for ({_said(error)}); "
                "training needs /files and /fine_tuning/jobs"
            ) from None
        except openai.AuthenticationError as error:
            raise ProviderError(f"{self._base_url} refuses the key ({_said(error)}); check OPENAI_API_KEY") from None
        except openai.APIError as error:
            raise ProviderError(f"{self._base_url} refuses: {_said(error)}") from None


def _progress(job: FineTuningJob) -> Progress:
    error = job.error.message if job.error and job.error.message else None
    return Progress(job.id, job.status, job.fine_tuned_model, job.trained_tokens, error)


def _said(error: openai.APIError) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("message") or error.message)[:300]
