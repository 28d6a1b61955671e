"""Requests to one daemon, sent until they are answered or patience ends.

Rules of this file: the only one that knows aiohttp's errors; what it raises never holds a header, for one of them is
the key. Redirects are not followed and no proxy is asked, so the key goes to the daemon's address alone.
"""

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import msgspec

from corpusmill_client.errors import ApiError, CorpusmillError, UnreachableError, error_of, unexpected
from corpusmill_client.patience import Patience, Tries
from corpusmill_client.secret import Secret

PREFIX = "/api/v1"
CONNECT_SECONDS = 10.0
STREAM_SECONDS = 45.0
"""A stream that is silent for so long is lost: the daemon shows every 15 seconds that it is there."""

ANSWER_BYTES = 256 << 20
PROBLEM_BYTES = 1 << 20
LINE_BYTES = 64 << 20

LOST = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError, OSError)
"""Errors of a connection, after which a request may be sent again."""

NO_MAPPING: Mapping[str, str] = {}


class Answer(msgspec.Struct, frozen=True):
    """An answer that was read whole."""

    status: int
    content: bytes


class Connection:
    """Sends requests; connections are kept and used again.

    Args:
        url: the daemon's address, such as http://127.0.0.1:8378.
        key: the API key, empty for none.
        patience: how long to go on where there is no answer.
        timeout_seconds: how long an answer may be silent.
        tls: how certificates are verified; None as Python does.
        chance: spreads pauses.

    Raises:
        ValueError: the URL is none.
    """

    def __init__(
        self,
        url: str,
        key: Secret,
        *,
        patience: Patience,
        timeout_seconds: float,
        tls: ssl.SSLContext | None,
        chance: random.Random,
    ) -> None:
        self.url = _checked(url)
        self._key, self._patience, self._chance = key, patience, chance
        self._timeout_seconds = timeout_seconds
        self._tls: ssl.SSLContext | bool = tls if tls is not None else True
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def tries(self) -> Tries:
        """Return the tries of a new request."""
        return Tries(self._patience, self._chance)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] = NO_MAPPING,
        headers: Mapping[str, str] = NO_MAPPING,
        content: bytes | None = None,
    ) -> Answer:
        """Send a request that may be sent twice without harm; return its answer.

        Raises:
            ApiError: the daemon refused.
            UnreachableError: it did not answer.
        """
        tries = self.tries()
        while True:
            try:
                async with self.opened(
                    method, path, query=query, headers=headers, content=content, silent_seconds=self._timeout_seconds
                ) as response:
                    return Answer(response.status, await _read(response, ANSWER_BYTES))
            except (ApiError, *LOST) as error:
                await self.pause(tries, error)

    @asynccontextmanager
    async def opened(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] = NO_MAPPING,
        headers: Mapping[str, str] = NO_MAPPING,
        content: bytes | None = None,
        silent_seconds: float = STREAM_SECONDS,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request once; the block reads its answer.

        Raises:
            ApiError: the daemon refused.
            OSError: or another of `LOST`: the connection failed.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False, auto_decompress=True)
        timeout = aiohttp.ClientTimeout(None, sock_connect=CONNECT_SECONDS, sock_read=silent_seconds)
        async with self._session.request(
            method,
            self.url + PREFIX + path,
            params=query,
            headers={**headers, **self._key.header()},
            data=content,
            timeout=timeout,
            ssl=self._tls,
            allow_redirects=False,
        ) as response:
            if response.status >= 400:
                problem = await _read(response, PROBLEM_BYTES)
                raise error_of(response.status, problem, response.headers.get("Retry-After"))
            if response.status >= 300 and response.status != 304:
                raise unexpected(response.status, f"{self.url} leads elsewhere")
            yield response

    async def pause(self, tries: Tries, error: Exception, at_least_seconds: float = 0.0) -> None:
        """Wait before the next try.

        Raises:
            ApiError: `error`, if there should be none.
            UnreachableError: the same, of an error of the connection.
        """
        seconds = tries.pause_seconds(asyncio.get_running_loop().time(), error)
        if seconds is None or isinstance(error, aiohttp.ClientSSLError):
            raise error if isinstance(error, CorpusmillError) else self._unreachable(error) from None
        await asyncio.sleep(max(seconds, at_least_seconds))

    def _unreachable(self, error: Exception) -> UnreachableError:
        told = str(error) or type(error).__name__
        return UnreachableError(f"{self.url} does not answer: {told}; is the daemon running, and is this its address?")


async def lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Yield the lines of a body, without their ends; what stands behind the last end is left.

    Raises:
        UnexpectedAnswerError: a line has no end.
    """
    begun: list[bytes] = []
    held = 0
    async for chunk in response.content.iter_any():
        first, *others = chunk.split(b"\n")
        begun.append(first)
        held += len(first)
        if held > LINE_BYTES:
            raise unexpected(response.status, f"a line of more than {LINE_BYTES >> 20} MiB")
        if others:
            yield b"".join(begun)
            for line in others[:-1]:
                yield line
            begun, held = [others[-1]], len(others[-1])


async def _read(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > most_bytes:
            raise unexpected(response.status, f"an answer of more than {most_bytes >> 20} MiB")
    return bytes(content)


def _checked(url: str) -> str:
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and not (parts.username or parts.password):
            return url.rstrip("/").removesuffix(PREFIX)
    raise ValueError("the daemon's address is an http or https URL without a user, such as http://127.0.0.1:8378")
