"""Where exported records go: JSON lines in a file or a stream. Parquet is in `exports.parquet`.

Rule of this file: what was written is counted and hashed on the way, so the receipt costs no second reading.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from corpusmill.exports.errors import OutputError
from corpusmill.exports.formats import Convert, encode_line
from corpusmill.exports.record import Record


class Receipt(msgspec.Struct, frozen=True):
    """What was written."""

    records: int
    bytes: int
    sha256: str


class Sink(Protocol):
    """Takes records; what it wrote counts after `finish` only."""

    def write(self, record: Record) -> None:
        """Take a record; ExportError where it does not fit, OutputError where it cannot be written."""

    def finish(self) -> Receipt:
        """Make durable what was written, and say what it was."""

    def close(self) -> None:
        """Release what is open."""


class LinesStream:
    """JSON lines on an open stream, which stays open."""

    def __init__(self, stream: BinaryIO, convert: Convert) -> None:
        self._stream, self._convert = stream, convert
        self._records = self._size_bytes = 0
        self._digest = hashlib.sha256()

    def write(self, record: Record) -> None:
        """Write one line."""
        self.append(encode_line(self._convert(record)) + b"\n")

    def append(self, line: bytes) -> None:
        """Write a line that is encoded already, with its end."""
        self._stream.write(line)
        self._digest.update(line)
        self._records += 1
        self._size_bytes += len(line)

    def finish(self) -> Receipt:
        """Flush the stream."""
        self._stream.flush()
        return Receipt(self._records, self._size_bytes, self._digest.hexdigest())

    def close(self) -> None:
        """Leave the stream as it is."""


class LinesFile:
    """JSON lines in a new file."""

    def __init__(self, path: Path, convert: Convert) -> None:
        self._path, self._convert = path, convert
        try:
            self._file = path.open("xb", buffering=1 << 20)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror}") from None
        self._lines = LinesStream(self._file, convert)

    def write(self, record: Record) -> None:
        """Write one line."""
        self.append(encode_line(self._convert(record)) + b"\n")

    def append(self, line: bytes) -> None:
        """Write a line that is encoded already, with its end."""
        try:
            self._lines.append(line)
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written: {error.strerror}") from None

    def finish(self) -> Receipt:
        """Sync the file."""
        try:
            receipt = self._lines.finish()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written: {error.strerror}") from None
        return receipt

    def close(self) -> None:
        """Close the file; that it could not be written was told before."""
        with suppress(OSError):
            self._file.close()
