"""What systemd wants to be told by a service of Type=notify (sd_notify(3)): one datagram a word."""

import asyncio
import contextlib
import socket
from collections.abc import Mapping


class Systemd:
    """The service manager, or nobody where there is none.

    Args:
        environ: NOTIFY_SOCKET and WATCHDOG_USEC are read from it.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        microseconds = environ.get("WATCHDOG_USEC", "")
        self._interval_seconds = int(microseconds) / 2e6 if microseconds.isdigit() and int(microseconds) else None

    def tell(self, word: str) -> None:
        """Send a word such as `READY=1`; nobody minds if it is not heard."""
        if not self._address.startswith(("/", "@")):
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock,
        ):
            sock.sendto(word.encode(), address)

    async def keep_alive(self) -> None:
        """Say at half the watchdog's interval that the event loop turns; returns at once without a watchdog."""
        while self._interval_seconds is not None:
            self.tell("WATCHDOG=1")
            await asyncio.sleep(self._interval_seconds)
