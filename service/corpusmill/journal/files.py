"""The one seam between the journal and the disk.

Rule of this file: everything the journal does to a disk goes through `Files` and `File`, in calls so small that each
can fail, be torn or be lost on its own; tests put a simulated disk behind the same seam. Errors are OSError.
"""

import contextlib
import ctypes
import errno
import os
from pathlib import Path
from typing import Protocol

KEEP_SIZE = 1
"""FALLOC_FL_KEEP_SIZE of Linux: reserve blocks without changing the file's length."""

NO_RESERVE = frozenset({errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
"""What a file system answers that cannot reserve space; then a full disk shows at the write instead."""


class File(Protocol):
    """An open file that is written by position, so that a failed write can be repeated without harm."""

    def write_at(self, offset: int, chunk: bytes) -> int:
        """Write some of `chunk` at `offset`; return how many bytes were taken (at least 1)."""

    def sync(self) -> None:
        """Return when the file's bytes and length are durable. After an error the file must not be synced again."""

    def close(self) -> None:
        """Release the handle; makes nothing durable."""


class Files(Protocol):
    """A disk. A name is durable only after `sync_folder` of the folder that holds it."""

    def create(self, path: Path, reserve_bytes: int = 0) -> File:
        """Make a new file, with disk space reserved where the system can; FileExistsError if the name is taken."""

    def read(self, path: Path) -> bytes:
        """Return the file's bytes; FileNotFoundError where there is none."""

    def read_at(self, path: Path, offset: int, size: int) -> bytes:
        """Return `size` bytes from `offset` on, fewer where the file ends."""

    def names(self, folder: Path) -> list[str]:
        """Return the names in a folder, sorted."""

    def make_folder(self, folder: Path) -> bool:
        """Make the folder and its parents where missing; return whether it was missing."""

    def rename(self, old: Path, new: Path) -> None:
        """Give a file its new name, replacing what had it, in one step."""

    def remove(self, path: Path) -> None:
        """Remove a name."""

    def give_back(self, path: Path) -> None:
        """Release what was reserved behind the end of a file whose writer died."""

    def sync_folder(self, folder: Path) -> None:
        """Return when the names in the folder are durable."""

    def free_bytes(self, folder: Path) -> int:
        """Return how many bytes an ordinary user may still write."""


class DiskFile:
    """A file of the operating system."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write_at(self, offset: int, chunk: bytes) -> int:
        """Write by `pwrite`."""
        return os.pwrite(self._descriptor, chunk, offset)

    def sync(self) -> None:
        """Sync by `fdatasync` (which also makes a changed length durable), or `fsync` where there is none."""
        sync = getattr(os, "fdatasync", os.fsync)
        sync(self._descriptor)

    def close(self) -> None:
        """Close the descriptor, and give back what was reserved behind the file's end, if the disk still listens."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size)
        os.close(self._descriptor)


class Disk:
    """The disk of the operating system."""

    def create(self, path: Path, reserve_bytes: int = 0) -> File:
        """Open exclusively for writing; with space reserved, a full disk shows here and not later."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            if reserve_bytes:
                _reserve(descriptor, reserve_bytes)
        except BaseException:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        return DiskFile(descriptor)

    def read(self, path: Path) -> bytes:
        """Read the whole file; files of the journal are bounded by their segment and shard sizes."""
        return path.read_bytes()

    def read_at(self, path: Path, offset: int, size: int) -> bytes:
        """Read by `pread`."""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(descriptor, size, offset)
        finally:
            os.close(descriptor)

    def names(self, folder: Path) -> list[str]:
        """List the folder."""
        return sorted(entry.name for entry in folder.iterdir())

    def make_folder(self, folder: Path) -> bool:
        """Make the folder and its parents."""
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if not folder.is_dir():
                raise
            return False
        return True

    def rename(self, old: Path, new: Path) -> None:
        """Rename by `rename(2)`."""
        old.rename(new)

    def remove(self, path: Path) -> None:
        """Unlink."""
        path.unlink()

    def give_back(self, path: Path) -> None:
        """Set the file's length to what it is, which frees the blocks behind it."""
        os.truncate(path, path.stat().st_size)

    def sync_folder(self, folder: Path) -> None:
        """Sync by `fsync` of the directory."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def free_bytes(self, folder: Path) -> int:
        """Ask `statvfs`."""
        room = os.statvfs(folder)
        return room.f_bavail * room.f_frsize


def _reserve(descriptor: int, length_bytes: int) -> None:
    """Reserve disk space behind the file without changing its length, where the system has `fallocate`."""
    fallocate = getattr(ctypes.CDLL(None, use_errno=True), "fallocate", None)
    if fallocate is None:
        return
    if fallocate(descriptor, KEEP_SIZE, ctypes.c_int64(0), ctypes.c_int64(length_bytes)) != 0:
        number = ctypes.get_errno()
        if number not in NO_RESERVE:
            raise OSError(number, os.strerror(number))


def write_all(file: File, offset: int, chunk: bytes) -> int:
    """Write the whole chunk at `offset`, looping over short writes; return the offset behind it."""
    view = memoryview(chunk)
    while view:
        taken = file.write_at(offset, bytes(view) if len(view) < len(chunk) else chunk)
        offset += taken
        view = view[taken:]
    return offset
