"""One SQLite connection on one thread, and nothing else that touches it.

Rules of this file: every piece of work is one transaction, run whole or not at all; what it returns is durable when it
returns (WAL, synchronous=FULL), unless the work may be lost with the machine's power: then it is durable with the next
one that may not. The schema only ever grows, by numbered scripts.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")

BUSY_SECONDS = 5.0
"""How long to wait for somebody who reads the file with a tool of his own."""

SCHEMA = (
    """
    CREATE TABLE jobs (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        state TEXT NOT NULL,
        submitted_by TEXT NOT NULL,
        priority INTEGER NOT NULL,
        weight INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        started_at TEXT,
        finished_at TEXT,
        error TEXT,
        budget BLOB NOT NULL,
        items INTEGER,
        figures BLOB NOT NULL,
        reserved_picodollars INTEGER,
        spent_picodollars INTEGER NOT NULL DEFAULT 0,
        spec BLOB NOT NULL
    ) STRICT;
    CREATE INDEX jobs_by_turn ON jobs (state, priority, sequence);
    CREATE INDEX jobs_by_key ON jobs (submitted_by);
    CREATE TABLE spent_by_deleted (
        submitted_by TEXT NOT NULL PRIMARY KEY,
        picodollars INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE idempotency (
        submitted_by TEXT NOT NULL,
        key TEXT NOT NULL,
        fingerprint BLOB NOT NULL,
        job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        PRIMARY KEY (submitted_by, key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE deliveries (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL,
        webhook TEXT NOT NULL,
        body BLOB NOT NULL,
        created REAL NOT NULL,
        due REAL NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX deliveries_by_due ON deliveries (due);
    """,
)
"""The script at place n brings a database of version n to version n + 1."""


class DatabaseError(Exception):
    """The file cannot be used: which, why, and what to do."""


class Database:
    """A database, to be opened with `opened`."""

    def __init__(self, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._connection, self._thread = connection, thread

    async def run(self, work: Callable[[sqlite3.Connection], Result], *, lasting: bool = True) -> Result:
        """Do some work as one transaction; return what it returns, raise what it raises.

        Args:
            work: is given the connection, on its thread.
            lasting: wait until it is durable. Otherwise a power cut may undo it, with all that came later.

        Raises:
            sqlite3.Error: the disk does not take it; nothing of it happened.
        """
        transaction = partial(_transaction, self._connection, work, lasting=lasting)
        return await asyncio.get_running_loop().run_in_executor(self._thread, transaction)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Database]:
    """Open a database, made where there is none, while the block runs.

    Raises:
        DatabaseError: it cannot be opened, is damaged, or was written by a later version of this program.
    """
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, "sqlite") as thread:
        connection = await loop.run_in_executor(thread, _connect, path)
        try:
            yield Database(connection, thread)
        finally:
            await loop.run_in_executor(thread, connection.close)


def _connect(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(SCHEMA):
            raise DatabaseError(f"{path} was written by a later version of corpusmill; use that one")
        for number, script in enumerate(SCHEMA[version:], version + 1):
            connection.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT")
    except sqlite3.Error as error:
        raise DatabaseError(f"{path} cannot be used: {error}") from None
    return connection


def _transaction(
    connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], Result], *, lasting: bool
) -> Result:
    connection.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'NORMAL'}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result
