"""The gate over real sockets: this project's client against `corpusmill simulate` in a process of its own.

Rule of this file: real time, real HTTP, and the server's own books as the referee. The first seconds are left out of
the utilisation, and every refusal counts.
"""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import msgspec
import uvloop

from corpusmill.chain.completion import Prompt
from corpusmill.endpoint.client import Answer, CallRequest, Endpoint
from corpusmill.endpoint.failures import FailureKind
from corpusmill.engine.tickets import Ticket, Tickets
from corpusmill.limits.charge import Limits
from corpusmill.limits.claim import Refusal, RefusalKind
from corpusmill.limits.estimator import Estimator
from corpusmill.limits.gate import Gate

WORKERS = 400
SETTLE_IN_SECONDS = 8.0
MAX_TOKENS = 1500
ARGUMENTS = ("--latency", "2", "--latency-spread", "0.3")
RPM, TPM = 3000, 600_000
SERVERS: dict[str, tuple[Limits, tuple[str, ...]]] = {
    "fresh bucket": (Limits(requests_per_minute=RPM), ("--rpm", str(RPM))),
    "used-up bucket": (Limits(requests_per_minute=RPM), ("--rpm", str(RPM), "--used-up")),
    "used-up bucket, no headers": (
        Limits(requests_per_minute=RPM),
        ("--rpm", str(RPM), "--used-up", "--no-rate-limit-headers"),
    ),
    "burst of a second, used up": (
        Limits(requests_per_minute=RPM),
        ("--rpm", str(RPM), "--used-up", "--burst-seconds", "1"),
    ),
    "tokens, settled": (Limits(tokens_per_minute=TPM), ("--tpm", str(TPM))),
    "tokens, reserved": (Limits(tokens_per_minute=TPM), ("--tpm", str(TPM), "--accounting", "reserve")),
}


class Statement(msgspec.Struct):
    """The part of the server's books that is read here."""

    requests: int
    rate_limited: int
    seconds_since_first_request: float
    limits: dict[str, dict[str, object]]

    def used_seconds(self) -> float:
        """Return the seconds of the most used limit that were used since the first request."""
        shares = [float(str(row["utilisation"])) for row in self.limits.values()]
        return max(shares) * self.seconds_since_first_request


class SocketRow(msgspec.Struct, frozen=True):
    """What one run came to: utilisation by the server's books, refused requests, all requests."""

    utilisation: float
    refused: int
    requests: int


def run_socket_row(name: str, seconds: float) -> SocketRow:
    """Run the gate against one server for so many seconds, on uvloop."""
    limits, arguments = SERVERS[name]
    with simulating(arguments) as base_url:
        return uvloop.run(drive(base_url, limits, seconds))


@contextmanager
def simulating(arguments: tuple[str, ...]) -> Iterator[str]:
    """Run `corpusmill simulate` while the block runs; gives its base URL."""
    command = [sys.executable, "-m", "corpusmill", "simulate", "--port", "0", *ARGUMENTS, *arguments]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "CORPUSMILL_"))}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe, as asked for
        try:
            yield next(word for word in process.stdout.readline().split() if word.startswith("http://"))
        finally:
            process.terminate()


async def drive(base_url: str, limits: Limits, seconds: float) -> SocketRow:
    """Keep the workers busy, and read the server's books after settling in and at the end."""
    gate: Gate[Ticket] = Gate(limits, random.Random(0), asyncio.get_running_loop().time())
    tickets, estimator = Tickets(gate), Estimator()
    async with (
        Endpoint(base_url, None, WORKERS) as endpoint,
        aiohttp.ClientSession() as session,
        asyncio.TaskGroup() as group,
    ):
        tasks = [group.create_task(work(number, endpoint, tickets, estimator)) for number in range(WORKERS)]
        await asyncio.sleep(SETTLE_IN_SECONDS)
        before = await statement(session, base_url)
        await asyncio.sleep(seconds)
        after = await statement(session, base_url)
        for task in tasks:
            task.cancel()
    took = after.seconds_since_first_request - before.seconds_since_first_request
    return SocketRow((after.used_seconds() - before.used_seconds()) / took, after.rate_limited, after.requests)


async def statement(session: aiohttp.ClientSession, base_url: str) -> Statement:
    """Return the server's books."""
    async with session.get(base_url.removesuffix("/v1") + "/stats") as response:
        return msgspec.json.decode(await response.read(), type=Statement)


async def work(number: int, endpoint: Endpoint, tickets: Tickets, estimator: Estimator) -> None:
    """Send one request after the other, each prompt a new one."""
    count = 0
    while True:
        count += 1
        prompt = Prompt("chat", f"{number}.{count}\nImagine a detailed plot outline for a film set in Lisbon.")
        request = CallRequest("simulated", prompt, {"max_tokens": MAX_TOKENS})
        async with tickets.ticket("job", estimator.estimate(len(prompt.text), MAX_TOKENS)) as ticket:
            answer = await endpoint.call(request, 60.0)
            if isinstance(answer, Answer):
                usage = answer.completion.usage
                ticket.answered(usage.input_tokens, usage.output_tokens, answer.headers)
                estimator.learn(len(prompt.text), usage.input_tokens, usage.output_tokens)
            elif answer.kind is FailureKind.RATE_LIMITED:
                ticket.refused(Refusal(RefusalKind.RATE, answer.retry_after_seconds))
            else:
                ticket.failed()
