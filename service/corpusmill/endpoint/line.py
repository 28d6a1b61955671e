"""One connection: a question goes out, the answer comes back, and what nobody asked for ends it.

Rules of this file: a plain answer is taken as it comes; any other goes through aiohttp's parser, a new one for each.
Until its first question a line is what aiohttp takes it for, so that a proxy's tunnel can be dug with it.
"""

import asyncio
from typing import Final

from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError
from aiohttp.streams import StreamReader

from corpusmill.endpoint.errors import BodyTooLargeError, NotHttpError
from corpusmill.endpoint.plain import Head, read_plain

MAX_BODY_BYTES: Final = 32 * 1024 * 1024


class Line(ResponseHandler):
    """The protocol of a connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._is_parsing = True
        self._first: asyncio.Future[tuple[Head, bytes] | None] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether a question can be sent."""
        return self.is_connected() and not self.should_close

    @property
    def is_flushed(self) -> bool:
        """Whether all of the question is written."""
        return not self.writing_paused and self.transport is not None and not self.transport.get_write_buffer_size()

    def ask(self, octets: bytes) -> None:
        """Send a question, on a line that is ready."""
        assert self.transport is not None, "the line is ready"  # noqa: S101 - for the type checker
        self._is_parsing = False
        self._first = self._loop.create_future()
        self.transport.write(octets)

    async def answer(self) -> tuple[Head, bytes]:
        """Return the answer to the question, whole.

        Raises:
            aiohttp.ClientError, OSError: there is no whole answer, or none of at most 32 MiB.
        """
        assert self._first is not None, "something was asked"  # noqa: S101 - for the type checker
        return await self._first or await self._parsed()

    def rest(self) -> None:
        """The answer is whole: whatever comes from now on is unasked for."""
        self._is_parsing = False
        self._first = None

    def data_received(self, data: bytes) -> None:
        """Take what comes."""
        first = self._first
        if self._is_parsing:
            super().data_received(data)
        elif first is None or first.done():
            self.force_close()
        elif plain := read_plain(data):
            head, body, behind = plain
            first.set_result((head, body))
            if behind:
                self.force_close()
        else:
            self._is_parsing = True
            self.set_response_params(read_until_eof=True)
            super().data_received(data)
            first.set_result(None)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Take note that the connection is gone; `read` tells how."""
        super().connection_lost(exc)
        if self._first is not None and not self._first.done():
            self._first.set_result(None)

    async def _parsed(self) -> tuple[Head, bytes]:
        """Return an answer that aiohttp reads; interim ones (1xx) are passed over."""
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
