"""The kept-alive connections of one endpoint, each used by one request at a time.

Rules of this file: aiohttp makes the connections: names, addresses, proxies, TLS. Each is borrowed from aiohttp's pool
for as long as it lives, because what that pool does around a request costs more than reading the answer. This file and
`line` are the only ones that lean on the inside of aiohttp; tests/endpoint/test_aiohttp.py names all they use.
"""

import asyncio
import socket
import ssl
from functools import partial
from typing import Final

import aiohttp
import yarl
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from multidict import CIMultiDict

from corpusmill.endpoint.line import Line
from corpusmill.endpoint.network import Proxy

KEEPALIVE_SECONDS: Final = 60
IDLE_SECONDS: Final = 15.0
"""An unused connection is not used again after this: servers close theirs after as little as 20 seconds."""


class Connections:
    """The connections of one endpoint.

    Args:
        url: anything at the endpoint: it says where to connect to.
        proxy: the way there.
        concurrency: the most connections; who wants another one waits.
        trust: which certificates are good.
        connect_timeout_seconds: how long making one may take.
    """

    def __init__(
        self,
        url: yarl.URL,
        proxy: Proxy | None,
        *,
        concurrency: int,
        trust: ssl.SSLContext | bool,
        connect_timeout_seconds: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._connector = aiohttp.TCPConnector(limit=0, ssl=trust, socket_factory=_keepalive_socket)
        make: type[ResponseHandler] = Line
        self._connector._factory = partial(make, self._loop)  # noqa: SLF001 - there is no public way
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout_seconds)
        self._destination = _destination(url, proxy)
        self._places = asyncio.Semaphore(concurrency)
        self._idle: list[tuple[Connection, Line, float]] = []

    async def take(self) -> tuple[Connection, Line]:
        """Return a connection, which goes back with `keep` or with `drop`, and the line it consists of.

        Raises:
            aiohttp.ClientError, OSError: there is no connection to be had.
        """
        await self._places.acquire()
        try:
            return self._unused() or await self._fresh()
        except BaseException:
            self._places.release()
            raise

    def keep(self, connection: Connection, line: Line) -> None:
        """Give back a connection behind a whole answer; it is kept unless the server wants it closed."""
        self._places.release()
        if line.is_ready:
            line.rest()
            self._idle.append((connection, line, self._loop.time()))
        else:
            connection.close()

    def drop(self, connection: Connection) -> None:
        """Close a connection at once, with whatever it still holds; a server need not take that for us to end."""
        self._places.release()
        if connection.transport is not None:
            connection.transport.abort()
        connection.close()

    async def close(self) -> None:
        """Close all connections."""
        for connection, _, _ in self._idle:
            connection.close()
        self._idle.clear()
        await self._connector.close()

    def _unused(self) -> tuple[Connection, Line] | None:
        """Return the connection that was used last, if it is still good."""
        oldest = self._loop.time() - IDLE_SECONDS
        while self._idle:
            connection, line, since = self._idle.pop()
            if since >= oldest and line.is_ready:
                return connection, line
            connection.close()
        return None

    async def _fresh(self) -> tuple[Connection, Line]:
        connection = await self._connector.connect(self._destination, [], self._timeout)
        line = connection.protocol
        if not isinstance(line, Line):
            connection.close()
            raise aiohttp.ClientConnectionResetError("the connection was closed as soon as it was made")
        return connection, line


def _destination(url: yarl.URL, proxy: Proxy | None) -> aiohttp.ClientRequest:
    """Return what tells aiohttp where to connect to; of the secrets, it holds what the proxy's CONNECT is sent with."""
    loop = asyncio.get_running_loop()
    if proxy is None:
        return aiohttp.ClientRequest("POST", url, loop=loop)
    headers = CIMultiDict[str]()
    if proxy.authorization and url.scheme == "https":
        headers["Proxy-Authorization"] = proxy.authorization.reveal()
    return aiohttp.ClientRequest("POST", url, loop=loop, proxy=proxy.url, proxy_headers=headers)


def _keepalive_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket that probes a silent peer: a model may think for minutes, and routers forget silent flows sooner."""
    family, kind, protocol, _, _ = address
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_SECONDS)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_SECONDS)
    return sock
