"""A whole job in virtual time: the real engine and journal, a scripted endpoint, a simulated disk.

Nothing here is a mock of our parts: the assembly is the product's own. What is replaced is what lies outside the
process: the API, which answers by script after a while, and the disk, which may crash, refuse or be full.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeVar

import msgspec

from corpusmill.bootstrap.assembly import Assembly
from corpusmill.chain.completion import Choice, Completion, Usage
from corpusmill.endpoint.client import Answer, CallRequest
from corpusmill.endpoint.failures import Failure, FailureKind
from corpusmill.endpoint.prices import Prices
from corpusmill.engine.engine import Engine
from corpusmill.engine.halt import Ending
from corpusmill.engine.route import Member, Route
from corpusmill.engine.tickets import Tickets
from corpusmill.jobs.summary import Summary
from corpusmill.journal.manifest import read_commits
from corpusmill.limits.charge import Limits
from corpusmill.limits.gate import Gate
from corpusmill.limits.width import WIDTH_MOST
from corpusmill.spec.checks import check_spec
from corpusmill.spec.schema import JobSpec
from corpusmill.telemetry.events import Event
from tests.sim.disk import Crash, SimDisk
from tests.sim.loop import run_sim

FOLDER = Path("/data/jobs/job")
PRICES = Prices(input=2_000_000, cached_input=1_000_000, output=8_000_000)
Result = TypeVar("Result")


def make_spec(**changes: object) -> JobSpec:
    """A job of 120 items with one step; a change replaces a top-level key."""
    document: dict[str, object] = {
        "name": "job",
        "seed": 3,
        "space": {"axes": {"genre": ["noir", "western", "fantasy"], "place": ["here", "there"], "n": list(range(20))}},
        "steps": [
            {
                "name": "plot",
                "prompt": "{{ nonce }} a {{ genre }} plot set {{ place }}, number {{ n }}",
                "parameters": {"max_tokens": 200},
            }
        ],
        "filters": [{"of": "plot", "finish_reason": ["stop"], "min_chars": 10}],
        "dedup": {"of": "plot"},
        "examples": [{"name": "row", "prompt": "{{ genre }} {{ place }} {{ n }}:", "completion": " {{ plot }}"}],
        "shards": {"records": 25},
        "limits": {"concurrency": 16},
        **changes,
    }
    spec = msgspec.convert(document, JobSpec)
    check_spec(spec)
    return spec


class ScriptedEndpoint:
    """Answers after a while, fails at given rates, and keeps its own books of what it answered and billed.

    Args:
        rng: decides latencies and faults.
        faults: kind -> share of calls.
        down: virtual times between which no connection is possible.
        text: makes the answer to a prompt.
    """

    def __init__(
        self,
        rng: random.Random,
        *,
        faults: dict[FailureKind, float] | None = None,
        down: tuple[float, float] = (0.0, 0.0),
        text: Callable[[str], Choice] | None = None,
    ) -> None:
        self._rng, self._faults, self._down = rng, faults or {}, down
        self._text = text or (lambda prompt: Choice(f"An answer to: {prompt}", "stop"))
        self.answered: Counter[str] = Counter()
        self.sent = 0
        self.billed_picodollars = 0
        self.in_flight = 0
        self.in_flight_most = 0

    async def call(self, request: CallRequest, deadline_seconds: float) -> Answer | Failure:
        """Make one call."""
        self.sent += 1
        self.in_flight += 1
        self.in_flight_most = max(self.in_flight_most, self.in_flight)
        try:
            return await self._answer(request, deadline_seconds)
        finally:
            self.in_flight -= 1

    async def _answer(self, request: CallRequest, deadline_seconds: float) -> Answer | Failure:
        now = asyncio.get_running_loop().time()
        if self._down[0] <= now < self._down[1]:
            await asyncio.sleep(0.01)
            return Failure(FailureKind.CONNECT, "no connection to the endpoint: refused")
        seconds = self._rng.lognormvariate(0, 0.5)
        for kind, share in self._faults.items():
            if self._rng.random() < share:
                charged = kind is FailureKind.TIMEOUT
                await asyncio.sleep(deadline_seconds if charged else seconds / 2)
                if charged:
                    self.billed_picodollars += PRICES.cost(Usage(len(request.prompt.text) // 4, 0, 50))
                return Failure(kind, f"injected {kind.value}", maybe_charged=charged, retry_after_seconds=None)
        await asyncio.sleep(seconds)
        choice = self._text(request.prompt.text)
        usage = Usage(len(request.prompt.text) // 4, 0, len(choice.text) // 4)
        self.answered[request.prompt.text] += 1
        self.billed_picodollars += PRICES.cost(usage)
        body = msgspec.json.encode(
            {
                "choices": [{"message": {"content": choice.text}, "finish_reason": choice.finish_reason}],
                "usage": {"prompt_tokens": usage.input_tokens, "completion_tokens": usage.output_tokens},
            }
        )
        return Answer(Completion((choice,), usage, body), {}, seconds)


class World:
    """A disk and an endpoint that outlive the runs of a job.

    Args:
        seed: replays everything.
        spec: the job.
        endpoint: by default one without faults.
        others: more endpoints behind the same model.
        priced_after_seconds: of each run, how long the prices take to be found out.
    """

    def __init__(
        self,
        seed: int,
        spec: JobSpec,
        endpoint: ScriptedEndpoint | None = None,
        *others: ScriptedEndpoint,
        priced_after_seconds: float = 0.0,
    ) -> None:
        self.rng = random.Random(seed)
        self.seed, self.spec, self._priced_after_seconds = seed, spec, priced_after_seconds
        self.endpoint = endpoint or ScriptedEndpoint(self.rng)
        self.endpoints = (self.endpoint, *others)
        self.disk = SimDisk(self.rng)
        self.events: list[Event] = []
        self.lost_most = 0
        self.virtual_seconds = 0.0

    def run(
        self, during: Callable[[Assembly, Engine], Coroutine[object, object, None]] | None = None
    ) -> tuple[Ending, Summary] | None:
        """Run the job until it ends, or until the machine crashes (None)."""
        try:
            return run_sim(self._run(during), seed=self.seed, horizon_seconds=7 * 86400)
        except* Crash:
            pass
        return None

    async def _run(
        self, during: Callable[[Assembly, Engine], Coroutine[object, object, None]] | None
    ) -> tuple[Ending, Summary]:
        self.disk.make_folder(FOLDER)
        loop = asyncio.get_running_loop()
        assembly = Assembly(self.spec, FOLDER, self.disk, lambda: "2026-01-01T00:00:00.000Z")
        limits = self.spec.limits
        gate_limits = Limits(
            requests_per_minute=limits.requests_per_minute,
            tokens_per_minute=limits.tokens_per_minute,
            concurrency=limits.concurrency,
        )
        members = [Member(each, Tickets(Gate(gate_limits, self.rng, loop.time()))) for each in self.endpoints]
        routes = {step.model: Route("scripted", members, job=self.spec.name) for step in self.spec.steps}
        for route in routes.values():
            loop.call_later(self._priced_after_seconds, route.price, PRICES)
        engine = assembly.engine(
            routes, blocking=self._blocking, jitter=self.rng, emit=self.events.append, low_bytes=1000
        )
        try:
            async with asyncio.TaskGroup() as group:
                beside = group.create_task(during(assembly, engine)) if during else None
                ending = await engine.run(assembly.carrier)
                if beside is not None:
                    beside.cancel()
            assembly.store.finish(ending.state)
        except* Crash:
            self.lost_most += (self.spec.limits.concurrency or WIDTH_MOST) + assembly.writer.unsynced
            raise
        finally:
            assembly.store.close()
            self.virtual_seconds = loop.time()
        return ending, assembly.summary(ending, seconds=loop.time())

    async def _blocking(self, function: Callable[[], Result]) -> Result:
        """The writer thread: some virtual time passes, then the function runs at once."""
        await asyncio.sleep(self.rng.uniform(0.0001, 0.01))
        return function()

    def lines(self, place: str) -> list[dict[str, object]]:
        """The lines of all sealed shards of `corpus` or `rejects`, in order."""
        shards = [getattr(commit, place) for commit in read_commits(self.disk, FOLDER / "manifest")]
        return [
            msgspec.json.decode(line)
            for shard in shards
            if shard is not None
            for line in self.disk.read(FOLDER / place / shard.name).splitlines()
        ]

    def crash(self) -> None:
        """After a crash: the disk as the next boot or process finds it."""
        self.disk = self.rng.choice([self.disk.after_kill, self.disk.after_power_cut])()
