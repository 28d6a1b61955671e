"""From the bytes of a document to what the spec makes of it: its columns, cleaned text, name, group, and chunks.

Rule of this file: pure. What was made of a document when it was found is made of it again when it is read.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import re2

from corpusmill.space.documents.faults import FaultError
from corpusmill.space.documents.formats import fields_of_csv, fields_of_json, text_of_file
from corpusmill.spec.schema import Documents, Group
from corpusmill.spec.wording import kind_of, listed
from corpusmill.text.clean import OverlongTextError, compile_clean
from corpusmill.text.cut import Span, chunk_spans


class Content(NamedTuple):
    """What a document says: its cleaned text, and the other columns of its row."""

    text: str
    fields: dict[str, Any]


class Preparation:
    """What a spec makes of the documents of one axis."""

    def __init__(self, documents: Documents) -> None:
        self._documents, self._kind = documents, documents.kind
        self._clean = compile_clean(documents.clean)
        self._group = documents.group
        pattern = documents.group.matching if isinstance(documents.group, Group) else None
        self._group_search = re2.compile(pattern).search if pattern is not None else None
        self._matching = re2.compile(documents.matching).search if documents.matching is not None else None
        self._not_matching = re2.compile(documents.not_matching).search if documents.not_matching is not None else None

    def content(self, raw: bytes, columns: Sequence[str]) -> Content:
        """Return what the bytes of a document say, cleaned.

        Args:
            raw: of the file, or of its row.
            columns: of the header, where there is one.

        Raises:
            FaultError: they say nothing that can be used.
        """
        text, fields = self._read(raw, columns)
        try:
            return Content(self._clean(text), fields)
        except OverlongTextError as error:
            raise FaultError("too_large", str(error)) from None

    def check(self, text: str) -> None:
        """Check a cleaned text.

        Raises:
            FaultError: it is empty, or does not pass the gates.
        """
        spec = self._documents
        if not text.strip():
            raise FaultError("empty", "nothing but white space")
        if spec.min_chars is not None and len(text) < spec.min_chars:
            raise FaultError("min_chars", f"{len(text)} characters")
        if spec.max_chars is not None and len(text) > spec.max_chars:
            raise FaultError("max_chars", f"{len(text)} characters")
        if self._matching is not None and not self._matching(text):
            raise FaultError("matching", "nothing matches")
        if self._not_matching is not None and self._not_matching(text):
            raise FaultError("not_matching", "something matches")

    def name(self, fields: dict[str, Any]) -> str | None:
        """Return the name that the row has in its column, None where names are made of file and number."""
        column = self._documents.name
        return None if column is None else _word(fields, column, "no_name")

    def group(self, name: str, file: str, fields: dict[str, Any]) -> str:
        """Return the group of a document, "" where there are none.

        Raises:
            FaultError: nothing tells its group.
        """
        if self._group is None:
            return ""
        if not isinstance(self._group, Group):
            return file.rpartition("/")[0]
        if self._group.column is not None:
            return _word(fields, self._group.column, "no_group")
        found = self._group_search(name) if self._group_search is not None else None
        if found is None:
            raise FaultError("no_group", f"{self._group.matching} does not match its name")
        return str((found.group(1) if found.re.groups else found.group()) or "")

    def spans(self, text: str) -> list[Span]:
        """Return where the chunks of a text are; the whole text where it is not cut."""
        chunk = self._documents.chunk
        return [(0, len(text))] if chunk is None else list(chunk_spans(text, chunk.chars, chunk.overlap))

    def _read(self, raw: bytes, columns: Sequence[str]) -> Content:
        if self._kind == "files":
            return Content(text_of_file(raw), {})
        fields = fields_of_csv(raw, columns) if self._kind == "csv" else fields_of_json(raw)
        column = self._documents.text
        if column not in fields:
            raise FaultError("no_text", f"it has no column {column!r}; it has {listed(fields) or 'none'}")
        text = fields.pop(column)
        if not isinstance(text, str):
            raise FaultError("no_text", f"its column {column!r} is {kind_of(text)}")
        return Content(text, fields)


def _word(fields: dict[str, Any], column: str, reason: str) -> str:
    value = fields.get(column)
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, int | float):
        return str(value).lower()
    raise FaultError(reason, f"its column {column!r} is {kind_of(value) if column in fields else 'missing'}")
