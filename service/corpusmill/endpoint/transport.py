"""The HTTP session of an endpoint, and what aiohttp leaves to its user: whether anything was sent, how much is read.

The rule of this file: everything that is the same for all calls is set up here, once.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import aiohttp.abc
import yarl

MAX_BODY_BYTES: Final = 32 * 1024 * 1024
KEEPALIVE_SECONDS: Final = 60


class BodyTooLargeError(aiohttp.ClientPayloadError):
    """The response's body is longer than 32 MiB."""


class CallBody(aiohttp.Payload):
    """A request's body that knows how far it got.

    Attributes:
        sent: it began to leave; from then on the server may work, and charge.
        written: all of it was handed to the connection.
    """

    def __init__(self, body: bytes) -> None:
        super().__init__(body, content_type="application/json")
        self._size = len(body)
        self._autoclose = True
        self.sent = self.written = False
        self._transport: asyncio.WriteTransport | None = None

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The body as text."""
        return str(self._value, encoding, errors)

    async def write(self, writer: aiohttp.abc.AbstractStreamWriter) -> None:
        """Write the body."""
        self._transport = writer.transport
        self.sent = True
        await writer.write(self._value)
        self.written = True

    def abandon(self) -> None:
        """Drop the connection with whatever of the body it still holds; closing would wait for a server to take it."""
        if self._transport is not None:
            self._transport.abort()


async def exchange(
    session: aiohttp.ClientSession, url: yarl.URL, body: CallBody, options: Mapping[str, Any], deadline_seconds: float
) -> tuple[aiohttp.ClientResponse, bytes]:
    """Post the body and read the response whole.

    Raises:
        aiohttp.ClientError, OSError: there is no whole response within the deadline.
    """
    done = False
    try:
        async with asyncio.timeout(deadline_seconds):
            response = await session.post(url, data=body, **options)
            content = await read_whole(response)
        done = body.written
    finally:
        if not done:
            body.abandon()
    return response, content


async def read_whole(response: aiohttp.ClientResponse) -> bytes:
    """The response's whole body, unpacked.

    Reading to the end returns the connection to the pool; whatever else ends this closes it. It stands in place of
    `async with response`, whose way out costs a tenth of a call and only repeats what the end of the body did.

    Raises:
        BodyTooLargeError: the body is longer than 32 MiB; what is left of it is not read.
    """
    try:
        content = response.content
        chunk = await content.readany()
        if content.at_eof():
            return chunk
        chunks, size = [chunk], len(chunk)
        while not content.at_eof():
            if size > MAX_BODY_BYTES:
                raise BodyTooLargeError
            chunk = await content.readany()
            chunks.append(chunk)
            size += len(chunk)
        return b"".join(chunks)
    except BaseException:
        response.close()
        raise


def open_session(
    concurrency: int, trust: ssl.SSLContext | bool, connect_timeout_seconds: float
) -> aiohttp.ClientSession:
    """A session for `concurrency` calls at once, without cookies and without a deadline of its own."""
    connector = aiohttp.TCPConnector(limit=concurrency, ssl=trust, socket_factory=_keepalive_socket)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout_seconds),
    )


def _keepalive_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket that probes a silent peer: a model may think for minutes, and routers forget silent flows sooner."""
    family, kind, protocol, _, _ = address
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_SECONDS)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_SECONDS)
    return sock
