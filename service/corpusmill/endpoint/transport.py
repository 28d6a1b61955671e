"""HTTP/1.1: one request out, one whole answer in.

Rules of this file: nothing is ever sent twice. A connection goes on to another request only if all of this one was
written and the answer was whole; whatever else ends an exchange closes it, cancellation too.
"""

import asyncio
from collections.abc import Mapping

import aiohttp
import yarl

from corpusmill.endpoint.connections import Connections
from corpusmill.endpoint.deadlines import Deadlines
from corpusmill.endpoint.line import Arrival, Line
from corpusmill.endpoint.plain import Head


class Outgoing:
    """A request on its way.

    Attributes:
        octets: as it goes over the wire.
        sent: it began to leave; from then on the server may work, and charge.
    """

    __slots__ = ("octets", "sent")

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.sent = False


class Transport:
    """Exchanges requests for answers over the connections of one endpoint."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._deadlines = Deadlines()
        self._loop = asyncio.get_running_loop()
        self._ready: list[tuple[Outgoing, Line, Arrival]] = []

    async def exchange(self, request: Outgoing, ends_at: float) -> tuple[Head, bytes]:
        """Send the request and read the answer whole, by a moment of the loop's clock; return its head and its body.

        Raises:
            aiohttp.ClientError, OSError: there is no whole answer in time.
        """
        task = asyncio.current_task()
        assert task is not None, "a coroutine runs in a task"  # noqa: S101 - for the type checker
        self._deadlines.begin(task, ends_at)
        try:
            return await self._exchange(request)
        except asyncio.CancelledError:
            self._deadlines.check(task)
            raise
        finally:
            self._deadlines.end(task)

    async def _exchange(self, request: Outgoing) -> tuple[Head, bytes]:
        connection, line = await self._connections.take()
        is_whole = False
        try:
            arrival: Arrival = self._loop.create_future()
            self._send_soon(request, line, arrival)
            answer = await arrival or await line.parsed()
            is_whole = line.is_flushed
        finally:
            if is_whole:
                self._connections.keep(connection, line)
            else:
                self._connections.drop(connection)
        return answer

    def _send_soon(self, request: Outgoing, line: Line, arrival: Arrival) -> None:
        """Send a request together with all others that become ready in this pass of the loop.

        One behind the other they take a sixth less processor time, on both ends, than with other work between them.
        """
        if not self._ready:
            self._loop.call_soon(self._send)
        self._ready.append((request, line, arrival))

    def _send(self) -> None:
        ready, self._ready = self._ready, []
        for request, line, arrival in ready:
            if arrival.done():
                continue
            if line.is_ready:
                request.sent = True
                line.ask(request.octets, arrival)
            else:
                arrival.set_exception(aiohttp.ClientConnectionResetError("closed before anything was sent"))


def request_head(method: str, url: yarl.URL, headers: Mapping[str, str], *, is_proxied: bool) -> bytes:
    """Return the request line and headers; what says how long the body is and the blank line come behind.

    A proxy is told the whole URL, unless it only passes on what is encrypted.
    """
    target = str(url) if is_proxied and url.scheme == "http" else url.raw_path_qs
    fields = {"Host": url.host_port_subcomponent, **headers}
    return "".join([f"{method} {target} HTTP/1.1\r\n", *(f"{name}: {fields[name]}\r\n" for name in fields)]).encode()
