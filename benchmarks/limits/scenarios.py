"""The servers a limiter meets, one row of the table each, and how one row is run.

Rule of this file: limits of 3,000 requests or 2,000,000 tokens a minute, more workers than can ever be in flight, two
minutes to settle in and then the minutes that are measured. Refusals count from the very first request.
"""

import asyncio
import random
from collections.abc import Callable, Sequence

import msgspec

from benchmarks.limits.meters import FixedWindow, LeakyBucket, Meter, SlidingWindow
from benchmarks.limits.server import Reply, Request, Server, Workload
from benchmarks.limits.strategies import (
    AimdStrategy,
    AiolimiterStrategy,
    CookbookStrategy,
    GateStrategy,
    Strategy,
)
from corpusmill.limits.charge import Limits

RPM, TPM = 3000.0, 2_000_000.0
WARM_UP_SECONDS = 120.0


class Row(msgspec.Struct, frozen=True):
    """What one run of one strategy came to.

    Attributes:
        utilisation: of the binding limit, by the server's own count.
        refused_share: refused requests of all requests, from the start.
        refused: how many that were.
        rows_per_minute: answers.
        shares: of each client, where there are several.
    """

    utilisation: float
    refused_share: float
    refused: int
    rows_per_minute: float
    shares: tuple[float, ...] = ()


class Scenario(msgspec.Struct, frozen=True):
    """One server, and what the client believes about it.

    Attributes:
        name: of the row.
        server: makes it, from randomness.
        limits: what the client is configured with.
        foreign_share: of the limit, taken by somebody else.
        clients: uncoordinated processes on the same key.
        workers: of each client.
        utilisation_bar: what the gate has to reach.
        refused_bar: what share of its requests may be refused.
    """

    name: str
    server: Callable[[random.Random], Server]
    limits: Limits
    utilisation_bar: float
    refused_bar: float
    foreign_share: float = 0.0
    clients: int = 1
    workers: int = 900


def by_requests(
    meter: Callable[[float, float], Meter],
    used_share: float = 0.0,
    *,
    limit: float = RPM,
    tells_headers: bool = True,
    latency_seconds: float = 9.0,
) -> Callable[[random.Random], Server]:
    """Return a maker of servers that limit requests."""

    def make(chance: random.Random) -> Server:
        requests = meter(limit, used_share)
        return Server(chance, requests=requests, tells_headers=tells_headers, latency_seconds=latency_seconds)

    return make


def by_tokens(*, settles: bool, tells_headers: bool = True) -> Callable[[random.Random], Server]:
    """Return a maker of servers that limit tokens."""

    def make(chance: random.Random) -> Server:
        return Server(chance, tokens=LeakyBucket(TPM), settles=settles, tells_headers=tells_headers)

    return make


def by_tokens_of_a_minute(used_share: float = 0.0) -> Callable[[random.Random], Server]:
    """Return a maker of servers that count as LiteLLM's proxy does.

    In minutes, the whole `max_tokens` until a request is answered; they say what is left and not for how long, and ask
    for a whole minute's pause however little of theirs is left.
    """

    def make(chance: random.Random) -> Server:
        tokens = FixedWindow(TPM, used_share)
        return Server(chance, tokens=tokens, settles=True, tells_resets=False, asks_seconds=60.0, latency_seconds=3.0)

    return make


def one_second(limit: float, used_share: float) -> FixedWindow:
    """Return windows of a second, as Azure has them."""
    return FixedWindow(limit / 60, used_share, 1.0)


