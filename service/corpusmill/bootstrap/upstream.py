"""From model aliases to open routes: which endpoint, which key, which upstream name, which prices.

Rule of this file: everything that can be wrong with an endpoint is found out here, before a job's folder exists: no
answer, a wrong key, a model that is not there. Looking costs nothing: only the list of models is asked for.
"""

import asyncio
import difflib
import random
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import msgspec

from corpusmill.config import Config, EndpointConfig, ModelConfig, PriceConfig, endpoint_key, lowered
from corpusmill.endpoint.client import Endpoint
from corpusmill.endpoint.failures import Failure, FailureKind
from corpusmill.endpoint.prices import Prices, resolve_prices
from corpusmill.endpoint.secret import Secret
from corpusmill.engine.route import Route
from corpusmill.engine.tickets import Tickets
from corpusmill.limits.charge import Limits as GateLimits
from corpusmill.limits.gate import Gate
from corpusmill.limits.opening import OPENING_SECONDS
from corpusmill.spec.schema import JobSpec, Limits

OPENAI_BASE_URL = "https://api.openai.com/v1"
"""What every OpenAI client calls when only a key is set."""

UNLISTED = frozenset({FailureKind.BAD_REQUEST, FailureKind.MODEL_NOT_FOUND, FailureKind.MALFORMED})
"""What servers answer that have no list of models; then the first call finds out."""


REFUSAL_FACTOR = 10
"""A server that refuses the first call says so within about ten times what its list of models took."""


class UpstreamError(Exception):
    """The endpoint cannot serve this job: which, why, and what to do."""


class Target(msgspec.Struct, frozen=True):
    """One endpoint with its key: what aliases lead to; `name` is what the operator calls it."""

    base_url: str
    api_key: Secret | None
    limits: Limits
    name: str = "default"


class Upstream(msgspec.Struct, frozen=True):
    """How aliases are resolved for one run.

    Attributes:
        config: the operator's aliases; they come first.
        default: the endpoint for every other alias; None where there is none.
        model_name: what the alias `default` means, if it is not configured.
    """

    config: Config
    default: Target | None
    model_name: str | None = None


def from_environment(environ: Mapping[str, str], limits: Limits) -> Target | None:
    """Return the endpoint that OPENAI_BASE_URL and OPENAI_API_KEY name, None where neither is set."""
    base_url, key = environ.get("OPENAI_BASE_URL"), environ.get("OPENAI_API_KEY")
    if not base_url and not key:
        return None
    return Target(base_url or OPENAI_BASE_URL, Secret(key) if key else None, limits)


@asynccontextmanager
async def opened_routes(
    spec: JobSpec, upstream: Upstream, environ: Mapping[str, str]
) -> AsyncIterator[dict[str, Route]]:
    """Open the endpoints that a spec's steps need, and give the route of each alias.

    Raises:
        UpstreamError: an endpoint does not answer, refuses the key, or does not have the model.
        ConfigError, EndpointConfigError, PriceConfigError: something about it is not usable.
    """
    async with AsyncExitStack() as stack:
        thread = stack.enter_context(ThreadPoolExecutor(1, "prices"))
        opened: dict[str, tuple[Endpoint, Tickets, list[str] | None]] = {}
        routes: dict[str, Route] = {}
        for alias in dict.fromkeys(step.model for step in spec.steps):
            model = upstream.config.models.get(alias)
            target = _target(alias, model, upstream, spec.limits, environ)
            if target.base_url not in opened:
                opened[target.base_url] = await _open(stack, target, environ)
            endpoint, tickets, listed = opened[target.base_url]
            name = model.name if model else _upstream_name(alias, upstream, listed, target)
            await _check_model(endpoint, name, listed, target)
            route = routes[alias] = Route(
                name, endpoint, tickets, model=alias if model else name, endpoint_name=target.name
            )
            if model is not None and model.prices is not None:
                route.price(_configured(target, name, model.prices))
            else:
                _look_up(route, target, name, thread)
        yield routes


