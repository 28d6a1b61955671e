"""Records as rows of a Parquet file.

Rule of this file: pyarrow is an extra; it is imported when a file is asked for, and nowhere else.
"""

import hashlib
import importlib
import os
from pathlib import Path
from typing import Any

import msgspec

from corpusmill.exports.errors import ExportError, OutputError
from corpusmill.exports.record import Record
from corpusmill.exports.sinks import Receipt

ROWS = 5_000
"""Rows of a row group; so many are in memory at once."""


class ParquetFile:
    """A new Parquet file, with the corpus's own columns: all forms of a record have a place, `values` is JSON.

    Raises:
        ExportError: pyarrow is not installed.
        OutputError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._arrow: Any = importlib.import_module("pyarrow")
            parquet: Any = importlib.import_module("pyarrow.parquet")
        except ImportError:
            raise ExportError("parquet needs pyarrow: pip install corpusmill[parquet]") from None
        self._path = path
        self._schema = _schema(self._arrow)
        self._rows: list[dict[str, Any]] = []
        self._records = 0
        try:
            self._writer = parquet.ParquetWriter(str(path), self._schema)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error}") from None

    def write(self, record: Record) -> None:
        """Take a row, and write a group of rows when it is full."""
        self._rows.append(_row(record))
        self._records += 1
        if len(self._rows) >= ROWS:
            self._flush()

    def finish(self) -> Receipt:
        """Write what is left and the footer, sync, and hash the file."""
        try:
            self._flush()
            self._writer.close()
            with self._path.open("rb") as file:
                os.fsync(file.fileno())
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                return Receipt(self._records, os.fstat(file.fileno()).st_size, digest)
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written: {error}") from None

    def close(self) -> None:
        """Close the writer, which may be closed already."""
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._arrow.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


def _schema(arrow: Any) -> Any:
    text = arrow.string()
    message = arrow.struct([("role", text), ("content", text)])
    return arrow.schema(
        [
            ("id", text),
            ("index", arrow.int64()),
            ("example", text),
            ("values", text),
            ("messages", arrow.list_(message)),
            ("prompt", text),
            ("completion", text),
            ("chosen", text),
            ("rejected", text),
            ("split", text),
        ]
    )


def _row(record: Record) -> dict[str, Any]:
    is_chat = record.messages is not None
    return {
        "id": record.id,
        "index": record.index,
        "example": record.example,
        "values": bytes(record.values).decode(),
        "messages": msgspec.to_builtins(record.messages),
        "prompt": None if is_chat else record.prompt,
        "completion": None if is_chat or record.chosen is not None else record.completion,
        "chosen": record.chosen,
        "rejected": record.rejected,
        "split": record.split,
    }
