"""The text that a scrape gets.

Rules of this file: one form, text 0.0.4, which every scraper reads; packed if asked. What is told is gathered on the
event loop, and formatted off it, because that takes a hundred times as long. Scrapes that come while one is being made
share it: there is one at a time.
"""

import asyncio
import gzip
import time
from collections.abc import Callable, Iterable
from functools import partial

import msgspec
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from corpusmill.telemetry.metrics.counts import Counts
from corpusmill.telemetry.metrics.families import families
from corpusmill.telemetry.metrics.gauges import Gauges

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
GZIP_LEVEL = 1


class Scrape(msgspec.Struct, frozen=True):
    """An answer to GET /metrics, plain and packed."""

    plain: bytes
    packed: bytes

    def answer(self, accept_encoding: str) -> tuple[bytes, dict[str, str]]:
        """Return body and headers as the request's Accept-Encoding asks."""
        headers = {"Content-Type": CONTENT_TYPE, "Vary": "Accept-Encoding"}
        if "gzip" in accept_encoding.lower():
            return self.packed, {**headers, "Content-Encoding": "gzip"}
        return self.plain, headers


class Exposition:
    """Answers scrapes.

    Args:
        counts: what events came to.
        look: what the process looks like now; called on the event loop.
        wall_clock: seconds since the epoch.
    """

    def __init__(self, counts: Counts, look: Callable[[], Gauges], wall_clock: Callable[[], float] = time.time) -> None:
        self._counts, self._look, self._wall_clock = counts, look, wall_clock
        self._making: asyncio.Future[Scrape] | None = None
        self._process = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._process)

    async def scrape(self) -> Scrape:
        """Return all metrics as of now, or of the moment since which they are being made."""
        if self._making is None:
            gathered = families(self._counts, self._look(), self._wall_clock())
            self._making = asyncio.get_running_loop().run_in_executor(None, partial(self._make, gathered))
            self._making.add_done_callback(self._made)
        return await asyncio.shield(self._making)

    def _make(self, gathered: list[Family]) -> Scrape:
        """Format on another thread; what is told of the process is read from the system there."""
        plain = generate_latest(_Gathered([*gathered, *self._process.collect()]))
        return Scrape(plain, gzip.compress(plain, GZIP_LEVEL))

    def _made(self, _: "asyncio.Future[Scrape]") -> None:
        self._making = None


class _Gathered(Collector):
    """What was gathered, as the client library wants it."""

    def __init__(self, gathered: Iterable[Family]) -> None:
        self._gathered = gathered

    def collect(self) -> Iterable[Family]:
        """Return it."""
        return self._gathered
