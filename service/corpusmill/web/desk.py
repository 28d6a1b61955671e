"""What all operations share: the mill, the configuration as it is now, and the bounds on what is asked at once.

Rule of this file: what blocks goes to one of two small thread pools, so that neither a large spec nor a slow reader
holds up the event loop or the other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from corpusmill.bootstrap.run import SIMULATED
from corpusmill.bootstrap.target import Upstream
from corpusmill.config import Config
from corpusmill.daemon.intake import Terms
from corpusmill.daemon.mill import Mill
from corpusmill.jobs.folder import job_path
from corpusmill.jobs.generations import generation_path
from corpusmill.space.documents.places import Base
from corpusmill.telemetry.events import Emit
from corpusmill.web.keys import Keyring
from corpusmill.web.problems import ProblemError
from corpusmill.web.reports import Reports

Result = TypeVar("Result")
Scrape = Callable[[str], Awaitable[tuple[bytes, Mapping[str, str]]]]
"""Gives the metrics in Prometheus' text format, and their headers, for an Accept-Encoding."""


class Desk:
    """What operations work with.

    Args:
        mill: runs the jobs.
        config: the operator's, as it is now.
        upstream: how aliases are resolved.
        keyring: who may do what.
        scrape: gives the metrics.
        emit: takes events.

    Attributes:
        reports: of all jobs.
        draining: whether the daemon is about to end.
        simulated: whether the default endpoint invents its text.
    """

    def __init__(
        self, mill: Mill, config: Config, upstream: Upstream, keyring: Keyring, *, scrape: Scrape, emit: Emit
    ) -> None:
        self.mill, self.table, self.scrape, self.emit = mill, mill.table, scrape, emit
        self.adopt(config, upstream, keyring)
        self.reports = Reports(self.data)
        self.draining = False
        self.simulated = upstream.default is not None and upstream.default.name == SIMULATED
        self._thinking = ThreadPoolExecutor(2, "requests")
        self._reading = ThreadPoolExecutor(4, "readers")
        self._streams = 0

    def adopt(self, config: Config, upstream: Upstream, keyring: Keyring) -> None:
        """Take another configuration."""
        self.config, self.upstream, self.keyring = config, upstream, keyring
        models = frozenset(config.models) if config.models else None
        self.terms = Terms(models, Base({name: Path(root).absolute() for name, root in config.roots.items()}))
        self.data = Path(config.data)
        self.mill.base, self.mill.on_quota = self.terms.base, config.server.on_quota

    def close(self) -> None:
        """Let the threads go."""
        self.reports.close()
        self._thinking.shutdown(wait=False, cancel_futures=True)
        self._reading.shutdown(wait=False, cancel_futures=True)

    def think(self, work: Callable[[], Result]) -> Awaitable[Result]:
        """Do what takes long to compute; return its result."""
        return asyncio.get_running_loop().run_in_executor(self._thinking, work)

    def read(self, work: Callable[[], Result]) -> Awaitable[Result]:
        """Do what waits for the disk; return its result."""
        return asyncio.get_running_loop().run_in_executor(self._reading, work)

    def generation(self, job: str) -> Path:
        """Return the folder of a job's current generation: what a refold made of it, or else its own. Blocking."""
        return generation_path(job_path(self.data, job))

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Count a stream that stays open.

        Raises:
            ProblemError: 503, there are too many.
        """
        if self._streams >= self.config.server.max_streams:
            raise ProblemError(503, "too-many-streams", "too many streams are open", headers={"Retry-After": "10"})
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    async def body(self, request: web.Request) -> bytes:
        """Read a request's body.

        Raises:
            ProblemError: 413, 408 or 400: it is too large, too slow, or cannot be read.
        """
        most, seconds = self.config.server.max_body_mib << 20, self.config.server.body_seconds
        too_large = ProblemError(413, "body-too-large", f"the body is larger than {most >> 20} MiB")
        if (request.content_length or 0) > most:
            raise too_large
        chunks = bytearray()
        try:
            async with asyncio.timeout(seconds):
                async for chunk in request.content.iter_any():
                    chunks += chunk
                    if len(chunks) > most:
                        raise too_large
        except TimeoutError:
            raise ProblemError(408, "body-too-slow", f"the body took more than {seconds} seconds") from None
        except web.RequestPayloadError:
            raise ProblemError(400, "bad-body", "the body cannot be read as it was sent") from None
        return bytes(chunks)
