"""What can be wrong with a job's files."""

import errno

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Errors that say the disk has no room: they pass when room is made."""


class JournalError(Exception):
    """Trouble with the files of a job."""


class CorruptionError(JournalError):
    """Acknowledged bytes are not what was written: something changed them. Nothing is repaired by itself."""


class FullDiskError(JournalError):
    """There is no room to open a job; nothing is lost, the same command goes on when there is."""


class BrokenDiskError(JournalError):
    """The disk refused the journal twice in a row; the run must end, and nothing acknowledged is lost."""


def refused(error: OSError, what: str) -> JournalError:
    """Return what a disk's refusal means where nothing can be done about it."""
    if error.errno in FULL:
        return FullDiskError(f"the disk is full: {what}; make room, the same command goes on")
    return BrokenDiskError(f"the disk refuses: {what}: {error.strerror}")
