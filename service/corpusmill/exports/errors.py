"""What can go wrong with an export."""


class ExportError(Exception):
    """The export cannot be made as it was asked for: what stands against it, and what to ask for instead."""


class OutputError(Exception):
    """The output cannot be written: which file, and why."""
