"""The outbox: who is to be told of which change, kept with the change itself.

Rule of this file: a delivery is noted in the transaction that changes the job, so it is told at least once, whatever
becomes of this process; its id stays the same with every try.
"""

import sqlite3
from collections.abc import Callable, Mapping

import msgspec

from corpusmill.config import WebhookConfig
from corpusmill.daemon.view import JobObject, job_object
from corpusmill.engine.bell import Bell
from corpusmill.jobs.queue.database import Database
from corpusmill.jobs.queue.job import Job

MOST = 100_000
"""Deliveries that wait at most; beyond that, news is dropped."""


class Delivery(msgspec.Struct, frozen=True):
    """One message to one webhook.

    Attributes:
        sequence: its place in the outbox.
        id: told to the receiver, who may see it twice.
        created: wall clock, seconds.
        tries: how often it was sent in vain.
    """

    sequence: int
    id: str
    webhook: str
    body: bytes
    created: float
    tries: int


class _Message(msgspec.Struct, frozen=True):
    type: str
    timestamp: str
    data: JobObject


class Outbox:
    """Deliveries that wait.

    Args:
        clock: wall clock, seconds.
        stamp: the same, ISO 8601.
        new_id: makes an id that was never there before.

    Attributes:
        webhooks: those of the configuration as it is now.
        news: rings when there is something new.
    """

    def __init__(self, clock: Callable[[], float], stamp: Callable[[], str], new_id: Callable[[], str]) -> None:
        self._clock, self._stamp, self._new_id = clock, stamp, new_id
        self.webhooks: Mapping[str, WebhookConfig] = {}
        self.news = Bell()

    def note(self, connection: sqlite3.Connection, job: Job) -> None:
        """Write down who is to be told of a job's new state, within the transaction that makes it so."""
        for name, webhook in self.webhooks.items():
            if webhook.states and job.state.value not in webhook.states:
                continue
            message = _Message(f"job.{job.state.value}", self._stamp(), job_object(job, job.figures))
            now = self._clock()
            connection.execute(
                "INSERT INTO deliveries (id, webhook, body, created, due) SELECT ?, ?, ?, ?, ? "
                "WHERE (SELECT count(*) FROM deliveries) < ?",
                (f"msg_{self._new_id()}", name, msgspec.json.encode(message), now, now, MOST),
            )


async def due(database: Database, now: float, count: int) -> tuple[list[Delivery], float | None]:
    """Return deliveries whose time has come, the oldest first, and when the next one is due if none is."""

    def work(connection: sqlite3.Connection) -> tuple[list[Delivery], float | None]:
        rows = connection.execute(
            "SELECT sequence, id, webhook, body, created, tries FROM deliveries WHERE due <= ? "
            "ORDER BY sequence LIMIT ?",
            (now, count),
        ).fetchall()
        (following,) = connection.execute("SELECT min(due) FROM deliveries").fetchone()
        return [Delivery(*row) for row in rows], following

    return await database.run(work)


async def settle(database: Database, delivery: Delivery, due_again: float | None) -> None:
    """Take a delivery out of the outbox, or put it back until then."""

    def work(connection: sqlite3.Connection) -> None:
        if due_again is None:
            connection.execute("DELETE FROM deliveries WHERE sequence = ?", (delivery.sequence,))
        else:
            connection.execute(
                "UPDATE deliveries SET due = ?, tries = tries + 1 WHERE sequence = ?", (due_again, delivery.sequence)
            )

    await database.run(work)
