"""The sidecar of a commit: the items it decided and the fingerprints of what it kept, as flat 64-bit columns.

Rule of this file: derived, checksummed, and quick to read; a million items load in a fraction of a second.
"""

import hashlib
import sys
from array import array
from pathlib import Path

import msgspec

from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.files import Files
from corpusmill.journal.manifest import StateFile
from corpusmill.journal.shard import write_durably


class Columns(msgspec.Struct):
    """Little-endian unsigned 64-bit columns: decided indexes; and fingerprints with the index that holds each."""

    decided: bytes
    fingerprints: bytes
    holders: bytes


class Covered:
    """What the decisions since the last commit add to the state of a job."""

    def __init__(self) -> None:
        self.decided = array("Q")
        self.fingerprints = array("Q")
        self.holders = array("Q")

    def add(self, index: int, fingerprints: tuple[int, ...]) -> None:
        """Take one decision."""
        self.decided.append(index)
        for fingerprint in fingerprints:
            self.fingerprints.append(fingerprint)
            self.holders.append(index)

    def write(self, files: Files, folder: Path, number: int) -> StateFile:
        """Write the sidecar of commit `number`; the sync of the folder is the caller's."""
        columns = Columns(*(_little_endian(column).tobytes() for column in self._all()))
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
        for column, stored in zip(
            covered._all(), (columns.decided, columns.fingerprints, columns.holders), strict=True
        ):
            column.frombytes(stored)
            _little_endian(column)
        return covered

    def _all(self) -> tuple["array[int]", "array[int]", "array[int]"]:
        return self.decided, self.fingerprints, self.holders


def _little_endian(column: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        column.byteswap()
    return column
