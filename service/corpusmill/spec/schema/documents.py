"""Documents: real texts as the values of an axis."""

from typing import Annotated, Literal

from msgspec import Meta

from corpusmill.spec.schema.clean import Cleaning, Pattern
from corpusmill.spec.schema.words import DIGEST_PATTERN, Natural, Positive, Strict

FilePattern = Annotated[str, Meta(min_length=1, max_length=1000)]
"""A file's name relative to the spec's folder, or a pattern of such: `notes/*.txt`, `posts/**/2024-*.jsonl`."""
Files = FilePattern | Annotated[list[FilePattern], Meta(min_length=1, max_length=1000)]
Column = Annotated[str, Meta(min_length=1, max_length=1000)]


class Truncate(Strict, frozen=True):
    """Give a template at most `chars` characters of a document, whole words, and `marker` where that is not all."""

    chars: Positive
    marker: Annotated[str, Meta(max_length=10_000)] = ""


class Chunk(Strict, frozen=True):
    """Cut each document into chunks of at most `chars` characters, each of them a value of the axis.

    Attributes:
        chars: at most; cuts are made at white space.
        overlap: about how many characters a chunk repeats of the one before, in whole words.
    """

    chars: Annotated[int, Meta(ge=1, le=100_000_000)]
    overlap: Natural = 0


class Group(Strict, frozen=True):
    """What tells the group of a document: one of the two.

    Attributes:
        column: a column of its row.
        matching: a regular expression (RE2 syntax) that is searched in its name; the group is what the first pair of
            parentheses finds, or the whole match where there are none.
    """

    column: Column | None = None
    matching: Pattern | None = None


class Documents(Strict, frozen=True):
    """An axis whose values are documents, from one kind of source.

    Attributes:
        files: each file is a document: UTF-8 text.
        jsonl, csv, parquet: each row of each file is a document.
        text: the column of the text.
        name: the column of the name; by default a row is named `<file>:<number>`, and a file by itself.
        group: what documents belong together.
        clean: how the text is cleaned, before anything else is done with it.
        min_chars, max_chars: inclusive bounds of the cleaned text; other documents are passed over.
        matching, not_matching: a regular expression (RE2 syntax) that must, must not, be found in the cleaned text.
        truncate, chunk: give templates a part of the text.
        per_group: only so many documents of each group, chosen by the job's seed.
        limit: only the first so many documents.
        digest: of the index of what was found; set when the job is begun, so that its items stay the same.
    """

    files: Files | None = None
    jsonl: Files | None = None
    csv: Files | None = None
    parquet: Files | None = None
    text: Column = "text"
    name: Column | None = None
    group: Literal["folder"] | Group | None = None
    clean: Cleaning | None = None
    min_chars: Natural | None = None
    max_chars: Natural | None = None
    matching: Pattern | None = None
    not_matching: Pattern | None = None
    truncate: Truncate | None = None
    chunk: Chunk | None = None
    per_group: Positive | None = None
    limit: Positive | None = None
    digest: Annotated[str, Meta(pattern=DIGEST_PATTERN)] | None = None

    @property
    def kind(self) -> Literal["files", "jsonl", "csv", "parquet"]:
        """Which of the sources is given; checked to be exactly one."""
        if self.files is not None:
            return "files"
        if self.jsonl is not None:
            return "jsonl"
        return "csv" if self.csv is not None else "parquet"

    @property
    def patterns(self) -> list[str]:
        """The names or patterns of the source's files."""
        given: Files = getattr(self, self.kind)
        return [given] if isinstance(given, str) else given
