"""One connection: a question goes out, the answer comes back, and what nobody asked for ends it.

Rules of this file: a plain answer is taken as it comes; any other goes through aiohttp's parser, a new one for each.
Until its first question a line is what aiohttp takes it for, so that a proxy's tunnel can be dug with it.
"""

import asyncio
from typing import Final, TypeAlias

from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError
from aiohttp.streams import StreamReader

from corpusmill.endpoint.errors import BodyTooLargeError, NotHttpError
from corpusmill.endpoint.plain import Head, read_plain

MAX_BODY_BYTES: Final = 32 * 1024 * 1024

Arrival: TypeAlias = "asyncio.Future[tuple[Head, bytes] | None]"


class Line(ResponseHandler):
    """The protocol of a connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._is_parsing = True
        self._arrival: Arrival | None = None

    @property
    def is_ready(self) -> bool:
        """Whether a question can be sent."""
        return self.is_connected() and not self.should_close

    @property
    def is_flushed(self) -> bool:
        """Whether all of the question is written."""
        return not self.writing_paused and self.transport is not None and not self.transport.get_write_buffer_size()

    def ask(self, octets: bytes, arrival: Arrival) -> None:
        """Send a question, on a line that is ready.

        Args:
            octets: the question.
            arrival: is given the answer if that is a plain one, or None once it can be read with `parsed`.
        """
        assert self.transport is not None, "the line is ready"  # noqa: S101 - for the type checker
        self._is_parsing = False
        self._arrival = arrival
        self.transport.write(octets)

    def rest(self) -> None:
        """The answer is whole: whatever comes from now on is unasked for."""
        self._is_parsing = False
        self._arrival = None

    def data_received(self, data: bytes) -> None:
        """Take what comes."""
        arrival = self._arrival
        if self._is_parsing:
            super().data_received(data)
        elif arrival is None or arrival.done():
            self.force_close()
        elif plain := read_plain(data):
            head, body, behind = plain
            arrival.set_result((head, body))
            if behind:
                self.force_close()
        else:
            self._is_parsing = True
            self.set_response_params(read_until_eof=True)
            super().data_received(data)
            arrival.set_result(None)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Take note that the connection is gone; `read` tells how."""
        super().connection_lost(exc)
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    async def parsed(self) -> tuple[Head, bytes]:
        """Return an answer that aiohttp reads, whole; interim ones (1xx) are passed over.

        Raises:
            aiohttp.ClientError, OSError: there is no whole answer, or none of at most 32 MiB.
        """
        try:
            head, stream = await self.read()
            while 100 <= head.code < 200 and head.code != 101:
                head, stream = await self.read()
        except HttpProcessingError as error:
            raise NotHttpError(error.message) from error
        return Head(head.code, head.reason, head.headers), await read_whole(stream)


async def read_whole(stream: StreamReader) -> bytes:
    """Return the whole body, unpacked.

    Raises:
        BodyTooLargeError: the body is longer than 32 MiB; what is left of it is not read.
    """
    chunk = await stream.readany()
    if stream.at_eof():
        return chunk
    chunks, size = [chunk], len(chunk)
    while not stream.at_eof():
        if size > MAX_BODY_BYTES:
            raise BodyTooLargeError
        chunk = await stream.readany()
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)
