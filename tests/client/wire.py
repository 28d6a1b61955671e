"""A wire between a client and a daemon that can be cut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from corpusmill_client import Client, Patience

IMPATIENT = Patience(seconds=20.0, first_seconds=0.005, most_seconds=0.05)
CHUNK_BYTES = 4096


class Wire:
    """Passes bytes on; each connection is cut after so many bytes of answers as `cut_after` says, None for never."""

    def __init__(self, target: str, cut_after: Callable[[int], int | None]) -> None:
        self._target, self._cut_after = urlsplit(target), cut_after
        self.connections = 0
        self.answered_bytes = 0
        self.url = ""

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until one side ends it or it is cut."""
        left = self._cut_after(self.connections)
        self.connections += 1
        there, back = await asyncio.open_connection(self._target.hostname, self._target.port)
        try:
            with contextlib.suppress(ConnectionError):
                async with asyncio.TaskGroup() as group:
                    sending = group.create_task(_pass(reader, back))
                    await self._answer(there, writer, left)
                    sending.cancel()
        finally:
            writer.transport.abort()
            back.transport.abort()

    async def _answer(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None) -> None:
        while chunk := await there.read(CHUNK_BYTES):
            if left is not None:
                chunk, left = chunk[:left], left - len(chunk)
            self.answered_bytes += len(chunk)
            writer.write(chunk)
            await writer.drain()
            if left is not None and left <= 0:
                return


@asynccontextmanager
async def cut(
    url: str, cut_after: Callable[[int], int | None], **options: object
) -> AsyncIterator[tuple[Client, Wire]]:
    """A client that asks a daemon through a wire that is cut."""
    wire = Wire(url, cut_after)
    server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, Client(wire.url, "", patience=IMPATIENT) as client:
        yield client, wire


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
