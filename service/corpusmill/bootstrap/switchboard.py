"""All endpoints and gates of a process, opened once however many jobs call through them.

Rules of this file: one gate for each budget (base URL, credential, pool), opened when the first job needs it and closed
with the switchboard; a job has routes only while its block runs.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Self

import msgspec

from corpusmill.bootstrap.line import Line, opened
from corpusmill.bootstrap.target import Budget, Target, Upstream, UpstreamError, spec_limits
from corpusmill.config import Config, ModelConfig
from corpusmill.endpoint.failures import Fate
from corpusmill.endpoint.prices import Prices, load_published, resolve_prices
from corpusmill.engine.route import Member, Route
from corpusmill.engine.tickets import Tickets
from corpusmill.limits.gate import Gate
from corpusmill.limits.statistics import GateStatistics
from corpusmill.spec.schema import JobSpec, Limits
from corpusmill.spec.steps import aliases

UNBOUNDED = Limits()


class Switchboard:
    """Gives jobs their routes.

    Args:
        upstream: how aliases are resolved.
        environ: where keys, proxies and certificate authorities are read from.
        limits: for the whole process; they lower those of every endpoint.
    """

    def __init__(self, upstream: Upstream, environ: Mapping[str, str], limits: Limits = UNBOUNDED) -> None:
        self._upstream, self._environ, self._limits = upstream, environ, limits
        self._lines: dict[Budget, Line] = {}
        self._opening: defaultdict[Budget, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._routes: dict[str, dict[str, Route]] = {}
        self._stack = AsyncExitStack()
        self._steering: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._thread = self._stack.enter_context(ThreadPoolExecutor(1, "prices"))
        self._group = await self._stack.enter_async_context(asyncio.TaskGroup())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._steering:
            task.cancel()
        await self._stack.aclose()

    async def load_prices(self) -> None:
        """Load the published prices, if any model may need them, before there are calls that this would hold up."""
        if self._upstream.needs_published_prices:
            await asyncio.get_running_loop().run_in_executor(self._thread, load_published)

    @asynccontextmanager
    async def routes(
        self, job: str, spec: JobSpec, *, weight: float = 1.0, priority: int = 0
    ) -> AsyncIterator[dict[str, Route]]:
        """Give a job its routes, by model alias, while the block runs.

        Args:
            job: the name under which it takes tickets; of one running job.
            spec: whose steps name the aliases.
            weight: its share of a gate, relative to other jobs.
            priority: its class; the lowest number is served first.

        Raises:
            UpstreamError: an endpoint does not answer, refuses the key, or does not have the model.
            ConfigError, EndpointConfigError, PriceConfigError: something about it is not usable.
        """
        routes = {alias: await self._route(job, alias, spec.limits) for alias in aliases(spec.steps)}
        gates = dict.fromkeys(member.tickets for route in routes.values() for member in route.members)
        for gate in gates:
            gate.jobs.share(job, weight, priority)
        self._routes[job] = routes
        looking: list[asyncio.Task[None]] = []
        try:
            for alias, route in routes.items():
                if not route.priced.is_set():
                    looking.append(self._group.create_task(self._look_up(route, self._base_url(alias))))
            yield routes
        finally:
            for task in looking:
                task.cancel()
            del self._routes[job]
            for gate in gates:
                gate.jobs.forget(job)

    def reload(self, config: Config) -> None:
        """Adopt other limits and prices at once, also for jobs that run; they keep their endpoints until they end."""
        self._upstream = msgspec.structs.replace(self._upstream, config=config)
        for line in self._lines.values():
            line.reload(config.endpoints)
        for routes in self._routes.values():
            for alias, route in routes.items():
                model = config.models.get(alias)
                if model is not None and model.prices is not None:
                    route.price(_configured(config.endpoints[model.endpoints[0]].base_url, model))

    def statistics(self) -> dict[str, GateStatistics]:
        """Return what the gates look like now, by the names of their endpoints."""
        return {line.target.name: line.tickets.statistics() for line in self._lines.values()}

    async def _route(self, job: str, alias: str, limits: Limits) -> Route:
        """Resolve an alias for a job."""
        upstream, targets = self._upstream, self._upstream.targets(alias, self._environ)
        lines = [await self._line(target) for target in targets]
        alive = [line for line in lines if line.trouble is None]
        if not alive:
            passing = any(line.trouble is not None and line.trouble.fate is Fate.RETRY for line in lines)
            raise UpstreamError("; ".join(line.explained for line in lines), may_pass=passing)
        name, *_ = [await line.model(upstream.name(alias)) for line in alive]
        model = upstream.model(alias)
        members = [Member(line.endpoint, line.tickets) for line in lines]
        route = Route(name, members, job=job, model=alias if model else name, own=self._own(limits))
        if model is not None and model.prices is not None:
            route.price(_configured(targets[0].endpoint.base_url, model))
        return route

    async def _line(self, target: Target) -> Line:
        """Return the line to an endpoint, in trouble or not."""
        async with self._opening[target.budget]:
            line = self._lines.get(target.budget)
            if line is None:
                line = await self._stack.enter_async_context(opened(target, self._limits, self._environ))
                self._lines[target.budget] = line
                self._steering.append(self._group.create_task(line.steer()))
            line.join(target)
            await line.look()
            return line

    def _own(self, limits: Limits) -> Tickets | None:
        """Return a gate of a job's own, where it asks for less than the process as a whole."""
        mine, ours = spec_limits(limits), spec_limits(self._limits)
        if not mine.rows() or mine.lowered(ours) == ours:
            return None
        own = Tickets(Gate(msgspec.structs.replace(mine, concurrency=None), random.Random()))
        own.expect_within(0.0)
        return own

    def _base_url(self, alias: str) -> str:
        """Return the base URL by which the provider behind an alias is known."""
        first, *_ = self._upstream.endpoints(alias).values()
        return first.base_url

    async def _look_up(self, route: Route, base_url: str) -> None:
        """Find out what is published of a model's prices, once they are needed.

        The tables take long to load: longer than all else that comes before the first call, which therefore goes first.
        """
        await route.wanted.wait()
        await asyncio.sleep(0)  # what has its ticket is sent in this pass of the loop
        look_up = partial(resolve_prices, base_url, route.upstream, None, at=datetime.now(UTC))
        found = asyncio.get_running_loop().run_in_executor(self._thread, look_up)
        found.add_done_callback(partial(_settle_price, route))


def configured_prices(model: ModelConfig | None) -> dict[str, object] | None:
    """Return the prices that are configured for a model, None where those that are published count."""
    if model is None or model.prices is None:
        return None
    return {name: amount for name, amount in msgspec.structs.asdict(model.prices).items() if amount is not None}


def _configured(base_url: str, model: ModelConfig) -> Prices | None:
    return resolve_prices(base_url, model.name, configured_prices(model), at=datetime.now(UTC))


def _settle_price(route: Route, found: asyncio.Future[Prices | None]) -> None:
    """Set what was found; where the look-up broke, the price is unknown, calls go on, and the loop tells the error."""
    prices = None
    try:
        prices = found.result()
    finally:
        if not route.priced.is_set():
            route.price(prices)
