"""aiohttp, imported without reading the system's certificate authorities.

aiohttp makes two TLS contexts as it is imported, and each reads all authorities: a seventh of the time to a run's first
call, for contexts that the run does not use. Calls over plain HTTP need none, and those over TLS have one of their own.

Rule of this file: whoever does use such a context finds it as aiohttp would have made it. It reads the authorities
before its first connection, and verifies from the first on.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["aiohttp"]


class _Late(ssl.SSLContext):
    """A context that reads the system's authorities before its first connection."""

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Begin a connection over memory, as event loops do."""
        return _read(self).wrap_bio(*arguments, **options)

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """Begin a connection over a socket."""
        return _read(self).wrap_socket(*arguments, **options)


def _put_off(context: ssl.SSLContext) -> None:
    """Take the place of `set_default_verify_paths`."""
    context.__class__ = _Late


def _read(context: ssl.SSLContext) -> ssl.SSLContext:
    """Do what was put off, and return the context, an ordinary one from now on."""
    context.__class__ = ssl.SSLContext
    context.set_default_verify_paths()
    return context


@contextmanager
def _authorities_later() -> Iterator[None]:
    """Let contexts that are made in the block read the system's authorities when they are first used."""
    ssl.SSLContext.set_default_verify_paths = _put_off  # type: ignore[assignment, method-assign]  # undone below
    try:
        yield
    finally:
        del ssl.SSLContext.set_default_verify_paths


with _authorities_later():
    import aiohttp
