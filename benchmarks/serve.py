"""What the daemon adds: the way from a submission to the first call, and what readers of the API cost a running job.

Run with `python -m benchmarks.serve`; takes about a minute. The endpoint is a process of its own, and so is the reader.
"""

import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import aiohttp

ITEMS = 6_000
READS_PER_SECOND = 200
ROUNDS = 3
PROGRAM = [sys.executable, "-m", "corpusmill"]
SPEC: dict[str, Any] = {
    "name": "bench",
    "space": {"axes": {"n": list(range(300)), "m": list(range(300))}, "limit": ITEMS},
    "steps": [{"name": "plot", "prompt": "{{ nonce }} {{ n }} {{ m }}", "parameters": {"max_tokens": 100}}],
    "examples": [{"name": "row", "prompt": "{{ n }}", "completion": "{{ plot }}"}],
    "limits": {"concurrency": 64},
}


@contextmanager
def started(pattern: str, *arguments: str, folder: str, **environ: str) -> Iterator[str]:
    """A process that says on stderr where it listens."""
    process = subprocess.Popen(
        [*PROGRAM, *arguments], cwd=folder, stderr=subprocess.PIPE, text=True, env={"PATH": "/usr/bin:/bin", **environ}
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(pattern, line):
                yield found[1]
                break
    finally:
        process.kill()
        process.communicate()


async def first_call_seconds(session: aiohttp.ClientSession, url: str, simulated: str) -> float:
    """Submit a job of one item; return how long until its call has come to the endpoint."""
    before = await requests_at(session, simulated)
    began = time.perf_counter()
    await submitted(session, url, {**SPEC, "space": {**SPEC["space"], "limit": 1}})
    while await requests_at(session, simulated) == before:
        pass
    return time.perf_counter() - began


async def requests_at(session: aiohttp.ClientSession, simulated: str) -> int:
    """Return how many requests the endpoint has seen."""
    async with session.get(simulated.removesuffix("/v1") + "/stats") as answer:
        return int((await answer.json())["requests"])


async def submitted(session: aiohttp.ClientSession, url: str, spec: dict[str, Any]) -> str:
    """Submit a job; return its id."""
    async with session.post(f"{url}/api/v1/jobs", json=spec) as answer:
        return str((await answer.json())["id"])


async def job_seconds(session: aiohttp.ClientSession, url: str) -> float:
    """Run the long job to its end; return how long it took by the daemon's own clock."""
    job = await submitted(session, url, SPEC)
    found: dict[str, Any] = {}
    async with session.get(f"{url}/api/v1/jobs/{job}/events") as events:
        async for line in events.content:
            if line.startswith(b"data: "):
                found = json.loads(line[6:])
    assert found["state"] == "finished", found
    times = [datetime.fromisoformat(found[name]) for name in ("started_at", "finished_at")]
    return (times[1] - times[0]).total_seconds()


def reader(url: str) -> "subprocess.Popen[bytes]":
    """Start a process that reads jobs at a steady rate until it is killed."""
    return subprocess.Popen([sys.executable, "-m", "benchmarks.serve", "--read", url])


async def read(url: str) -> None:
    """Ask for the newest jobs at a steady rate, for ever."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/api/v1/jobs?limit=1") as answer:
            job = (await answer.json())["items"][0]["id"]
        due = time.monotonic()
        while True:
            due += 1 / READS_PER_SECOND
            await asyncio.sleep(max(due - time.monotonic(), 0))
            async with session.get(f"{url}/api/v1/jobs/{job}") as answer:
                await answer.read()


async def measure(url: str, simulated: str) -> None:
    """Print the figures."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=600)) as session:
        firsts = [await first_call_seconds(session, url, simulated) for _ in range(10)]
        print(
            f"submission to first call: median {statistics.median(firsts) * 1000:.0f} ms, most {max(firsts) * 1000:.0f}"
        )
        alone, watched = [], []
        for _ in range(ROUNDS):
            alone.append(await job_seconds(session, url))
            reading = reader(url)
            try:
                watched.append(await job_seconds(session, url))
            finally:
                reading.kill()
                reading.wait()
        without, beside = min(alone), min(watched)
        print(
            f"{ITEMS:,} items alone: {ITEMS / without:,.0f}/s; with {READS_PER_SECOND} reads/s: {ITEMS / beside:,.0f}/s"
        )
        print(f"the readers cost {100 * (1 - without / beside):.1f} % of the rate")


def main() -> None:
    """Measure, or be the reader."""
    if sys.argv[1:2] == ["--read"]:
        asyncio.run(read(sys.argv[2]))
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        started(r"ready: (\S+)", "simulate", "--port", "0", "--latency", "0.05", folder=folder) as simulated,
        started(r"ready: (\S+)", "serve", "--port", "0", folder=folder, OPENAI_BASE_URL=simulated) as url,
    ):
        asyncio.run(measure(url, simulated))


if __name__ == "__main__":
    main()
