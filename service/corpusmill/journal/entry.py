"""A record on its way to the journal, with the lines that it will contribute."""

import msgspec

from corpusmill.journal.records import Decided, Record, encode_record


class Lines(msgspec.Struct, frozen=True):
    """What a decision contributes: lines of the corpus, or one line of the rejects, without line ends.

    Attributes:
        instead: of a decision that is replayed, the one that takes its place, as its lines cannot be made any more.
    """

    corpus: tuple[bytes, ...] = ()
    reject: bytes | None = None
    instead: Decided | None = None


class Entry(msgspec.Struct, frozen=True):
    """A record on its way to the journal; a decision brings its lines along."""

    record: Record
    line: bytes
    lines: Lines | None = None

    @classmethod
    def of(cls, record: Record) -> "Entry":
        """Wrap a record that brings no lines."""
        return cls(record, encode_record(record))

    @classmethod
    def decided(cls, record: Decided, lines: Lines) -> "Entry":
        """Wrap a decision and its lines."""
        return cls(record, encode_record(record), lines)
