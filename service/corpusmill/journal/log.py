"""The journal as it is written: group commits of lines, one block in flight, segments that are never reopened.

Rules of this file: `commit` returns when its lines are durable and raises when they are not, with nothing in between.
A segment that refused a write or a sync is never touched again: the lines, still in memory and unacknowledged, go to a
new segment whose opening says how much of the old one counts. The protocol is told in docs/decisions.
"""

from collections.abc import Sequence
from pathlib import Path

from corpusmill.journal.block import Opening, chain_behind, encode_block
from corpusmill.journal.errors import FULL, BrokenDiskError
from corpusmill.journal.files import File, Files, write_all
from corpusmill.journal.places import Place, Places
from corpusmill.journal.segment import Reader, segment_name, segment_numbers

SEGMENT_BYTES = 64 << 20
"""When a segment is left for a new one; also what is reserved on the disk for it."""


class Log:
    """The writing end of a journal.

    Args:
        files: the disk.
        folder: the journal's folder, existing.
        reader: a reader that has read all blocks; the log continues behind its tail.
        places: takes note of where the blocks stand.
        segment_bytes: the size at which a segment is left.

    Attributes:
        is_refused: whether the disk refused the last lines, and they have no durable place yet; set before they are
            written again, to be read from any thread.
    """

    def __init__(
        self, files: Files, folder: Path, reader: Reader, places: Places, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        tail = reader.tail
        self._files, self._folder, self._segment_bytes = files, folder, segment_bytes
        self._number, self._chain, self.next_sequence = tail.newest, tail.chain, tail.next_sequence
        self._places = places
        self.is_refused = False
        self._file: File | None = None
        self._offset = 0
        self._opening = tail.carried
        for number in segment_numbers(files, folder):
            if number >= min(reader.live, default=0):
                files.give_back(folder / segment_name(number))
        if tail.last is not None:
            block = tail.last
            self._open_with(block.lines, first=block.header.b, chain=block.header.c)
        self._tidy(reader.live)

    def commit(self, lines: Sequence[bytes]) -> int:
        """Make the lines durable, in order; return the sequence number of the first.

        Raises:
            OSError: the disk is full; nothing was acknowledged, the same lines may be committed again later.
            BrokenDiskError: the disk refused the lines twice; the run must end.
        """
        first = self.next_sequence
        try:
            self._append(lines)
        except OSError as error:
            self.is_refused = True
            self._abandon()
            if error.errno in FULL:
                raise
            self._append_again(lines)
        self.is_refused = False
        self.next_sequence = first + len(lines)
        return first

    def close(self) -> None:
        """Release the open segment."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, lines: Sequence[bytes]) -> None:
        if self._file is not None and self._offset >= self._segment_bytes:
            self._leave(self._offset)
        if self._file is None:
            self._open_with(lines, first=self.next_sequence, chain=self._chain)
            return
        frame = encode_block(lines, first=self.next_sequence, chain=self._chain)
        end = write_all(self._file, self._offset, frame)
        self._file.sync()
        self._places.note(self.next_sequence, Place(self._number, self._offset))
        self._offset, self._chain = end, chain_behind(self._chain, frame)

    def _append_again(self, lines: Sequence[bytes]) -> None:
        try:
            self._append(lines)
        except OSError as error:
            self._abandon()
            if error.errno in FULL:
                raise
            raise BrokenDiskError(f"the disk refused the journal twice: {error.strerror}") from error

    def _open_with(self, lines: Sequence[bytes], *, first: int, chain: str) -> None:
        """Begin the next segment with a block of these lines; durable on return."""
        self._number += 1
        opening = Opening(self._number, self._opening.previous, self._opening.previous_valid)
        frame = encode_block(lines, first=first, chain=chain, opening=opening)
        self._offset = 0
        self._file = self._create(self._folder / segment_name(self._number))
        end = write_all(self._file, 0, frame)
        self._file.sync()
        self._files.sync_folder(self._folder)
        self._offset, self._chain, self._opening = end, chain_behind(chain, frame), opening
        self._places.note(first, Place(self._number, 0))

    def _create(self, path: Path) -> File:
        """Make a segment with room reserved for it; without, where the disk has less: answers still out need it."""
        try:
            return self._files.create(path, self._segment_bytes)
        except OSError as error:
            if error.errno not in FULL:
                raise
        return self._files.create(path)

    def _leave(self, valid_bytes: int) -> None:
        """Leave the open segment: the next one continues behind its first `valid_bytes` bytes."""
        self.close()
        self._opening = Opening(self._number + 1, self._number, valid_bytes)

    def _abandon(self) -> None:
        """Leave a segment that refused something: what it acknowledged counts, what stands behind does not."""
        if self._file is not None and self._offset:
            self._leave(self._offset)
        self.close()

    def _tidy(self, live: frozenset[int]) -> None:
        """Remove what failed writes left behind, now that the segment that continues the journal is durable."""
        for number in segment_numbers(self._files, self._folder):
            if number not in live and min(live, default=0) <= number < self._number:
                self._files.remove(self._folder / segment_name(number))
