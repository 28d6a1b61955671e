"""The gate against a server without limits or headers: does it find the width that keeps it full?

Rule of this file: the best fixed width is measured too, not assumed; the gate is judged by tokens a second over the
measured minutes, and by how many requests wait in the server.
"""

import asyncio
import random

import msgspec

from benchmarks.limits.batch_server import BatchServer
from benchmarks.limits.server import Reply, Request, Workload
from benchmarks.limits.strategies import AimdStrategy, GateStrategy, Strategy
from corpusmill.limits.charge import Limits

WORKERS = 1200
SCRAPE_SECONDS = 2.0
WARM_UP_SECONDS = 300.0


class BatchRow(msgspec.Struct, frozen=True):
    """What one way of sending came to: tokens a second, requests waiting in the server (mean), requests refused."""

    tokens_per_second: float
    waiting: float
    refused: int


async def run_batch_row(
    name: str, seed: int, measured_seconds: float, width: int | None = None, queue_most: int | None = None
) -> BatchRow:
    """Run one client: `AIMD on 429`, `metrics` (the gate fed from /metrics), or the gate, of a fixed width if given."""
    server, workload = BatchServer(queue_most), Workload(random.Random(seed))
    client: Strategy = AimdStrategy() if name == "AIMD on 429" else GateStrategy(Limits(concurrency=width), seed)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work(client, server, workload)) for _ in range(WORKERS)]
        if name == "metrics" and isinstance(client, GateStrategy):
            tasks.append(group.create_task(scrape(client, server)))
        await asyncio.sleep(WARM_UP_SECONDS)
        done, waiting = server.tokens_done, 0.0
        for _ in range(int(measured_seconds / SCRAPE_SECONDS)):
            await asyncio.sleep(SCRAPE_SECONDS)
            waiting += server.load().waiting
        rate = (server.tokens_done - done) / measured_seconds
        for task in tasks:
            task.cancel()
    return BatchRow(rate, waiting * SCRAPE_SECONDS / measured_seconds, server.refused)


async def work(client: Strategy, server: BatchServer, workload: Workload) -> None:
    """Send one request after the other."""

    async def send(request: Request) -> Reply:
        return await server.call(request, "client")

    while True:
        await client.carry(workload.request(), send)


async def scrape(client: GateStrategy, server: BatchServer) -> None:
    """Show the gate the server's metrics every two seconds."""
    while True:
        await asyncio.sleep(SCRAPE_SECONDS)
        client.tickets.observed(server.load())