def _target(
    alias: str, model: ModelConfig | None, upstream: Upstream, limits: Limits, environ: Mapping[str, str]
) -> Target:
    if model is None:
        if upstream.default is None:
            raise UpstreamError(f"no endpoint for model {alias!r}: set OPENAI_BASE_URL, or configure the alias")
        return upstream.default
    endpoint: EndpointConfig = upstream.config.endpoints[model.endpoint]
    key = endpoint_key(model.endpoint, endpoint, environ)
    return Target(endpoint.base_url, key, lowered(limits, endpoint), model.endpoint)


async def _open(
    stack: AsyncExitStack, target: Target, environ: Mapping[str, str]
) -> tuple[Endpoint, Tickets, list[str] | None]:
    """Open the endpoint and ask for its models; None where it lists none."""
    limits = target.limits
    endpoint = Endpoint(target.base_url, target.api_key, limits.concurrency, environ=environ)
    await stack.enter_async_context(endpoint)
    gate_limits = GateLimits(
        requests_per_minute=limits.requests_per_minute,
        tokens_per_minute=limits.tokens_per_minute,
        concurrency=limits.concurrency,
    )
    clock = asyncio.get_running_loop().time
    asked_at = clock()
    listed = await endpoint.models()
    opening_seconds = min(max(REFUSAL_FACTOR * (clock() - asked_at), 0.1), OPENING_SECONDS)
    tickets = Tickets(Gate(gate_limits, random.Random(), clock(), opening_seconds))
    if isinstance(listed, Failure):
        if listed.kind not in UNLISTED:
            raise UpstreamError(_explained(target, listed))
        return endpoint, tickets, None
    return endpoint, tickets, listed


def _explained(target: Target, failure: Failure) -> str:
    if failure.kind is FailureKind.UNAUTHORIZED:
        have = "refuses the key" if target.api_key else "asks for a key"
        return f"endpoint {target.base_url} {have} ({failure.message}); check OPENAI_API_KEY"
    return f"endpoint {target.base_url} does not answer: {failure.message}; check OPENAI_BASE_URL"


def _upstream_name(alias: str, upstream: Upstream, listed: list[str] | None, target: Target) -> str:
    if alias != "default":
        return alias
    if upstream.model_name:
        return upstream.model_name
    if listed:
        return listed[0]
    raise UpstreamError(f"endpoint {target.base_url} lists no models; name one with --model-name or OPENAI_MODEL")


async def _check_model(endpoint: Endpoint, name: str, listed: list[str] | None, target: Target) -> None:
    """Refuse a model that the endpoint neither lists nor knows by name."""
    if not listed or name in listed:
        return
    if await endpoint.model_exists(name) is False:
        near = difflib.get_close_matches(name, listed, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(listed[:10])}"
        raise UpstreamError(f"endpoint {target.base_url} has no model {name!r}; {hint}")


def _configured(target: Target, name: str, prices: PriceConfig) -> Prices | None:
    amounts = {field: amount for field, amount in msgspec.structs.asdict(prices).items() if amount is not None}
    return resolve_prices(target.base_url, name, amounts, at=datetime.now(UTC))


def _look_up(route: Route, target: Target, name: str, thread: ThreadPoolExecutor) -> None:
    """Find out what is published of a model's prices; the tables take long to load, so beside the first calls."""
    look_up = partial(resolve_prices, target.base_url, name, None, at=datetime.now(UTC))
    found = asyncio.get_running_loop().run_in_executor(thread, look_up)
    found.add_done_callback(partial(_settle_price, route))


def _settle_price(route: Route, found: asyncio.Future[Prices | None]) -> None:
    """Set what was found; where the look-up broke, the price is unknown, calls go on, and the loop tells the error."""
    prices = None
    try:
        prices = found.result()
    finally:
        route.price(prices)
