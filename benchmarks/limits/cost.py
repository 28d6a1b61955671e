"""What the gate costs in real time: on uvloop, with ten thousand waiting.

Rule of this file: CPU time of the process is what counts, less what the same work costs without waiting for a gate:
ten thousand tasks that take turns are part of the client and not of the gate, so they are measured as well.
"""

import asyncio
import random
import time

import uvloop
from multidict import CIMultiDict

from corpusmill.engine.tickets import Ticket, Tickets
from corpusmill.limits.charge import Charge, Limits
from corpusmill.limits.gate import Gate
from corpusmill.limits.headers import HeaderReader

CHARGE = Charge(400, 600, 2048)
WAITERS = 10_000
CALLS = 20_000


def make(limits: Limits) -> Tickets:
    """Return the tickets of a fresh gate."""
    gate: Gate[Ticket] = Gate(limits, random.Random(0), asyncio.get_running_loop().time())
    return Tickets(gate)


def acquire_microseconds() -> float:
    """Return the time of one ticket taken and settled while nobody waits, with two buckets."""

    async def run() -> float:
        tickets = make(Limits(requests_per_minute=6e9, tokens_per_minute=6e12))
        async with tickets.ticket("job", CHARGE) as ticket:
            ticket.answered(400, 600)
        await asyncio.sleep(0.01)
        began = time.perf_counter()
        for _ in range(CALLS):
            async with tickets.ticket("job", CHARGE) as ticket:
                ticket.answered(400, 600)
        return (time.perf_counter() - began) / CALLS * 1e6

    return min(uvloop.run(run()) for _ in range(3))


def header_microseconds() -> float:
    """Return the time of reading the six headers of one response."""
    headers = CIMultiDict(
        {
            f"X-RateLimit-{what}-{kind}": value
            for kind in ("Requests", "Tokens")
            for what, value in (("Limit", "5000"), ("Remaining", "4321"), ("Reset", "8.148s"))
        }
    )
    reader = HeaderReader()
    began = time.perf_counter()
    for _ in range(CALLS):
        reader.read(headers)
    return (time.perf_counter() - began) / CALLS * 1e6


def grant_cost(rate: int, seconds: float) -> tuple[float, float]:
    """Return grants a second reached, and the share of a core used, with ten thousand tasks waiting in turn."""

    async def run() -> tuple[float, float]:
        tickets = make(Limits(requests_per_minute=rate * 60 / 0.995, tokens_per_minute=rate * 1000 * 120))
        granted = 0

        async def wait_in_turn() -> None:
            nonlocal granted
            while True:
                async with tickets.ticket("job", CHARGE) as ticket:
                    granted += 1
                    ticket.answered(400, 600)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(wait_in_turn()) for _ in range(WAITERS)]
            await asyncio.sleep(1.0)
            granted, cpu, began = 0, time.process_time(), time.perf_counter()
            await asyncio.sleep(seconds)
            took, used = time.perf_counter() - began, time.process_time() - cpu
            reached = granted / took
            for task in tasks:
                task.cancel()
        return reached, used / took

    return uvloop.run(run())
