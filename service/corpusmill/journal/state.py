"""The sidecar of a commit: the items it decided and the fingerprints of what it kept, as flat columns.

Rule of this file: derived, checksummed, and quick to read; a million items load in a fraction of a second.
"""

import hashlib
import sys
from array import array
from collections.abc import Iterable
from pathlib import Path

import msgspec

from corpusmill.journal.entry import Kept
from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.files import Files
from corpusmill.journal.manifest import StateFile
from corpusmill.journal.shard import write_durably
from corpusmill.journal.sketches import UNIT_BYTES


class Columns(msgspec.Struct):
    """Little-endian unsigned columns.

    Attributes:
        decided: indexes, of 64 bits like the next two.
        fingerprints, holders: of kept texts, with the index that holds each.
        keys: of the same texts, where near duplicates are looked for: as many 32-bit keys for each.
        sizes: and the length of the row of each, in units, of 32 bits.
    """

    decided: bytes
    fingerprints: bytes
    holders: bytes
    keys: bytes = b""
    sizes: bytes = b""


class Covered:
    """What the decisions since the last commit add to the state of a job."""

    def __init__(self) -> None:
        self.decided = array("Q")
        self.fingerprints = array("Q")
        self.holders = array("Q")
        self.keys = bytearray()
        self.sizes = array("I")

    def add(self, index: int, fingerprints: tuple[int, ...], kept: Iterable[Kept] = ()) -> None:
        """Take one decision."""
        self.decided.append(index)
        for fingerprint in fingerprints:
            self.fingerprints.append(fingerprint)
            self.holders.append(index)
        for each in kept:
            self.keys += each.keys
            self.sizes.append(len(each.row) // UNIT_BYTES)

    def write(self, files: Files, folder: Path, number: int) -> StateFile:
        """Write the sidecar of commit `number`; the sync of the folder is the caller's."""
        decided, fingerprints, holders, sizes = (_little_endian(column).tobytes() for column in self._all())
        columns = Columns(decided, fingerprints, holders, bytes(self.keys), sizes)
        content = msgspec.msgpack.encode(columns)
        name = f"{number:08d}.idx"
        write_durably(files, folder / name, content)
        return StateFile(name, len(content), hashlib.sha256(content).hexdigest())

    @classmethod
    def read(cls, files: Files, folder: Path, state: StateFile) -> "Covered":
        """Read a sidecar back; CorruptionError if it is not what the manifest says."""
        try:
            content = files.read(folder / state.name)
        except FileNotFoundError:
            raise CorruptionError(f"state file {state.name} is missing") from None
        if hashlib.sha256(content).hexdigest() != state.sha256:
            raise CorruptionError(f"state file {state.name} is damaged: its checksum does not match the manifest")
        columns = msgspec.msgpack.decode(content, type=Columns)
        covered = cls()
        stored = (columns.decided, columns.fingerprints, columns.holders, columns.sizes)
        for column, flat in zip(covered._all(), stored, strict=True):
            column.frombytes(flat)
            _little_endian(column)
        covered.keys += columns.keys
        return covered

    def _all(self) -> tuple["array[int]", ...]:
        return self.decided, self.fingerprints, self.holders, self.sizes


def _little_endian(column: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        column.byteswap()
    return column
