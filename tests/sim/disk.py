"""A simulated disk behind the journal's seam: it loses, tears and refuses what was not made durable.

What a file system promises and no more: a file's bytes are durable after `sync`, a name after `sync_folder`. A power
cut keeps, drops, tears (by 512-byte sector), zeroes or garbles what was not, in any mixture; a kill keeps everything. A
failed sync drops the unsynced bytes' promise for good: a later sync of that file succeeds and means nothing.
"""

import errno
import random
from pathlib import Path

SECTOR = 512


class Crash(BaseException):
    """The machine stops here."""


class Inode:
    """A file: `durable` is what a power cut leaves, `current` what the page cache shows."""

    def __init__(self) -> None:
        self.durable = bytearray()
        self.current = bytearray()
        self.dirty: set[int] = set()
        self.poisoned = False


class SimFile:
    """An open simulated file."""

    def __init__(self, disk: "SimDisk", inode: Inode) -> None:
        self._disk, self._inode = disk, inode

    def write_at(self, offset: int, chunk: bytes) -> int:
        taken = self._disk.operate("write", len(chunk))
        inode = self._inode
        if taken < 0:
            self._put(offset, chunk[: self._disk.rng.randrange(len(chunk) + 1)])
            raise Crash
        self._put(offset, chunk[:taken])
        assert inode.current[offset : offset + taken] == chunk[:taken]
        return taken

    def _put(self, offset: int, chunk: bytes) -> None:
        current = self._inode.current
        if len(current) < offset:
            current.extend(bytes(offset - len(current)))
        current[offset : offset + len(chunk)] = chunk
        self._inode.dirty.update(range(offset // SECTOR, (offset + len(chunk)) // SECTOR + 1))

    def sync(self) -> None:
        try:
            self._disk.operate("sync")
        except OSError:
            self._inode.poisoned = True
            raise
        if not self._inode.poisoned:
            self._inode.durable = bytearray(self._inode.current)
            self._inode.dirty.clear()

    def close(self) -> None:
        """Nothing is lost or gained by closing."""


class SimDisk:
    """A disk in memory.

    Args:
        rng: decides what a power cut does to what was not durable.
        crash_at: the operation at which the machine stops, counted from 1; 0 for never.
        fail_at: the operation from which on, or at which, the disk refuses with `error`; 0 for never.
        error: the errno it refuses with.
        persistent: whether it refuses from then on, or once.
    """

    def __init__(
        self,
        rng: random.Random,
        *,
        crash_at: int = 0,
        fail_at: int = 0,
        error: int = errno.EIO,
        persistent: bool = False,
    ) -> None:
        self.rng = rng
        self.crash_at, self.fail_at, self.error, self.persistent = crash_at, fail_at, error, persistent
        self.operations = 0
        self.free = 1 << 40
        self._durable_names: dict[Path, dict[str, Inode]] = {}
        self._names: dict[Path, dict[str, Inode]] = {}
        self._renames: dict[Path, list[dict[str, Inode]]] = {}

    def operate(self, kind: str, size: int = 0) -> int:
        """Count an operation and let it fail, crash (-1 for a write), or pass (for a write: how many bytes)."""
        self.operations += 1
        if self.operations == self.crash_at:
            if kind == "write":
                return -1
            raise Crash
        due = self.operations >= self.fail_at if self.persistent else self.operations == self.fail_at
        if self.fail_at and due and (self.error != errno.ENOSPC or kind in {"write", "create"}):
            raise OSError(self.error, "injected")
        return size if size <= 1 or self.rng.random() < 0.9 else self.rng.randrange(1, size)

    def create(self, path: Path, reserve_bytes: int = 0) -> SimFile:  # noqa: ARG002 - the simulated disk has room
        self.operate("create")
        names = self._folder(path.parent)
        if path.name in names:
            raise FileExistsError(errno.EEXIST, "exists", str(path))
        inode = Inode()
        names[path.name] = inode
        self._note(path.parent)
        return SimFile(self, inode)

    def read(self, path: Path) -> bytes:
        names = self._folder(path.parent)
        if path.name not in names:
            raise FileNotFoundError(errno.ENOENT, "missing", str(path))
        return bytes(names[path.name].current)

    def read_at(self, path: Path, offset: int, size: int) -> bytes:
        return self.read(path)[offset : offset + size]

    def names(self, folder: Path) -> list[str]:
        return sorted(self._folder(folder))

    def make_folder(self, folder: Path) -> bool:
        made = folder not in self._names
        self._names.setdefault(folder, {})
        self._durable_names.setdefault(folder, {})
        self._renames.setdefault(folder, [])
        return made

    def rename(self, old: Path, new: Path) -> None:
        self.operate("rename")
        self._folder(new.parent)[new.name] = self._folder(old.parent).pop(old.name)
        self._note(old.parent)
        if new.parent != old.parent:
            self._note(new.parent)

    def remove(self, path: Path) -> None:
        self.operate("remove")
        self._folder(path.parent).pop(path.name)
        self._note(path.parent)

    def give_back(self, path: Path) -> None:
        """Nothing is reserved here."""

    def sync_folder(self, folder: Path) -> None:
        self.operate("sync_folder")
        if folder in self._names:
            self._durable_names[folder] = dict(self._names[folder])
            self._renames[folder] = []

    def free_bytes(self, folder: Path) -> int:  # noqa: ARG002 - one disk, one free space
        return self.free

    def after_kill(self, **plan: int) -> "SimDisk":
        """The disk as the next process finds it after kill -9: the page cache survives, and may be durable or not."""
        disk = SimDisk(self.rng, **plan)  # type: ignore[arg-type] # crash_at or fail_at
        disk._names, disk._durable_names, disk._renames = self._names, self._durable_names, self._renames
        return disk

    def after_power_cut(self, **plan: int) -> "SimDisk":
        """The disk as the next boot finds it: what was not durable is kept, lost, torn, zeroed or garbled."""
        disk = SimDisk(self.rng, **plan)  # type: ignore[arg-type] # crash_at or fail_at
        for folder, durable in self._durable_names.items():
            versions = [durable, *self._renames[folder]]
            left = dict(self.rng.choice(versions))
            disk._durable_names[folder] = left
            disk._names[folder] = dict(left)
            disk._renames[folder] = []
        for inode in {id(i): i for names in disk._names.values() for i in names.values()}.values():
            self._cut(inode)
        return disk

    def flip_bit(self, path: Path, byte: int, bit: int) -> None:
        """Rot: one bit of a durable file changes."""
        inode = self._folder(path.parent)[path.name]
        inode.current[byte] ^= 1 << bit
        inode.durable = bytearray(inode.current)

    def _cut(self, inode: Inode) -> None:
        after = bytearray(inode.durable)
        style = self.rng.choice(["drop", "keep", "mix", "mix"])
        if style == "keep":
            after = bytearray(inode.current)
        elif style == "mix":
            length = self.rng.randrange(len(inode.durable), len(inode.current) + 1)
            after.extend(bytes(length - len(after)))
            for sector in sorted(inode.dirty):
                self._cut_sector(inode, after, sector * SECTOR)
        inode.current, inode.durable = bytearray(after), after
        inode.dirty.clear()
        inode.poisoned = False

    def _cut_sector(self, inode: Inode, after: bytearray, start: int) -> None:
        end = min(start + SECTOR, len(after))
        kept = len(inode.durable)
        if end <= start:
            return
        new = bytes(inode.current[start:end])
        fate = self.rng.choice(["new", "new", "old", "zero", "garbage"])
        old = bytes(after[start:end])
        fill = {"new": new, "old": old, "zero": bytes(len(old)), "garbage": self.rng.randbytes(len(old))}[fate]
        durable = max(min(kept, end) - start, 0)
        if new[:durable] == old[:durable]:
            fill = old[:durable] + fill[durable:]
        after[start:end] = fill

    def _folder(self, folder: Path) -> dict[str, Inode]:
        if folder not in self._names:
            raise FileNotFoundError(errno.ENOENT, "no such folder", str(folder))
        return self._names[folder]

    def _note(self, folder: Path) -> None:
        """Remember what the names were after each change: a power cut leaves one of these states."""
        self._renames[folder].append(dict(self._names[folder]))
