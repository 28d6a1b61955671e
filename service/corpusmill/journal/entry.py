"""A record on its way to the journal, with the lines that it will contribute."""

import msgspec

from corpusmill.journal.records import Decided, Record, encode_record


class Kept(msgspec.Struct, frozen=True):
    """What is kept of a text to find what is like it: keys to look it up by, and a row to compare with.

    The bytes mean nothing to the journal, but those of a row are a multiple of four.
    """

    keys: bytes
    row: bytes


class Lines(msgspec.Struct, frozen=True):
    """What a decision contributes.

    Attributes:
        corpus: lines of the corpus, without line ends.
        reject: or one line of the rejects.
        kept: where near duplicates are looked for, one for each fingerprint of the decision.
        instead: of a decision that is replayed, the one that takes its place, as its lines cannot be made any more.
    """

    corpus: tuple[bytes, ...] = ()
    reject: bytes | None = None
    kept: tuple[Kept, ...] = ()
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
