"""Which error ends a command with which exit code; everything not in the table is a defect and shows a traceback."""

from corpusmill.bootstrap.target import UpstreamError
from corpusmill.config import ConfigError
from corpusmill.daemon.lock import DataBusyError
from corpusmill.endpoint.errors import EndpointConfigError, PriceConfigError
from corpusmill.evaluate.errors import EvaluationError
from corpusmill.exports.errors import ExportError, OutputError
from corpusmill.finetune.errors import FinetuneError, ProviderError
from corpusmill.imports.job import ImportRefusedError
from corpusmill.jobs.folder import JobBusyError, JobFolderError
from corpusmill.jobs.queue.database import DatabaseError
from corpusmill.journal.errors import BrokenDiskError, JournalError
from corpusmill.spec.errors import SpecError
from corpusmill_client.errors import CorpusmillError, RefusedError

FAILED, USAGE, BROKEN_DISK = 1, 2, 74

EXIT_CODES: dict[type[Exception], int] = {
    SpecError: USAGE,
    ConfigError: USAGE,
    DataBusyError: FAILED,
    DatabaseError: FAILED,
    EndpointConfigError: USAGE,
    PriceConfigError: USAGE,
    JobBusyError: FAILED,
    JobFolderError: USAGE,
    ExportError: USAGE,
    EvaluationError: USAGE,
    FinetuneError: USAGE,
    ImportRefusedError: USAGE,
    OutputError: FAILED,
    ProviderError: FAILED,
    UpstreamError: FAILED,
    RefusedError: USAGE,
    CorpusmillError: FAILED,
    BrokenDiskError: BROKEN_DISK,
    JournalError: FAILED,
}
"""Looked through in order: a subclass stands before its parent."""
