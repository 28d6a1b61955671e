"""The writer: takes what workers bring, makes it durable in groups, and folds it into shards.

Rules of this file: one block in flight; entries become durable in the order in which they were put. Pending bytes are
bounded. A full disk pauses the job until there is room, with everything that was paid for kept in memory; a disk that
refuses twice ends the run.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Protocol, TypeVar

from corpusmill.engine.bell import Bell
from corpusmill.journal.entry import Entry
from corpusmill.journal.errors import FULL, BrokenDiskError
from corpusmill.journal.store import JobStore
from corpusmill.telemetry.events import Emit, JobPaused, JobResumed, JournalSynced, ShardSealed

LINGER_SECONDS = 0.01
"""How long a block collects: about 100 commits a second at most, each of everything that came meanwhile."""

BLOCK_BYTES = 1 << 20
"""Lines that end the lingering early, and about the most one block holds: judging them takes the loop 20 ms or so."""

PENDING_BYTES = 8 << 20
"""Lines in memory at which no further call is issued. With all that hangs on them they take four times as much."""

RETRY_SECONDS = 5.0
"""How long to wait before asking a full disk again; there is no notification for free space."""

LOW_BYTES = 64 << 20
"""Free space that is kept for what is out when issuing stops: one journal segment."""

Result = TypeVar("Result")


class Blocking(Protocol):
    """Runs a blocking function off the event loop, one at a time, in order."""

    def __call__(self, function: Callable[[], Result]) -> Awaitable[Result]:
        """Return the function's result; raise what it raises."""


class Writer:
    """Makes entries durable.

    Args:
        job: the job's name, for events.
        store: the job's files.
        blocking: runs the store's blocking calls.
        free_bytes: free space on the job's disk.
        horizon: below which position of the job's order nothing is left to do.
        emit: takes events.
        low_bytes: free space below which no call is issued; issuing goes on at twice this.
    """

    def __init__(
        self,
        job: str,
        store: JobStore,
        *,
        blocking: Blocking,
        free_bytes: Callable[[], int],
        horizon: Callable[[], int],
        emit: Emit,
        low_bytes: int = LOW_BYTES,
    ) -> None:
        self._job, self._store, self._blocking, self._emit = job, store, blocking, emit
        self._free_bytes, self._low_bytes, self._horizon = free_bytes, low_bytes, horizon
        self._pending: deque[tuple[int, Entry | Callable[[], Iterable[Entry]]]] = deque()
        self._pending_bytes = 0
        self._put_count = self._durable_count = 0
        self._news = asyncio.Event()
        self._hurry = asyncio.Event()
        self._closing = False
        self._room = Bell()
        self._paused_at: float | None = None
        self._unsettled = False

    def put(self, entry: Entry) -> None:
        """Hand over an entry; it will be durable soon, or the run ends."""
        self._note(len(entry.line), entry)

    def put_later(self, make: Callable[[], Iterable[Entry]], body: bytes) -> None:
        """Hand over what is made into entries when they are written, in one go with others of its kind.

        Args:
            make: gives the entries; it must not raise.
            body: what they will hold, for the bound on pending bytes.
        """
        self._note(len(body), make)

    async def put_durably(self, entry: Entry) -> None:
        """Hand over an entry, and return when it and all before it are durable."""
        self.put(entry)
        goal = self._put_count
        while self._durable_count < goal:
            await self._room.wait()

    async def wait_for_room(self) -> None:
        """Return when another call may be issued: what it brings will find room in memory and on the disk."""
        while self.is_full:
            await self._room.wait()

    @property
    def is_full(self) -> bool:
        """Whether no call should be issued just now: a first refusal of the disk is enough."""
        return self._paused_at is not None or self._pending_bytes > PENDING_BYTES or self._store.is_refused

    @property
    def unsynced(self) -> int:
        """Entries that are not durable yet."""
        return self._put_count - self._durable_count

    def close(self) -> None:
        """Ask `run` to return when everything that was put is durable."""
        self._closing = True
        self._news.set()
        self._hurry.set()

    async def run(self) -> None:
        """Write until closed; raises BrokenDiskError if the disk refuses for good."""
        self._regard_free_space()
        while self._pending or not self._closing:
            await self._wait_for_news()
            batch, size = self._next_batch()
            await self._write(_made(batch))
            self._durable_count += len(batch)
            self._pending_bytes -= size
            self._room.ring()
            self._regard_free_space()

    def _note(self, size: int, pending: Entry | Callable[[], Iterable[Entry]]) -> None:
        self._pending.append((size, pending))
        self._pending_bytes += size
        self._put_count += 1
        self._news.set()
        if self._pending_bytes >= BLOCK_BYTES:
            self._hurry.set()

    def _next_batch(self) -> tuple[list[Entry | Callable[[], Iterable[Entry]]], int]:
        """Take what one block holds of what is pending; return it and its size."""
        batch: list[Entry | Callable[[], Iterable[Entry]]] = []
        size = 0
        while self._pending and size < BLOCK_BYTES:
            each_size, each = self._pending.popleft()
            batch.append(each)
            size += each_size
        return batch, size

    async def _wait_for_news(self) -> None:
        """Return when there is something to write and more had time to collect; in a pause, when it is time to look."""
        if not self._pending:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if self._paused_at is None else RETRY_SECONDS):
                    await self._news.wait()
        if self._pending_bytes < BLOCK_BYTES:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER_SECONDS):
                    await self._hurry.wait()
        if not self._closing:
            self._news.clear()
            self._hurry.clear()

    async def _write(self, block: list[Entry]) -> None:
        if block:
            await self._until_there_is_room(partial(self._commit, block))
        if block or self._unsettled:
            await self._settle()

    async def _commit(self, block: list[Entry]) -> None:
        began = asyncio.get_running_loop().time()
        size = await self._blocking(lambda: self._store.commit(block))
        self._emit(JournalSynced(self._job, len(block), size, asyncio.get_running_loop().time() - began))

    async def _settle(self) -> None:
        """Fold what is durable; a full disk puts that off, because what is still out must come to the journal first."""
        self._unsettled = True
        try:
            sealed = await self._blocking(partial(self._store.settle, self._horizon()))
        except OSError as error:
            if error.errno not in FULL:
                raise BrokenDiskError(f"the disk refused a shard: {error.strerror}") from error
            self._pause("disk (full)")
            return
        self._unsettled = False
        for folder, shard in sealed:
            self._emit(ShardSealed(self._job, folder, shard.name, shard.records, shard.bytes))

    async def _until_there_is_room(self, action: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await action()
            except OSError as error:
                if error.errno not in FULL:
                    raise
                self._pause("disk (full)")
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    def _regard_free_space(self) -> None:
        """Stop issuing calls while the disk is nearly full, and go on when there is room again."""
        free = self._free_bytes()
        if free < self._low_bytes:
            self._pause("disk (nearly full)")
        elif free >= 2 * self._low_bytes and not self._unsettled:
            self._resume()

    def _pause(self, cause: str) -> None:
        if self._paused_at is None:
            self._paused_at = asyncio.get_running_loop().time()
            self._emit(JobPaused(self._job, cause))

    def _resume(self) -> None:
        if self._paused_at is not None:
            self._emit(JobResumed(self._job, asyncio.get_running_loop().time() - self._paused_at))
            self._paused_at = None
            self._room.ring()


def _made(batch: list[Entry | Callable[[], Iterable[Entry]]]) -> list[Entry]:
    """Return the entries of a batch, in order."""
    entries: list[Entry] = []
    for each in batch:
        if isinstance(each, Entry):
            entries.append(each)
        else:
            entries.extend(each())
    return entries
