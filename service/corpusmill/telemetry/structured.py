"""structlog, without the library that it would load for tracebacks on a terminal.

Rule of this file: it is the one that imports structlog. Wherever rich is installed structlog loads it, for a renderer
that lines of JSON have no use for, and that would be a tenth of all the work before a run's first call. The live view
loads rich itself, where there is a terminal.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["structlog"]


@contextmanager
def _without(package: str) -> Iterator[None]:
    """Let imports in the block find that a package is not installed, unless it is loaded already."""
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]  # Python's sign for what cannot be imported
    try:
        yield
    finally:
        del sys.modules[package]


with _without("rich"):
    import structlog
