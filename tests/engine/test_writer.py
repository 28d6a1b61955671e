"""What waits for the disk is bounded, and goes to it in blocks, in order."""

import asyncio
import errno
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from corpusmill.engine.writer import BLOCK_BYTES, PENDING_BYTES, Writer
from corpusmill.journal.entry import Entry, Lines
from corpusmill.journal.files import Disk, File
from corpusmill.journal.records import Attempts, Paid, decode_record
from corpusmill.journal.segment import Reader
from corpusmill.journal.store import JobStore
from corpusmill.spec.schema import Shards
from corpusmill.telemetry.events import Event, JournalSynced

BODY = msgspec.Raw(b'"' + b"x" * 100_000 + b'"')


def paid(index: int) -> Entry:
    return Entry.of(Paid(index=index, step=0, attempt=0, attempts=Attempts(1), model="m", body=BODY))


def store_in(folder: Path, disk: Disk | None = None) -> JobStore:
    return JobStore(disk or Disk(), folder, Shards(), render=lambda *_: Lines(), now=lambda: "now")


class RefusedOnce:
    """A file whose first sync fails."""

    def __init__(self, file: File) -> None:
        self.write_at, self.close = file.write_at, file.close

    def sync(self) -> None:
        raise OSError(errno.EIO, "refused")


class FailingDisk(Disk):
    """A disk that refuses its first journal segment, and is slow to make the second one."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def create(self, path: Path, reserve_bytes: int = 0) -> File:
        if path.parent.name != "journal":
            return super().create(path, reserve_bytes)
        if not self.reached.is_set() and not any(path.parent.iterdir()):
            return RefusedOnce(super().create(path, reserve_bytes))
        self.reached.set()
        assert self.go_on.wait(30)
        return super().create(path, reserve_bytes)


class Bench:
    """A writer over real files, whose blocking calls wait until they are let through."""

    def __init__(self, folder: Path) -> None:
        self.events: list[Event] = []
        self.gate = asyncio.Event()
        self.store = store_in(folder)
        self.writer = Writer(
            "job",
            self.store,
            blocking=self.blocking,
            free_bytes=lambda: 1 << 40,
            horizon=lambda: 0,
            emit=self.events.append,
        )

    async def blocking(self, function: Callable[[], Any]) -> Any:
        await self.gate.wait()
        return function()


async def in_thread(function: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(function)


def indexes(folder: Path) -> Iterator[int]:
    for block in Reader(Disk(), folder / "journal").blocks():
        for line in block.lines:
            record = decode_record(line)
            assert isinstance(record, Paid)
            yield record.index


def test_a_slow_disk_stops_calls_at_the_bound_and_gets_all_that_was_put_in_order(tmp_path: Path) -> None:
    async def main() -> None:
        bench, count = Bench(tmp_path), 0
        async with asyncio.TaskGroup() as group:
            group.create_task(bench.writer.run())
            while not bench.writer.is_full:
                entry = paid(count)
                if count % 2:
                    bench.writer.put(entry)
                else:
                    bench.writer.put_later(lambda entry=entry: (entry,), entry.line)  # type: ignore[misc] # bound now
                count += 1
                await asyncio.sleep(0)
            assert PENDING_BYTES < count * len(BODY) <= PENDING_BYTES + 2 * len(BODY)
            assert bench.writer.unsynced == count
            waiting = group.create_task(bench.writer.wait_for_room())
            await asyncio.sleep(0)
            assert not waiting.done()
            bench.gate.set()
            await waiting
            bench.writer.close()
        assert bench.writer.unsynced == 0
        bench.store.close()
        blocks = [event for event in bench.events if isinstance(event, JournalSynced)]
        assert sum(block.entries for block in blocks) == count
        assert max(block.bytes for block in blocks) <= BLOCK_BYTES + 2 * len(BODY)
        assert list(indexes(tmp_path)) == list(range(count))

    asyncio.run(main())


def test_no_call_is_issued_between_the_first_refusal_of_the_disk_and_a_durable_place_for_what_it_refused(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        disk = FailingDisk()
        store = store_in(tmp_path, disk)
        writer = Writer(
            "job", store, blocking=in_thread, free_bytes=lambda: 1 << 40, horizon=lambda: 0, emit=lambda _: None
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(writer.run())
            assert not writer.is_full
            writer.put(paid(0))
            try:
                assert await asyncio.to_thread(disk.reached.wait, 30)
                assert writer.is_full
                waiting = group.create_task(writer.wait_for_room())
                await asyncio.sleep(0)
                assert not waiting.done()
            finally:
                disk.go_on.set()
            await waiting
            assert not writer.is_full
            assert writer.unsynced == 0
            writer.close()
        store.close()
        assert list(indexes(tmp_path)) == [0]

    asyncio.run(main())
