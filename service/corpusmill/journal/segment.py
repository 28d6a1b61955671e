"""Reading a journal back: which segments are part of it, which blocks count, and where it may be continued.

Rules of this file: nothing is changed on disk. The newest segment with a whole opening block names its predecessor and
how much of it counts, and so on back; other segments were left by failed writes. A bad block at the very end of the
newest segment with nothing valid behind it is a torn tail, never acknowledged, and is left out. That is exact because
the writer has one block in flight: a block follows only when its predecessor is durable. A bad block anywhere else is
corruption, and reading stops with `CorruptionError`.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from corpusmill.journal.block import CHAIN_START, BadBlockError, Block, Opening, decode_block, frames_behind
from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.files import Files
from corpusmill.journal.places import BEGINNING, Place, Places

SUFFIX = ".jsonl.zst"

HEAD_BYTES = 2 << 20
"""What is read of a segment to look at its first block, which hardly ever is longer."""


class Standing(msgspec.Struct, frozen=True):
    """Where a block stands, and how long its frame is."""

    place: Place
    size_bytes: int


class Tail(msgspec.Struct, frozen=True):
    """Where a journal stands, and all that is needed to continue it in a new segment.

    Attributes:
        segment: the newest segment that holds a valid block, 0 for none.
        next_sequence: the number the next line will have.
        chain: chain value behind the last block.
        newest: the highest segment number in the folder, whether it counts or not.
        carried: the opening of the next segment: where to continue from, so that its first block repeats the last one.
        last: the last valid block, which the next segment carries again: it may be in the page cache only.
    """

    segment: int
    next_sequence: int
    chain: str
    newest: int
    carried: Opening
    last: Block | None


class Live(msgspec.Struct, frozen=True):
    """A segment that is part of the journal. `valid_bytes` is None for the newest: its end is found by reading."""

    number: int
    valid_bytes: int | None
    opening: Opening


def segment_name(number: int) -> str:
    """Return the file name of a segment."""
    return f"{number:08d}{SUFFIX}"


def segment_numbers(files: Files, folder: Path) -> list[int]:
    """Return the numbers of the segment files in the folder, ascending."""
    return [int(name.removesuffix(SUFFIX)) for name in files.names(folder) if name.endswith(SUFFIX)]


def live_segments(files: Files, folder: Path, oldest: int = 0) -> list[Live]:
    """Return the segments that are part of the journal, oldest first, back to number `oldest`."""
    numbers = segment_numbers(files, folder)
    chain: list[Live] = []
    wanted, valid_bytes = 0, None
    for number in reversed(numbers):
        if wanted and number != wanted:
            continue
        path = folder / segment_name(number)
        opening = _opening(files, path)
        if opening is None:
            if wanted or any(True for _ in frames_behind(memoryview(files.read(path)), 0)):
                raise CorruptionError(f"journal segment {path.name}: its first block is damaged")
            continue
        chain.append(Live(number, valid_bytes, opening))
        wanted, valid_bytes = opening.previous, opening.previous_valid
        if wanted < max(oldest, 1):
            break
    else:
        if chain and wanted:
            raise CorruptionError(f"journal segment {segment_name(wanted)} is missing")
    return chain[::-1]


class Reader:
    """Reads blocks in order; after the last one, `tail` says where the journal stands.

    Args:
        files: the disk.
        folder: the journal's folder.
        start: begin with this block; what stands before it is sealed and not needed.
        places: takes note of where the blocks stand.

    Attributes:
        live: the numbers of the segments that are part of the journal, from the start on.
        standing: where the block stands that was read last.
    """

    def __init__(self, files: Files, folder: Path, start: Place = BEGINNING, places: Places | None = None) -> None:
        numbers = segment_numbers(files, folder)
        self._files, self._folder, self._start = files, folder, start
        self._segments = live_segments(files, folder, start.segment)
        self.live = frozenset(live.number for live in self._segments)
        self._places = places or Places()
        self.standing = Standing(BEGINNING, 0)
        newest = numbers[-1] if numbers else 0
        self.tail = Tail(0, 1, CHAIN_START, newest, Opening(newest + 1), None)

    def blocks(self) -> Iterator[Block]:
        """Yield every valid block, each checked to follow the one before it."""
        for live in self._segments:
            yield from self._segment_blocks(live)

    def _segment_blocks(self, live: Live) -> Iterator[Block]:
        content = self._files.read(self._folder / segment_name(live.number))
        view, offset = memoryview(content), self._start.offset if live.number == self._start.segment else 0
        end = max(len(content) if live.valid_bytes is None else live.valid_bytes, offset)
        while offset < end:
            try:
                block = decode_block(view, offset)
            except BadBlockError as error:
                self._check_torn(live, view, offset, error)
                return
            self._check_follows(live, block)
            self._advance(live, block, offset)
            offset += block.size_bytes
            yield block
        if offset != end:
            raise CorruptionError(f"journal segment {segment_name(live.number)} ends inside a block at byte {end}")

    def _check_torn(self, live: Live, view: memoryview, offset: int, error: BadBlockError) -> None:
        torn = live.valid_bytes is None and not any(
            block.header.b >= self.tail.next_sequence for block in frames_behind(view, offset)
        )
        if not torn:
            place = f"journal segment {segment_name(live.number)}, byte {offset}"
            raise CorruptionError(f"{place}: damaged block ({error}); run `corpusmill fsck`")

    def _check_follows(self, live: Live, block: Block) -> None:
        place = (block.header.b, block.header.c)
        if self.tail.last is not None and place != (self.tail.next_sequence, self.tail.chain):
            raise CorruptionError(
                f"journal segment {segment_name(live.number)}: line {block.header.b} stands where line "
                f"{self.tail.next_sequence} belongs"
            )

    def _advance(self, live: Live, block: Block, offset: int) -> None:
        newest = self.tail.newest
        origin = Opening(newest + 1, live.number, offset) if offset else _origin(live, newest + 1)
        self.tail = Tail(live.number, block.header.b + block.header.n, block.chain, newest, origin, block)
        self.standing = Standing(Place(live.number, offset), block.size_bytes)
        self._places.note(block.header.b, self.standing.place)


def _origin(live: Live, number: int) -> Opening:
    """Continue before a segment whose opening block is its last: it contributes nothing that is not carried again."""
    return Opening(number, live.opening.previous, live.opening.previous_valid)


def _opening(files: Files, path: Path) -> Opening | None:
    """Return what the first block says of the segment, or None if it is not whole."""
    for content in (files.read_at(path, 0, HEAD_BYTES), files.read(path)):
        try:
            return decode_block(memoryview(content), 0).header.open
        except BadBlockError:
            continue
    return None
