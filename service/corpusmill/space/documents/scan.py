"""The one pass over a source of documents that makes its index.

Rules of this file: a document that cannot be used never stops the pass: it is told by name and counted. Memory grows
with the groups, and with `per_group` times those, not with the documents. The same files give the same index.
"""

import heapq
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from corpusmill.space.documents.faults import GATES, FaultError
from corpusmill.space.documents.formats import Broken, CsvFile, Parquet, Row, jsonl_rows, whole_file
from corpusmill.space.documents.index import Entry, Footer, IndexWriter, digest_of
from corpusmill.space.documents.places import Base, Place, opened
from corpusmill.space.documents.preparation import Preparation
from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import Documents
from corpusmill.spec.wording import at, listed

MOST_GROUPS = 100_000
_READ_BYTES = 1 << 20


class Skipped(NamedTuple):
    """A document that is not used though the spec did not say so."""

    axis: str
    name: str
    reason: str
    detail: str


class Bound(NamedTuple):
    """How much of a source a plan reads; the rest is only counted."""

    bytes: int
    files: int


class Scan(msgspec.Struct, frozen=True):
    """What a pass came to; `seen` is the share of the source's bytes that was read, 1 for all."""

    digest: str
    footer: Footer
    seen: float


class _Candidate(NamedTuple):
    """A document that passes the gates; `place` tells its turn among all."""

    turn: int
    entry: Entry
    name: str | None
    pieces: int


class StoppedError(Exception):
    """The pass was asked to stop."""


