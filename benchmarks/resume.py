"""How long it takes to open a job again that broke off, against a plain scan of its whole journal.

Run as `python -m benchmarks.resume ITEMS SHARD_RECORDS`, it makes such a job, opens and scans it in turn, and prints
the costs as JSON.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import msgspec

from benchmarks.answers import MODEL, SERIAL, completion_body, prepared_texts
from benchmarks.children import module_output
from benchmarks.cost import Cost, measured
from benchmarks.sizes import Sizes
from benchmarks.specs import plots
from benchmarks.table import Row
from corpusmill.bootstrap.assembly import Assembly
from corpusmill.dedup.fingerprint import fingerprint
from corpusmill.journal.block import decode_block
from corpusmill.journal.entry import Entry, Lines
from corpusmill.journal.files import Disk
from corpusmill.journal.records import Attempts, Decided, Paid, decode_record
from corpusmill.spec.schema import JobSpec

ROUNDS = 3
BLOCK_ITEMS = 100
"""About what one group commit holds at full speed."""

SCAN_SHARE = 1.0


class Costs(msgspec.Struct):
    """What each round cost: opening the job, and scanning its journal."""

    opened: list[Cost] = []
    scanned: list[Cost] = []


def resume(sizes: Sizes) -> Iterator[Row]:
    """Compare opening with scanning, in a process of their own."""
    items, shard_records = sizes.resumed_items
    costs = msgspec.json.decode(module_output(["benchmarks.resume", str(items), str(shard_records)])[-1], type=Costs)
    our, scan = (median(cost.cpu_seconds for cost in each) for each in (costs.opened, costs.scanned))
    yield Row(
        f"reopen a broken-off job of {items:,} items",
        f"{our:.2f} CPU-s",
        f"plain scan {scan:.2f} CPU-s",
        our / scan,
        f"<= {SCAN_SHARE:.1f}",
        our / scan <= SCAN_SHARE,
        f"of these, {shard_records:,} after the last commit; {median(c.wall_seconds for c in costs.opened):.2f} s by "
        "the clock",
    )


def break_off(spec: JobSpec, folder: Path, items: int) -> None:
    """Make a job of which so many items are done, and leave it as a crash would."""
    assembly = Assembly(spec, folder, Disk(), _now)
    store = assembly.store
    texts = prepared_texts()
    for start in range(0, items, BLOCK_ITEMS):
        block: list[Entry] = []
        for index in range(start, min(start + BLOCK_ITEMS, items)):
            text = texts[index % len(texts)].replace(SERIAL, f"{index:010d}", 1)
            body = msgspec.Raw(completion_body(index, text))
            paid = Paid(index, 0, 0, Attempts(sent=1), MODEL, body, (60, 0, 400, 0))
            decided = Decided(index, "kept", records=1, fingerprints=(fingerprint(text),))
            block += (Entry.of(paid), Entry.decided(decided, Lines((msgspec.json.encode({"completion": text}),))))
        store.commit(block)
        store.settle()
    store.close()


def scan(journal: Path) -> int:
    """Read a journal without any check and return how many records it holds."""
    records = 0
    for path in sorted(journal.iterdir()):
        view, offset = memoryview(path.read_bytes()), 0
        while offset < len(view):
            block = decode_block(view, offset)
            offset += block.size_bytes
            for line in block.lines:
                decode_record(line)
            records += len(block.lines)
    return records


def _measure(folder: Path, items: int, shard_records: int) -> Costs:
    spec = msgspec.convert(plots(2 * items, 256, shard_records=shard_records), JobSpec)
    break_off(spec, folder, items)
    costs = Costs()
    for _ in range(ROUNDS):
        with measured(cost := Cost(items)):
            scan(folder / "journal")
        costs.scanned.append(cost)
        with measured(cost := Cost(items)):
            assembly = Assembly(spec, folder, Disk(), _now)
        costs.opened.append(cost)
        if len(assembly.store.done) != items:
            raise RuntimeError(f"{len(assembly.store.done)} of {items} items were found again")
        assembly.store.close()
    return costs


def _now() -> str:
    return "2025-01-01T00:00:00.000Z"


def main() -> None:
    """Measure in a folder that is removed again."""
    with TemporaryDirectory(prefix="corpusmill-bench-") as folder:
        costs = _measure(Path(folder), int(sys.argv[1]), int(sys.argv[2]))
    print(msgspec.json.encode(costs).decode())


if __name__ == "__main__":
    main()
