"""A way to wait for news without polling."""

import asyncio


class Bell:
    """Wakes everybody who waits, each time it rings. Who waits must look again at what he waited for."""

    def __init__(self) -> None:
        self._event: asyncio.Event | None = None

    def ring(self) -> None:
        """Wake all who wait now; costs nothing while nobody does."""
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self) -> None:
        """Return at the next ring."""
        if self._event is None:
            self._event = asyncio.Event()
        await self._event.wait()