class Scanner:
    """Makes the index of one axis.

    Args:
        axis: its name.
        documents: its source.
        base: where the source's files may lie.
        path: of the index; what is copied of a Parquet file is put beside it (`rows_path`).
        key: what chooses the documents of a group.
        skipped: told of each document that cannot be used.
        stopped: asked now and then whether to stop.
        bound: how much is read at most.
    """

    def __init__(
        self,
        axis: str,
        documents: Documents,
        base: Base,
        path: Path,
        key: bytes,
        *,
        skipped: Callable[[Skipped], None] = lambda _: None,
        stopped: Callable[[], bool] = lambda: False,
        bound: Bound | None = None,
    ) -> None:
        self._axis, self._spec, self._base, self._path, self._key = axis, documents, base, path, key
        self._tell, self._stopped, self._bound = skipped, stopped, bound
        self._preparation = Preparation(documents)
        self._files: list[str] = []
        self._columns: list[list[str]] = []
        self._groups: dict[str, int] = {}
        self._skipped: Counter[str] = Counter()
        self._first_skipped = ""
        self._found = self._seen_bytes = self._all_bytes = self._seen_files = self._copied_bytes = 0
        self._copy: BinaryIO | None = None

    def run(self) -> Scan:
        """Go through the source and write the index.

        Raises:
            SpecError: nothing can be used, there are too many groups, or Parquet is not installed.
            OSError: the index cannot be written.
            StoppedError: it was asked to stop.
        """
        with closing(IndexWriter(self._path)) as writer:
            try:
                footer = self._written(writer)
            finally:
                if self._copy is not None:
                    self._copy.close()
            if not footer.documents:
                raise self._nothing()
            roots = {name: str(folder) for name, folder in self._base.roots.items()}
            digest = writer.finish(footer, roots)
        return Scan(digest, footer, min(1.0, self._seen_bytes / self._all_bytes) if self._all_bytes else 1.0)

    def _written(self, writer: IndexWriter) -> Footer:
        group_pieces: list[int] = []
        pieces = documents = size = 0
        for candidate in self._chosen():
            entry = candidate.entry._replace(first_piece=pieces)
            writer.add(entry, candidate.name)
            group_pieces += [0] * (entry.group + 1 - len(group_pieces))
            group_pieces[entry.group] += candidate.pieces
            pieces += candidate.pieces
            documents += 1
            size += entry.length
            if documents == self._spec.limit:
                break
        if self._copy is not None:
            self._copy.flush()
            os.fsync(self._copy.fileno())
        return Footer(
            files=self._files,
            columns=self._columns,
            groups=list(self._groups),
            group_pieces=group_pieces + [0] * (len(self._groups) - len(group_pieces)),
            documents=documents,
            pieces=pieces,
            bytes=size,
            found=self._found,
            skipped=dict(sorted(self._skipped.items())),
        )

    def _chosen(self) -> Iterator[_Candidate]:
        """Yield the documents that are used: all, or of each group those whose keyed hashes are least."""
        count = self._spec.per_group
        if count is None:
            yield from self._candidates()
            return
        heaps: dict[int, list[tuple[int, int, _Candidate]]] = {}
        for candidate in self._candidates():
            heap = heaps.setdefault(candidate.entry.group, [])
            ranked = (-self._rank(candidate), candidate.turn, candidate)
            if len(heap) < count:
                heapq.heappush(heap, ranked)
            else:
                heapq.heappushpop(heap, ranked)
        chosen = [candidate for heap in heaps.values() for _, _, candidate in heap]
        yield from sorted(chosen, key=lambda candidate: candidate.turn)

    def _rank(self, candidate: _Candidate) -> int:
        name = candidate.name or f"{self._files[candidate.entry.file]}:{candidate.entry.label}"
        return int.from_bytes(blake2b(name.encode(), key=self._key, digest_size=8).digest(), "little")

    def _candidates(self) -> Iterator[_Candidate]:
        for place in self._places():
            if self._is_bounded:
                self._all_bytes += _size(place)
                continue
            self._seen_files += 1
            try:
                yield from self._of_file(place)
            except FaultError as fault:
                self._found += 1
                self._skip(place.name, fault)

    def _places(self) -> Iterator[Place]:
        several: set[str] | None = set() if len(self._spec.patterns) > 1 else None
        path = f"{at('space.documents', self._axis)}.{self._spec.kind}"
        for pattern in self._spec.patterns:
            for place in self._base.expanded(pattern, path):
                if several is not None and place.name in several:
                    continue
                if several is not None:
                    several.add(place.name)
                if self._stopped():
                    raise StoppedError
                yield place

    @property
    def _is_bounded(self) -> bool:
        bound = self._bound
        return bound is not None and (self._seen_bytes >= bound.bytes or self._seen_files >= bound.files)

    def _of_file(self, place: Place) -> Iterator[_Candidate]:
        with os.fdopen(opened(place), "rb", buffering=_READ_BYTES) as file:
            size = os.fstat(file.fileno()).st_size
            self._all_bytes += size
            before = self._seen_bytes
            number, columns, rows = self._rows(file, place)
            for row in rows:
                self._found += 1
                named = place.name if self._spec.kind == "files" else f"{place.name}:{row.number}"
                try:
                    if isinstance(row, Broken):
                        raise row.fault
                    yield self._candidate(row, number, columns, place.name)
                except FaultError as fault:
                    self._skip(named, fault)
                self._seen_bytes = before + file.tell()
                if self._is_bounded or (self._found % 1024 == 0 and self._stopped()):
                    break
            else:
                self._seen_bytes = before + size
        if self._stopped():
            raise StoppedError

    def _rows(self, file: BinaryIO, place: Place) -> tuple[int, Sequence[str], Iterator[Row | Broken]]:
        kind = self._spec.kind
        if kind == "files":
            return 0, (), whole_file(file)
        columns: list[str] = []
        if kind == "jsonl":
            rows = jsonl_rows(file)
        elif kind == "csv":
            table = CsvFile(file)
            columns, rows = table.columns, table.rows()
        else:
            rows = self._parquet(file, place).rows()
        self._files.append(place.name)
        self._columns.append(columns)
        return len(self._files) - 1, columns, rows

    def _parquet(self, file: BinaryIO, place: Place) -> Parquet:
        try:
            return Parquet(file.fileno())
        except ModuleNotFoundError:
            raise SpecError(
                f"{at('space.documents', self._axis)}.parquet",
                f"to read {place.name}, install pyarrow: pip install 'corpusmill[parquet]'",
            ) from None

    def _candidate(self, row: Row, file: int, columns: Sequence[str], file_name: str) -> _Candidate:
        """Return a row as a document.

        Raises:
            FaultError: it is not used.
        """
        content = self._preparation.content(row.raw, columns)
        self._preparation.check(content.text)
        name = file_name if self._spec.kind == "files" else self._preparation.name(content.fields)
        group = self._group(self._preparation.group(name or f"{file_name}:{row.number}", file_name, content.fields))
        pieces = len(self._preparation.spans(content.text))
        offset = row.offset if self._spec.kind != "parquet" else self._copied(row.raw)
        entry = Entry(0, offset, digest_of(row.raw), row.number, len(row.raw), file, group, 0)
        return _Candidate(self._found, entry, name, pieces)

    def _group(self, name: str) -> int:
        if name not in self._groups and len(self._groups) == MOST_GROUPS:
            raise SpecError(f"{at('space.documents', self._axis)}.group", f"gives more than {MOST_GROUPS:,} groups")
        return self._groups.setdefault(name, len(self._groups))

    def _copied(self, raw: bytes) -> int:
        """Keep a row whose file has no places to go back to; return where it is kept."""
        if self._copy is None:
            self._copy = rows_path(self._path).open("wb", buffering=_READ_BYTES)
        offset = self._copied_bytes
        self._copy.write(raw + b"\n")
        self._copied_bytes += len(raw) + 1
        return offset

    def _skip(self, name: str, fault: FaultError) -> None:
        self._skipped[fault.reason] += 1
        self._first_skipped = self._first_skipped or f"{name}: {fault.detail}"
        if fault.reason not in GATES:
            self._tell(Skipped(self._axis, name, fault.reason, fault.detail))

    def _nothing(self) -> SpecError:
        path = f"{at('space.documents', self._axis)}.{self._spec.kind}"
        if not self._found:
            return SpecError(path, f"no document: no file is found by {listed(self._spec.patterns)}, or they are empty")
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self._skipped.most_common())
        told = f"no document can be used of the {self._found:,} that were found: {reasons}; {self._first_skipped}"
        return SpecError(path, told)


def rows_path(index: Path) -> Path:
    """Return where rows are kept that have no place in their own file."""
    return index.with_suffix(".rows")


def _size(place: Place) -> int:
    try:
        return place.path.stat().st_size
    except OSError:
        return 0
