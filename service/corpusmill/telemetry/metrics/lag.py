"""How late the event loop is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from corpusmill.telemetry.events import Emit, LoopLagged

EVERY_SECONDS = 1.0


async def measure_lag(emit: Emit) -> None:
    """Tell once a second, until cancelled, by how much a timer came late."""
    clock = asyncio.get_running_loop().time
    while True:
        due = clock() + EVERY_SECONDS
        await asyncio.sleep(EVERY_SECONDS)
        emit(LoopLagged(max(clock() - due, 0.0)))


@asynccontextmanager
async def lag_measured(emit: Emit) -> AsyncIterator[None]:
    """Measure while the block runs."""
    async with asyncio.TaskGroup() as group:
        measuring = group.create_task(measure_lag(emit))
        try:
            yield
        finally:
            measuring.cancel()
