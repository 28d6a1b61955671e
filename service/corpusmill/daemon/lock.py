"""One daemon for each data directory."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpusmill.config import ConfigError

LOCK = "daemon.lock"


class DataBusyError(Exception):
    """Another daemon has the data directory: which process."""


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Keep a data directory, made where it is missing, to this process; the system drops the lock with the process.

    Raises:
        DataBusyError: another daemon has it.
        ConfigError: it cannot be written.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ConfigError(f"data: {data} cannot be written: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
            raise DataBusyError(f"another daemon serves {data}, in process {holder}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
