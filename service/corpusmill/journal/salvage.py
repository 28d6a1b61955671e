"""What can still be read of a damaged journal, and a journal made of that.

Rules of this file: nothing is guessed. A block counts if its frame is whole; blocks are put in order by the numbers of
their lines and by their chain. Lines that no whole block holds are lost; in a repaired journal a record that says
nothing stands for each, so that the manifest's line numbers stay true.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

import msgspec

from corpusmill.journal.block import CHAIN_START, MAGIC, BadBlockError, Opening, decode_block
from corpusmill.journal.files import Files
from corpusmill.journal.log import Log
from corpusmill.journal.places import Places
from corpusmill.journal.records import Attempts, Tried, encode_record
from corpusmill.journal.segment import Reader, segment_name, segment_numbers

NOTHING = encode_record(Tried(0, Attempts()))
"""A record that changes nothing, for a line that is lost."""


class Piece(msgspec.Struct, frozen=True):
    """A whole block: where it stands, its lines' numbers, and the chain before and behind it."""

    segment: int
    offset: int
    first: int
    count: int
    before: str
    behind: str


class Salvage:
    """The readable part of a journal.

    Args:
        files: the disk.
        folder: the journal's folder.

    Attributes:
        pieces: the blocks that count, in order.
        lost: (first, count) of each run of lines that no whole block holds.
    """

    def __init__(self, files: Files, folder: Path) -> None:
        self._files, self._folder = files, folder
        self.pieces: list[Piece] = []
        self.lost: list[tuple[int, int]] = []
        by_first: dict[int, list[Piece]] = {}
        for piece in self._all_pieces():
            by_first.setdefault(piece.first, []).append(piece)
        self._order(by_first)

    @property
    def next_sequence(self) -> int:
        """The number behind the last readable line."""
        return self.pieces[-1].first + self.pieces[-1].count if self.pieces else 1

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the readable lines with their numbers."""
        segment, content = 0, b""
        for piece in self.pieces:
            if piece.segment != segment:
                segment, content = piece.segment, self._files.read(self._folder / segment_name(piece.segment))
            block = decode_block(memoryview(content), piece.offset)
            yield from enumerate(block.lines, piece.first)

    def _all_pieces(self) -> Iterator[Piece]:
        for number in segment_numbers(self._files, self._folder):
            content = self._files.read(self._folder / segment_name(number))
            view, offset = memoryview(content), content.find(MAGIC)
            while offset >= 0:
                try:
                    block = decode_block(view, offset)
                except BadBlockError:
                    offset = content.find(MAGIC, offset + 1)
                    continue
                head = block.header
                yield Piece(number, offset, head.b, head.n, head.c, block.chain)
                offset = content.find(MAGIC, offset + block.size_bytes)

    def _order(self, by_first: dict[int, list[Piece]]) -> None:
        """Follow the chain from the first line on; of copies of a block the newest counts."""
        sequence, chain = 1, CHAIN_START
        while True:
            follows = [piece for piece in by_first.get(sequence, ()) if piece.before == chain]
            if not follows:
                later = min((first for first in by_first if first >= sequence), default=None)
                if later is None:
                    return
                follows = by_first[later]
                if later > sequence:
                    self.lost.append((sequence, later - sequence))
            piece = max(follows, key=lambda each: each.segment)
            self.pieces.append(piece)
            sequence, chain = piece.first + piece.count, piece.behind


def rewrite(files: Files, source: Path, salvage: Salvage, target: Path, dropped: AbstractSet[int], until: int) -> None:
    """Write what was salvaged as a new, sound journal with the same line numbers; durable on return.

    Args:
        files: the disk.
        source: the damaged journal's folder; the new segments are numbered behind its own.
        salvage: what is readable there.
        target: an empty folder.
        dropped: numbers of lines that are of no use any more.
        until: the last line number that the manifest names; lost lines at the end are made up to it.
    """
    reader = Reader(files, target)
    newest = max(segment_numbers(files, source), default=0)
    reader.tail = msgspec.structs.replace(reader.tail, newest=newest, carried=Opening(newest + 1))
    log = Log(files, target, reader, Places())
    waiting: list[bytes] = []
    for sequence, line in salvage.lines():
        missing = sequence - log.next_sequence - len(waiting)
        waiting += [NOTHING] * missing
        waiting.append(NOTHING if sequence in dropped else line)
        if len(waiting) >= 1000:
            log.commit(waiting)
            waiting = []
    waiting += [NOTHING] * (until + 1 - log.next_sequence - len(waiting))
    if waiting:
        log.commit(waiting)
    log.close()
