"""A daemon in this process, over real sockets, with an endpoint that invents its text; and a small client."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from corpusmill.bootstrap.target import Target
from corpusmill.config import Config, EndpointConfig
from corpusmill.simulate import SimulateOptions, serving
from corpusmill.telemetry.events import Event
from corpusmill.web.server import Configuration, Daemon, opened_daemon

SPEC: dict[str, Any] = {
    "name": "tales",
    "space": {"axes": {"genre": ["noir", "western"], "n": list(range(1000))}, "limit": 20},
    "steps": [
        {
            "name": "plot",
            "prompt": "{{ nonce }} A plot outline for a {{ genre }} film, number {{ n }}.",
            "parameters": {"max_tokens": 400},
        }
    ],
    "examples": [{"name": "row", "prompt": "{{ genre }}:", "completion": " {{ plot }}"}],
    "limits": {"concurrency": 4},
    "shards": {"records": 8},
}
"""A short job: 20 items, shards of 8 records."""

LONG = {**SPEC, "space": {**SPEC["space"], "limit": 2000}}
SLOW = SimulateOptions(latency_seconds=0.05)
BOUND_SECONDS = 30.0


def spec(**changes: Any) -> dict[str, Any]:
    """The short job, with some top-level keys replaced."""
    return {**SPEC, **changes}


class Answer(msgspec.Struct, frozen=True):
    """A response that was read whole."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body, as JSON."""
        return json.loads(self.content)


class Client:
    """Asks one daemon."""

    def __init__(self, session: aiohttp.ClientSession, url: str, daemon: Daemon, events: list[Event]) -> None:
        self.session, self.url, self.daemon, self.events = session, url, daemon, events

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        """Send a request; return what came."""
        async with self.session.request(method, self.url + path, **options) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def get(self, path: str, **options: Any) -> Answer:
        """GET under /api/v1."""
        return await self.ask("GET", "/api/v1" + path, **options)

    async def post(self, path: str, **options: Any) -> Answer:
        """POST under /api/v1."""
        return await self.ask("POST", "/api/v1" + path, **options)

    async def submit(self, document: Any = None, query: str = "", **headers: str) -> dict[str, Any]:
        """Submit a job that must be taken; return it."""
        answer = await self.post("/jobs" + query, json=document or SPEC, headers=headers)
        assert answer.status == 201, answer.content
        job: dict[str, Any] = answer.json
        return job

    async def job(self, job: str) -> dict[str, Any]:
        """Look at a job."""
        found: dict[str, Any] = (await self.get(f"/jobs/{job}")).json
        return found

    async def until(self, job: str, *states: str) -> dict[str, Any]:
        """Watch a job's events until it is in one of the states; return it."""
        async with asyncio.timeout(BOUND_SECONDS):
            while True:
                async for _, found in self.events_of(job):
                    if found["state"] in states:
                        return found
                found = await self.job(job)
                assert found["state"] in states, found
                return found

    async def until_idle(self, job: str) -> dict[str, Any]:
        """Watch a job that was paused or cancelled until its calls are back; return it."""
        async with asyncio.timeout(BOUND_SECONDS):
            async for _, found in self.events_of(job):
                if found["state"] in {"paused", "cancelled"} and not found["draining"]:
                    return found
        return await self.job(job)

    async def until_kept(self, job: str, kept: int) -> dict[str, Any]:
        """Watch a job until so many of its items are kept."""
        async with asyncio.timeout(BOUND_SECONDS):
            async for _, found in self.events_of(job):
                if found["outcomes"]["kept"] >= kept:
                    return found
        raise AssertionError("the job ended before")

    async def events_of(self, job: str, last: int | None = None) -> AsyncIterator[tuple[int, dict[str, Any]]]:
        """The job's server-sent events: number and job."""
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        async with self.session.get(f"{self.url}/api/v1/jobs/{job}/events", headers=headers) as answer:
            number = 0
            async for line in answer.content:
                if line.startswith(b"id: "):
                    number = int(line[4:])
                elif line.startswith(b"data: "):
                    yield number, json.loads(line[6:])

    async def lines(self, path: str) -> list[dict[str, Any]]:
        """An NDJSON answer, read to its end."""
        answer = await self.get(path)
        assert answer.status == 200, answer.content
        return [json.loads(line) for line in answer.content.splitlines() if line]


@asynccontextmanager
async def daemon(
    folder: Path,
    *,
    config: Config | None = None,
    options: SimulateOptions = SLOW,
    environ: Mapping[str, str] | None = None,
    key: str | None = None,
    concurrency: int | None = None,
    clock: Callable[[], float] = time.time,
    **server: Any,
) -> AsyncIterator[Client]:
    """A daemon over a data directory, with an endpoint of its own; it is stopped and waited for.

    `concurrency` is what the endpoint may be asked for at once, by all jobs together; `clock` is the wall clock.
    """
    found = config or Config()
    settings = {"port": 0, "grace_seconds": 5, **server}
    found = msgspec.structs.replace(found, data=str(folder), server=msgspec.structs.replace(found.server, **settings))
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    events: list[Event] = []
    async with serving(options) as base_url, aiohttp.ClientSession(headers=headers) as session:
        target = Target("simulated", EndpointConfig(base_url=base_url, concurrency=concurrency))
        source = Configuration(lambda: found, target, None, environ or {})
        opening = opened_daemon(source, emit=events.append, say=lambda _line: None, clock=clock)
        async with opening as opened, Stopping(opened) as it:
            yield Client(session, it.url, it, events)


class Stopping:
    """Runs a daemon while a block runs, and asks it to stop at its end."""

    def __init__(self, opened: Daemon) -> None:
        self._daemon = opened
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Daemon:
        await self._group.__aenter__()
        self._group.create_task(self._daemon.run(lambda _line: None))
        return self._daemon

    async def __aexit__(self, *error: object) -> None:
        self._daemon.stop("the test is over")
        await self._group.__aexit__(*error)  # type: ignore[arg-type] # the three of every context manager