REQUESTS = Limits(requests_per_minute=RPM)
TOKENS = Limits(tokens_per_minute=TPM)
SCENARIOS = (
    Scenario("fresh bucket", by_requests(LeakyBucket), REQUESTS, 0.995, 0.0),
    Scenario("used-up bucket", by_requests(LeakyBucket, 1.0), REQUESTS, 0.995, 0.0001),
    Scenario("sliding 60 s", by_requests(SlidingWindow), REQUESTS, 0.99, 0.0),
    Scenario("fixed 60 s", by_requests(FixedWindow), REQUESTS, 0.99, 0.0),
    Scenario("1-s windows", by_requests(one_second), REQUESTS, 0.96, 0.001),
    Scenario("foreign load of 30 %", by_requests(LeakyBucket), REQUESTS, 0.99, 0.003, foreign_share=0.3),
    Scenario(
        "overstated by half, no headers",
        by_requests(LeakyBucket, limit=RPM / 1.5, tells_headers=False),
        REQUESTS,
        0.97,
        0.005,
    ),
    Scenario("tokens, reserved", by_tokens(settles=False), TOKENS, 0.995, 0.0),
    Scenario("tokens, settled", by_tokens(settles=True), TOKENS, 0.995, 0.0),
    Scenario("tokens, fixed 60 s, settled", by_tokens_of_a_minute(), TOKENS, 0.98, 0.0),
    Scenario("the same, found used up", by_tokens_of_a_minute(0.97), TOKENS, 0.98, 0.005),
    Scenario("bucket, no headers", by_requests(LeakyBucket, tells_headers=False), REQUESTS, 0.99, 0.0),
    Scenario("limits unknown, headers", by_requests(LeakyBucket), Limits(), 0.99, 0.0),
    Scenario("four processes on one key", by_requests(LeakyBucket), REQUESTS, 0.99, 0.003, clients=4, workers=500),
    Scenario("latency 30 s", by_requests(LeakyBucket, latency_seconds=30.0), REQUESTS, 0.995, 0.0, workers=2600),
    Scenario("latency 75 s", by_requests(LeakyBucket, latency_seconds=75.0), REQUESTS, 0.995, 0.0, workers=6500),
)
STRATEGIES: dict[str, Callable[[Limits], Strategy]] = {
    "corpusmill": GateStrategy,
    "aiolimiter": AiolimiterStrategy,
    "cookbook": CookbookStrategy,
    "AIMD on 429": lambda _: AimdStrategy(),
}


async def run_row(scenario: Scenario, strategy: str, seed: int, measured_seconds: float) -> Row:
    """Run one strategy against one server."""
    chance = random.Random(seed)
    server, workload = scenario.server(chance), Workload(chance)
    names = [f"client {number}" for number in range(scenario.clients)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(foreign(server, scenario.foreign_share, chance))] if scenario.foreign_share else []
        for name in names:
            client = STRATEGIES[strategy](scenario.limits)
            tasks += [group.create_task(work(client, server, workload, name)) for _ in range(scenario.workers)]
        await asyncio.sleep(WARM_UP_SECONDS)
        meters = [meter for meter in (server.requests, server.tokens) if meter is not None]
        accepted = dict(server.accepted)
        now = asyncio.get_running_loop().time()
        for meter in meters:
            meter.begin(now)
        await asyncio.sleep(measured_seconds)
        now = asyncio.get_running_loop().time()
        utilisation = max(meter.utilisation(now) for meter in meters)
        for task in tasks:
            task.cancel()
    answered = [server.accepted[name] - accepted.get(name, 0) for name in names]
    refused = sum(server.refused[name] for name in names)
    sent = refused + sum(server.accepted[name] for name in names)
    shares = tuple(count / max(1, sum(answered)) for count in answered)
    return Row(utilisation, refused / sent, refused, sum(answered) * 60 / measured_seconds, shares)


async def work(client: Strategy, server: Server, workload: Workload, name: str) -> None:
    """Send one request after the other, for as long as the run lasts."""

    async def send(request: Request) -> Reply:
        return await server.call(request, name)

    while True:
        await client.carry(workload.request(), send)


async def foreign(server: Server, share: float, chance: random.Random) -> None:
    """Take a share of the requests at random moments, without regard to anybody."""
    assert server.requests is not None  # a scenario with foreign load limits requests
    rate = share * server.requests.limit / 60
    async with asyncio.TaskGroup() as group:
        while True:
            await asyncio.sleep(chance.expovariate(rate))
            group.create_task(server.call(Request(1, 1, 600), "foreign"))


def misses(scenario: Scenario, row: Row) -> Sequence[str]:
    """Return what a row of the gate falls short of."""
    found = []
    if row.utilisation < scenario.utilisation_bar:
        found.append(f"utilisation {row.utilisation:.3%} < {scenario.utilisation_bar:.1%}")
    if row.refused_share > scenario.refused_bar:
        found.append(f"{row.refused} refused, {row.refused_share:.3%} > {scenario.refused_bar:.2%}")
    if row.shares and max(abs(share - 1 / len(row.shares)) for share in row.shares) > 0.02:
        found.append(f"shares {', '.join(f'{share:.1%}' for share in row.shares)}")
    return found
