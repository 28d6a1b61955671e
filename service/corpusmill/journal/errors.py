"""What can be wrong with a job's files."""


class JournalError(Exception):
    """Trouble with the files of a job."""


class CorruptionError(JournalError):
    """Acknowledged bytes are not what was written: something changed them. Nothing is repaired by itself."""


class BrokenDiskError(JournalError):
    """The disk refused the journal twice in a row; the run must end, and nothing acknowledged is lost."""
