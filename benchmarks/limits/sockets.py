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
from corpusmill.endpoint.secret import Secret
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


class Tokens(msgspec.Struct):
    """Tokens in the server's books, of requests that were answered."""

    used: int


class Statement(msgspec.Struct):
    """The part of the server's books that is read here."""

    requests: int
    rate_limited: int
    seconds_since_first_request: float
    tokens: Tokens
    limits: dict[str, dict[str, object]]

    def used_seconds(self, limits: Limits) -> float:
        """Return the seconds of the most used limit that were used since the first request."""
        shares = [float(str(row["utilisation"])) for row in self.limits.values()]
        if shares:
            return max(shares) * self.seconds_since_first_request
        used_requests = self.requests / limits.requests_per_minute if limits.requests_per_minute else 0.0
        used_tokens = self.tokens.used / limits.tokens_per_minute if limits.tokens_per_minute else 0.0
        return 60.0 * max(used_requests, used_tokens)


class SocketRow(msgspec.Struct, frozen=True):
    """What one run came to: utilisation by the server's books; refused, all and failed requests of the workers."""

    utilisation: float
    refused: int
    requests: int
    failed: int


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
        assert process.stdout is not None
        try:
            yield next(word for word in process.stdout.readline().split() if word.startswith("http://"))
        finally:
            process.terminate()


class Tally(msgspec.Struct):
    """What came back to the workers."""

    answered: int = 0
    refused: int = 0
    failed: int = 0


async def drive(
    base_url: str,
    limits: Limits,
    seconds: float,
    *,
    books_url: str | None = None,
    workers: int = WORKERS,
    settle_in_seconds: float = SETTLE_IN_SECONDS,
) -> SocketRow:
    """Keep the workers busy, and read the server's books after settling in and at the end.

    Args:
        base_url: where the requests go.
        limits: of the gate.
        seconds: measured.
        books_url: where the books are, if another server's; then what was admitted there is what was used.
        workers: that send requests.
        settle_in_seconds: not measured.
    """
    gate: Gate[Ticket] = Gate(limits, random.Random(0), asyncio.get_running_loop().time())
    tickets, estimator, tally = Tickets(gate), Estimator(), Tally()
    async with (
        Endpoint(base_url, Secret("any"), workers) as endpoint,
        aiohttp.ClientSession() as session,
        asyncio.TaskGroup() as group,
    ):
        tasks = [group.create_task(work(number, endpoint, tickets, estimator, tally)) for number in range(workers)]
        await asyncio.sleep(settle_in_seconds)
        before = await statement(session, books_url or base_url)
        await asyncio.sleep(seconds)
        after = await statement(session, books_url or base_url)
        for task in tasks:
            task.cancel()
    took = after.seconds_since_first_request - before.seconds_since_first_request
    used_seconds = after.used_seconds(limits) - before.used_seconds(limits)
    return SocketRow(used_seconds / took, tally.refused, tally.answered + tally.refused, tally.failed)


async def statement(session: aiohttp.ClientSession, base_url: str) -> Statement:
    """Return the server's books."""
    async with session.get(base_url.removesuffix("/v1") + "/stats") as response:
        return msgspec.json.decode(await response.read(), type=Statement)


async def work(number: int, endpoint: Endpoint, tickets: Tickets, estimator: Estimator, tally: Tally) -> None:
    """Send one request after the other, each prompt a new one."""
    count = 0
    while True:
        count += 1
        prompt = Prompt("chat", f"{number}.{count}\nImagine a detailed plot outline for a film set in Lisbon.")
        request = CallRequest("simulated", prompt, {"max_tokens": MAX_TOKENS})
        async with tickets.ticket("job", estimator.estimate(len(prompt.text), MAX_TOKENS)) as ticket:
            answer = await endpoint.call(request, 60.0)
            if isinstance(answer, Answer):
                tally.answered += 1
                usage = answer.completion.usage
                ticket.answered(usage.input_tokens, usage.output_tokens, answer.headers)
                estimator.learn(len(prompt.text), usage.input_tokens, usage.output_tokens)
            elif answer.kind is FailureKind.RATE_LIMITED:
                tally.refused += 1
                ticket.refused(Refusal(RefusalKind.RATE, answer.retry_after_seconds), answer.headers)
            else:
                tally.failed += 1
                ticket.failed()
