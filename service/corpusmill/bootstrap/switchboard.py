"""All endpoints and gates of a process, opened once however many jobs call through them.

Rules of this file: one gate for each budget (base URL, credential, pool), opened when the first job needs it and closed
with the switchboard; a job has routes only while its block runs.
"""

import asyncio
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
from corpusmill.bootstrap.target import Budget, Target, Upstream, UpstreamError
from corpusmill.config import Config, ModelConfig
from corpusmill.endpoint.prices import Prices, resolve_prices
from corpusmill.engine.route import Route
from corpusmill.limits.statistics import GateStatistics
from corpusmill.spec.schema import JobSpec, Limits

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

    async def __aenter__(self) -> Self:
        self._thread = self._stack.enter_context(ThreadPoolExecutor(1, "prices"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

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
        routes = {alias: await self._route(alias) for alias in dict.fromkeys(step.model for step in spec.steps)}
        gates = {id(route.tickets): route.tickets.jobs for route in routes.values()}
        for queue in gates.values():
            queue.share(job, weight, priority)
        self._routes[job] = routes
        try:
            yield routes
        finally:
            del self._routes[job]
            for queue in gates.values():
                queue.forget(job)

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

    async def _route(self, alias: str) -> Route:
        """Resolve an alias."""
        upstream, targets = self._upstream, self._upstream.targets(alias, self._environ)
        lines = [await self._line(target) for target in targets]
        line = lines[0]
        name = await line.model(upstream.name(alias))
        model = upstream.model(alias)
        route = Route(name, line.endpoint, line.tickets, model=alias if model else name, endpoint_name=line.target.name)
        if model is not None and model.prices is not None:
            route.price(_configured(targets[0].endpoint.base_url, model))
        else:
            self._look_up(route, targets[0].endpoint.base_url)
        return route

    async def _line(self, target: Target) -> Line:
        """Return the open line to an endpoint that answers."""
        async with self._opening[target.budget]:
            line = self._lines.get(target.budget)
            if line is None:
                line = await self._stack.enter_async_context(opened(target, self._limits, self._environ))
                self._lines[target.budget] = line
            line.join(target)
            await line.look()
        if line.trouble is not None:
            raise UpstreamError(line.explained(line.trouble))
        return line

    def _look_up(self, route: Route, base_url: str) -> None:
        """Find out what is published of a model's prices; the tables take long to load, so beside the first calls."""
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
