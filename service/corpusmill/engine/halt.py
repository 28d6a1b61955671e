"""Why and whether a run is ending."""

import asyncio

import msgspec


class Ending(msgspec.Struct, frozen=True):
    """How a run ended.

    Attributes:
        state: finished; exhausted (budget); failed (the endpoint or the disk refuses for good); interrupted.
        reason: for people; empty for finished.
        cause: `disk` where the disk made it end, else empty.
    """

    state: str
    reason: str = ""
    cause: str = ""


class RunEndingError(Exception):
    """The run is ending: the item stays without an outcome and is taken up by the next run."""


class Halt:
    """The one place that knows that a run is to end; the first cause counts."""

    def __init__(self) -> None:
        self.ending: Ending | None = None
        self._stopped = asyncio.Event()

    def stop(self, state: str, reason: str) -> None:
        """End the run: no further call is issued, what is out comes back."""
        if self.ending is None:
            self.ending = Ending(state, reason)
            self._stopped.set()

    async def wait(self) -> None:
        """Return when the run is to end."""
        await self._stopped.wait()
