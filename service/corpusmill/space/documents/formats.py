"""Files as rows: where each begins and ends, and what it says.

Rules of this file: a file is read from its beginning to its end once, with one row in memory at a time; a row that is
broken is told as a fault in its place, and the rows behind it are read. What a row says depends on its bytes only.
"""

import csv
import importlib
import io
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

import msgspec

from corpusmill.space.documents.faults import FaultError
from corpusmill.spec.wording import listed

MAX_DOCUMENT_BYTES = 64 * 2**20
"""A longer file of text, or row, is not a document but a mistake."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BATCH_ROWS = 256


class Row(NamedTuple):
    """A row as it lies in its file: its number from 1, the offset of its bytes, and these."""

    number: int
    offset: int
    raw: bytes


class Broken(NamedTuple):
    """A row that cannot be used."""

    number: int
    fault: FaultError


def whole_file(file: BinaryIO) -> Iterator[Row | Broken]:
    """Yield the one row of a file of text."""
    raw = file.read(MAX_DOCUMENT_BYTES + 1)
    yield Broken(1, _too_large()) if len(raw) > MAX_DOCUMENT_BYTES else Row(1, 0, raw)


def jsonl_rows(file: BinaryIO) -> Iterator[Row | Broken]:
    """Yield the lines of a file, but for blank ones; a row's number is that of its line."""
    offset = 0
    for number, line in enumerate(_lines(file), start=1):
        if line is None:
            yield Broken(number, _too_large())
            offset = file.tell()
            continue
        raw = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
        if stripped := raw.strip():
            yield Row(number, offset + len(line) - len(raw.lstrip()), stripped)
        offset += len(line)


class CsvFile:
    """The rows of a CSV file whose first row names the columns.

    Attributes:
        columns: their names.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._start = self._end = 0
        self._pieces: list[bytes] = []
        self._rows = self._reader()
        first = self._next()
        if first is None:
            raise FaultError("empty", "it has no header")
        if isinstance(first, FaultError):
            raise first
        self.columns = _csv_fields(first)
        twice = [name for name, count in Counter(self.columns).items() if count > 1]
        if twice:
            raise FaultError("malformed", f"two columns of its header have one name: {listed(twice)}")

    def rows(self) -> Iterator[Row | Broken]:
        """Yield the rows behind the header."""
        number = 0
        while (raw := self._next()) is not None:
            if isinstance(raw, FaultError):
                number += 1
                yield Broken(number, raw)
            elif raw.strip():
                number += 1
                yield Row(number, self._start, raw)

    def _next(self) -> bytes | FaultError | None:
        self._start, self._pieces = self._end, []
        try:
            return b"".join(self._pieces) if next(self._rows, None) is not None else None
        except csv.Error as error:
            return FaultError("malformed", str(error))
        except FaultError as error:
            self._rows = self._reader()  # its source ended with the error
            return error

    def _reader(self) -> Iterator[list[str]]:
        csv.field_size_limit(MAX_DOCUMENT_BYTES)
        return csv.reader(self._decoded(), strict=True)

    def _decoded(self) -> Iterator[str]:
        for line in _lines(self._file):
            self._end = self._file.tell() if line is None else self._end + len(line)
            if line is None or self._end - self._start > MAX_DOCUMENT_BYTES:
                raise _too_large()
            self._pieces.append(line)
            # Bytes that are no UTF-8 are found when the row is read; here only quotes and line ends matter.
            yield line.decode("utf-8-sig" if not self._start else "utf-8", "surrogateescape")


class Parquet:
    """The rows of a Parquet file, copied as lines of JSON, as Parquet has no places to which one could go back.

    Raises:
        ModuleNotFoundError: pyarrow is not installed.
    """

    def __init__(self, descriptor: int) -> None:
        arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
        self._errors: tuple[type[Exception], ...] = (arrow.ArrowException, OSError)
        self._handle = os.fdopen(os.dup(descriptor), "rb")
        try:
            self._file = parquet.ParquetFile(self._handle)
        except self._errors as error:
            self._handle.close()
            raise FaultError("malformed", f"not a Parquet file: {str(error).splitlines()[0]}") from None

    def rows(self) -> Iterator[Row | Broken]:
        """Yield the rows; their offsets mean nothing."""
        number = 0
        try:
            for batch in self._file.iter_batches(batch_size=_BATCH_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield Row(number, 0, msgspec.json.encode(row, enc_hook=str))
        except self._errors as error:
            yield Broken(number + 1, FaultError("malformed", str(error).splitlines()[0]))
        finally:
            self._handle.close()


def text_of_file(raw: bytes) -> str:
    """Return the text of a file.

    Raises:
        FaultError: it is not UTF-8.
    """
    return _decoded(raw.removeprefix(_BYTE_ORDER_MARK))


def fields_of_json(raw: bytes) -> dict[str, Any]:
    """Return the columns of a line of JSON.

    Raises:
        FaultError: it is not UTF-8, not JSON, or no object.
    """
    _decoded(raw)
    try:
        return _decode_object(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FaultError("malformed", f"not an object of JSON: {error}") from None


def fields_of_csv(raw: bytes, columns: Sequence[str]) -> dict[str, Any]:
    """Return the columns of a row of CSV.

    Raises:
        FaultError: it is not UTF-8, or has not as many fields as the header.
    """
    fields = _csv_fields(raw)
    if len(fields) != len(columns):
        raise FaultError("malformed", f"{len(fields)} fields, where the header has {len(columns)}")
    return dict(zip(columns, fields, strict=True))


def _csv_fields(raw: bytes) -> list[str]:
    text = _decoded(raw.removeprefix(_BYTE_ORDER_MARK))
    return next(csv.reader(io.StringIO(text, newline=""), strict=True), [])


def _lines(file: BinaryIO) -> Iterator[bytes | None]:
    """Yield lines with their ends; None for one that is too long."""
    while line := file.readline(MAX_DOCUMENT_BYTES + 1):
        if len(line) <= MAX_DOCUMENT_BYTES:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(MAX_DOCUMENT_BYTES)
        yield None


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problem = f"not UTF-8: byte 0x{raw[error.start]:02x} at offset {error.start}, in line {line}"
        raise FaultError("encoding", problem) from None


def _too_large() -> FaultError:
    return FaultError("too_large", f"more than {MAX_DOCUMENT_BYTES // 2**20} MiB")


_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
