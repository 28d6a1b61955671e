"""A job as the queue keeps it."""

from enum import IntEnum

import msgspec

from corpusmill.jobs.queue.states import State
from corpusmill.journal.sheet import Sheet
from corpusmill.spec.schema import Budget


class Priority(IntEnum):
    """Which jobs go first, in the queue and at every gate; the least number first, as the gates count."""

    HIGH = -1
    NORMAL = 0
    LOW = 1


class Figures(msgspec.Struct, frozen=True):
    """How far a job is.

    Attributes:
        items: how many items it has; None while that is unknown.
        sheet: its balance sheet.
    """

    items: int | None = None
    sheet: Sheet = msgspec.field(default_factory=Sheet)


class Submission(msgspec.Struct, frozen=True):
    """A job as somebody hands it in.

    Attributes:
        id: new.
        name: the spec's.
        spec: as accepted, JSON.
        submitted_by: the name of the submitter's key.
        budget: the spec's.
        weight: its share of every gate relative to other jobs of its priority.
        reserved_picodollars: what is set aside for it of the submitter's cap; None where he has none.
        idempotency_key: the submitter's; the same key again is the same job.
        fingerprint: of what he sent, to tell the same from another.
    """

    id: str
    name: str
    spec: bytes
    submitted_by: str
    items: int | None = None
    budget: Budget = Budget()
    priority: Priority = Priority.NORMAL
    weight: int = 1
    reserved_picodollars: int | None = None
    idempotency_key: str | None = None
    fingerprint: bytes = b""


class Job(msgspec.Struct, frozen=True):
    """A job in the queue; times are ISO 8601, UTC.

    Attributes:
        sequence: its place in the order of submission, from 1.
        error: why it failed, was stopped or waits, for people.
        figures: as they were when they were last noted; those of a running job are with its run.
    """

    sequence: int
    id: str
    name: str
    state: State
    submitted_by: str
    priority: Priority
    weight: int
    created_at: str
    started_at: str | None
    finished_at: str | None
    error: str | None
    budget: Budget
    figures: Figures
