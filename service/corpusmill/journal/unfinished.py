"""Completions that were paid for and whose items have no outcome yet: what a run uses instead of calls.

Rules of this file: memory is bounded, however many there are. The latest are held as they are; of the others it is
known in which block of the journal they stand, 16 bytes each, and they are read from there when their item's turn
comes. Items come about in the order in which they stand, so a block is read once for many of them.
"""

from array import array
from collections import OrderedDict
from pathlib import Path

import msgspec

from corpusmill.journal.block import BadBlockError, decode_block
from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.files import Files
from corpusmill.journal.records import Paid, decode_record
from corpusmill.journal.segment import Standing, segment_name

HELD_BYTES = 32 << 20
"""Lines that are held in memory at most, and as much again of blocks that were read for some of their lines."""

PAGE_ITEMS = 256
"""Items that are noted together; looking one up goes through all of them, which takes some 10 microseconds."""


class Held(msgspec.Struct, frozen=True):
    """A completion in memory, the number of its block, and the length of its line."""

    paid: Paid
    block: int
    size_bytes: int


class ReadBlock(msgspec.Struct, frozen=True):
    """What is left in memory of a block that was read: its completions by item, and the length of all its lines."""

    completions: dict[int, list[Paid]]
    size_bytes: int


class Unfinished:
    """The completions of items without an outcome.

    Args:
        files: the disk.
        folder: the journal's folder.
        held_bytes: lines in memory at most, about.
    """

    def __init__(self, files: Files, folder: Path, held_bytes: int = HELD_BYTES) -> None:
        self._files, self._folder, self._held_bytes = files, folder, held_bytes
        self._held: OrderedDict[int, list[Held]] = OrderedDict()
        self._size_bytes = 0
        self._blocks: list[Standing] = []
        self._noted: dict[int, array[int]] = {}
        self._read: OrderedDict[int, ReadBlock] = OrderedDict()
        self._read_bytes = 0

    def add(self, paid: Paid, standing: Standing, size_bytes: int) -> None:
        """Take a completion that stands in this block, on a line of so many bytes; those of a block in a row."""
        if not self._blocks or self._blocks[-1] is not standing:
            self._blocks.append(standing)
        self._held.setdefault(paid.index, []).append(Held(paid, len(self._blocks) - 1, size_bytes))
        self._size_bytes += size_bytes
        while self._size_bytes > self._held_bytes:
            self._put_down()

    def take(self, index: int) -> list[Paid]:
        """Return what was paid for an item, in the journal's order, and forget it.

        Raises:
            CorruptionError: it cannot be read any more.
        """
        held = self._held.pop(index, [])
        self._size_bytes -= _size(held)
        if not self._noted:
            return [each.paid for each in held]
        found = [paid for block in self._taken_from_page(index) for paid in self._completions_in(block).get(index, ())]
        found += [each.paid for each in held]
        return list({each.place: each for each in found}.values())

    def __contains__(self, index: int) -> bool:
        return index in self._held or index in self._noted.get(index // PAGE_ITEMS, ())[::2]

    def _put_down(self) -> None:
        """Note where the completions of the item that came first stand, and hold them no more."""
        index, held = self._held.popitem(last=False)
        page = self._noted.setdefault(index // PAGE_ITEMS, array("Q"))
        for block in dict.fromkeys(each.block for each in held):
            page.extend((index, block))
        self._size_bytes -= _size(held)

    def _taken_from_page(self, index: int) -> list[int]:
        """Return the blocks that are noted of an item, in order, and note them no more."""
        number = index // PAGE_ITEMS
        page = self._noted.get(number)
        if page is None:
            return []
        places = [place for place in range(0, len(page), 2) if page[place] == index]
        blocks = [page[place + 1] for place in places]
        for place in reversed(places):
            del page[place : place + 2]
        if not page:
            del self._noted[number]
        return blocks

    def _completions_in(self, number: int) -> dict[int, list[Paid]]:
        """Return the completions in a block, by their items."""
        block = self._read.get(number) or self._read_block(number)
        self._read[number] = block
        self._read.move_to_end(number)
        return block.completions

    def _read_block(self, number: int) -> ReadBlock:
        standing = self._blocks[number]
        name = segment_name(standing.place.segment)
        frame = self._files.read_at(self._folder / name, standing.place.offset, standing.size_bytes)
        try:
            lines = decode_block(memoryview(frame), 0).lines
        except BadBlockError as error:
            place = f"journal segment {name}, byte {standing.place.offset}"
            raise CorruptionError(f"{place}: damaged block ({error}); run `corpusmill fsck`") from None
        completions: dict[int, list[Paid]] = {}
        for line in lines:
            if isinstance(record := decode_record(line), Paid):
                completions.setdefault(record.index, []).append(record)
        block = ReadBlock(completions, sum(map(len, lines)))
        self._read_bytes += block.size_bytes
        while self._read and self._read_bytes > self._held_bytes:
            self._read_bytes -= self._read.popitem(last=False)[1].size_bytes
        return block


def _size(held: list[Held]) -> int:
    return sum([each.size_bytes for each in held])
