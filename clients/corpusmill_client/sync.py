"""The synchronous client: the asynchronous one, run by a thread of its own.

Rule of this file: no method is written twice; each is made of the asynchronous one and has its signature and words.
"""

import asyncio
import contextlib
import functools
import random
import ssl
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from corpusmill_client.client import DEFAULT_PATIENCE, Client
from corpusmill_client.patience import Patience

P = ParamSpec("P")
T = TypeVar("T")


class Portal:
    """An event loop on a thread, and the way into it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="corpusmill-client", daemon=True)
        self._thread.start()

    @property
    def is_closed(self) -> bool:
        """Whether there is no way in any more."""
        return self._loop.is_closed()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end, and return what comes of it; an interrupt here ends the work there."""
        if self.is_closed:
            work.close()
            raise RuntimeError("the client is closed")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        finally:
            future.cancel()

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


def blocking(
    method: Callable[Concatenate[Client, P], Coroutine[Any, Any, T]],
) -> "Callable[Concatenate[SyncClient, P], T]":
    """Return a method that waits for another's result."""

    @functools.wraps(method)
    def call(self: "SyncClient", /, *arguments: P.args, **options: P.kwargs) -> T:
        return self.portal.run(method(self.client, *arguments, **options))

    return call


def iterating(
    method: Callable[Concatenate[Client, P], AsyncGenerator[T, None]],
) -> "Callable[Concatenate[SyncClient, P], Generator[T, None, None]]":
    """Return a method that yields what another does; closing it closes the other."""

    @functools.wraps(method)
    def call(self: "SyncClient", /, *arguments: P.args, **options: P.kwargs) -> Generator[T, None, None]:
        source = method(self.client, *arguments, **options)
        try:
            while True:
                try:
                    found = self.portal.run(_next(source))
                except StopAsyncIteration:
                    return
                yield found
        finally:
            self.portal.run(_close(source))

    return call


class SyncClient:
    """A client of one daemon; a context manager. Threads may share it.

    Takes what `Client` takes.
    """

    submit = blocking(Client.submit)
    plan = blocking(Client.plan)
    job = blocking(Client.job)
    jobs = iterating(Client.jobs)
    page = blocking(Client.page)
    pause = blocking(Client.pause)
    resume = blocking(Client.resume)
    cancel = blocking(Client.cancel)
    delete = blocking(Client.delete)
    wait = blocking(Client.wait)
    events = iterating(Client.events)
    records = iterating(Client.records)
    rejects = iterating(Client.rejects)
    report = blocking(Client.report)
    shards = blocking(Client.shards)
    download = blocking(Client.download)
    service = blocking(Client.service)
    is_ready = blocking(Client.is_ready)

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        patience: Patience = DEFAULT_PATIENCE,
        timeout_seconds: float = 300.0,
        tls: ssl.SSLContext | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self.client = Client(url, api_key, patience=patience, timeout_seconds=timeout_seconds, tls=tls, chance=chance)
        self.portal = Portal()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The daemon's address."""
        return self.client.url

    def close(self) -> None:
        """Close all connections, and end the thread."""
        if self.portal.is_closed:
            return
        try:
            self.portal.run(self.client.close())
        finally:
            self.portal.close()


async def _next(source: AsyncGenerator[T, None]) -> T:
    return await anext(source)


async def _close(source: AsyncGenerator[Any, None]) -> None:
    with contextlib.suppress(RuntimeError):  # it is at work still: an interrupt cancels it, which closes it too
        await source.aclose()
