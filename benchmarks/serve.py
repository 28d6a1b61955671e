"""What the daemon adds: the way from a submission to the first call, and what readers of the API cost a running job.

Run with `python -m benchmarks.serve`; takes about two minutes. The endpoint is a process of its own, and so is the
reader. Beside each figure stands a bare one of the same moment, because a machine that others use too is slow for all.
"""

import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

SUBMISSIONS = 50
SYNCS = 5
"""How often a submission waits for the disk until its first call: the queue once, the job's files four times."""

READS_PER_SECOND = 200
READS = 2000
ROUNDS = 3
ITEMS = 6_000
LIMITED_ITEMS = 3_000
LIMITED_PER_MINUTE = 18_000
PROGRAM = [sys.executable, "-m", "corpusmill"]
SPEC: dict[str, Any] = {
    "name": "bench",
    "space": {"axes": {"n": list(range(300)), "m": list(range(300))}, "limit": ITEMS},
    "steps": [{"name": "plot", "prompt": "{{ nonce }} {{ n }} {{ m }}", "parameters": {"max_tokens": 100}}],
    "examples": [{"name": "row", "prompt": "{{ n }}", "completion": "{{ plot }}"}],
    "limits": {"concurrency": 64},
}
LIMITED = {
    **SPEC,
    "space": {**SPEC["space"], "limit": LIMITED_ITEMS},
    "limits": {"requests_per_minute": LIMITED_PER_MINUTE, "concurrency": 64},
}


class Process(msgspec.Struct, frozen=True):
    """A process that listens."""

    url: str
    pid: int

    @property
    def processor_seconds(self) -> float:
        """What it has used so far, of the system's time too."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def started(pattern: str, *arguments: str, folder: str, **environ: str) -> Iterator[Process]:
    """A process that says on stderr where it listens; the rest of what it says goes to a file."""
    log = Path(folder) / f"{arguments[0]}.log"
    with log.open("w") as writing:
        process = subprocess.Popen(
            [*PROGRAM, *arguments], cwd=folder, stderr=writing, text=True, env={"PATH": "/usr/bin:/bin", **environ}
        )
        try:
            while (found := re.search(pattern, log.read_text())) is None:
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
            yield Process(found[1], process.pid)
        finally:
            process.kill()
            process.communicate()


async def seconds_to_first(
    session: aiohttp.ClientSession, simulated: str, begin: Callable[[], Awaitable[object]]
) -> float:
    """Begin something that calls the endpoint; return how long until the call has come there."""
    before = await requests_at(session, simulated)
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        group.create_task(_awaited(begin()))
        while await requests_at(session, simulated) == before:
            pass
        return time.perf_counter() - began


async def _awaited(work: Awaitable[object]) -> None:
    await work


async def requests_at(session: aiohttp.ClientSession, simulated: str) -> int:
    """Return how many requests the endpoint has seen."""
    async with session.get(simulated.removesuffix("/v1") + "/stats") as answer:
        return int((await answer.json())["requests"])


async def called(session: aiohttp.ClientSession, simulated: str) -> None:
    """Make one call, without any daemon."""
    body = {"model": "simulated", "messages": [{"role": "user", "content": "x"}], "max_tokens": 5}
    async with session.post(f"{simulated}/chat/completions", json=body) as answer:
        await answer.read()


def synced(folder: str) -> float:
    """Write and sync a file as often as a submission does; return how long that takes."""
    began = time.perf_counter()
    for _ in range(SYNCS):
        path = Path(folder) / "synced"
        with path.open("wb") as file:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    return time.perf_counter() - began


async def submitted(session: aiohttp.ClientSession, url: str, spec: dict[str, Any]) -> str:
    """Submit a job; return its id."""
    async with session.post(f"{url}/api/v1/jobs", json=spec) as answer:
        return str((await answer.json())["id"])


async def job_seconds(session: aiohttp.ClientSession, url: str, spec: dict[str, Any]) -> float:
    """Run a job to its end; return how long it took by the daemon's own clock."""
    job = await submitted(session, url, spec)
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
    """Ask for the newest job at a steady rate, for ever."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/api/v1/jobs?limit=1") as answer:
            job = (await answer.json())["items"][0]["id"]
        due = time.monotonic()
        while True:
            due += 1 / READS_PER_SECOND
            await asyncio.sleep(max(due - time.monotonic(), 0))
            async with session.get(f"{url}/api/v1/jobs/{job}") as answer:
                await answer.read()


async def serve_bare() -> None:
    """Serve one small constant answer by aiohttp alone, for ever."""

    async def answered(_request: web.Request) -> web.Response:
        return web.Response(body=b'{"status":"alive"}', content_type="application/json")

    app = web.Application()
    app.router.add_get("/bare", answered)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"ready: http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


@contextmanager
def bare_server() -> Iterator[Process]:
    """A process that serves by aiohttp alone."""
    command = [sys.executable, "-c", "import uvloop; from benchmarks.serve import serve_bare; uvloop.run(serve_bare())"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Process(process.stdout.readline().removeprefix("ready: ").strip(), process.pid)
    finally:
        process.kill()
        process.communicate()


async def read_cost(session: aiohttp.ClientSession, process: Process, path: str, **headers: str) -> float:
    """Read one address again and again; return the seconds of a processor that one read costs the server."""
    before = process.processor_seconds
    for _ in range(READS):
        async with session.get(process.url + path, headers=headers) as answer:
            await answer.read()
            assert answer.status in {200, 304}, answer.status
    return (process.processor_seconds - before) / READS


async def idle(session: aiohttp.ClientSession, url: str) -> None:
    """Return when the newest job is over, and what it had on the disk is durable."""
    async with session.get(f"{url}/api/v1/jobs?limit=1") as answer:
        job = (await answer.json())["items"][0]["id"]
    async with session.get(f"{url}/api/v1/jobs/{job}/events") as events:
        await events.read()
    os.sync()


def told(name: str, seconds: list[float]) -> None:
    """Print a distribution."""
    ranked = sorted(seconds)
    middle, ninetieth, most = statistics.median(ranked), ranked[len(ranked) * 9 // 10], ranked[-1]
    print(f"{name:<44} median {middle * 1000:4.0f} ms, 90 % {ninetieth * 1000:4.0f} ms, most {most * 1000:4.0f} ms")


async def measure_submissions(session: aiohttp.ClientSession, daemon: Process, simulated: str, folder: str) -> None:
    """Print how long it takes from a submission to the first call, and what of that is the machine's."""
    firsts, bare, disk = [], [], []
    one = {**SPEC, "space": {**SPEC["space"], "limit": 1}}
    used = daemon.processor_seconds
    for _ in range(SUBMISSIONS):
        firsts.append(await seconds_to_first(session, simulated, lambda: submitted(session, daemon.url, one)))
        await idle(session, daemon.url)
        bare.append(await seconds_to_first(session, simulated, lambda: called(session, simulated)))
        disk.append(synced(folder))
    used = (daemon.processor_seconds - used) / SUBMISSIONS
    told(f"submission to first call ({SUBMISSIONS} of them)", firsts)
    told("  a call without a daemon", bare)
    told(f"  {SYNCS} syncs of a file of 4 KiB", disk)
    print(f"  processor for a whole job of one item: {used * 1000:.1f} ms")


async def measure_reads(session: aiohttp.ClientSession, daemon: Process) -> None:
    """Print what reads cost the daemon's core, beside what they cost a server by aiohttp alone."""
    for _ in range(50):
        job = await submitted(session, daemon.url, {**SPEC, "space": {**SPEC["space"], "limit": 60}})
    await job_seconds(session, daemon.url, {**SPEC, "space": {**SPEC["space"], "limit": 60}})
    async with session.get(f"{daemon.url}/api/v1/jobs/{job}") as answer:
        tag = answer.headers["ETag"]
    with bare_server() as bare:
        floor = await read_cost(session, bare, "/bare")
    print(f"a read by aiohttp alone: {floor * 1e6:.0f} microseconds of a core")
    for name, path, headers in (
        ("a job", f"/jobs/{job}", {}),
        ("a job that has not changed (304)", f"/jobs/{job}", {"If-None-Match": tag}),
        ("50 jobs", "/jobs", {}),
        ("50 records", f"/jobs/{job}/records?limit=50", {}),
        ("the latest 50 records", f"/jobs/{job}/records?latest=50", {}),
        ("its report", f"/jobs/{job}/report", {}),
    ):
        cost = await read_cost(session, daemon, f"/api/v1{path}", **headers)
        share = cost * READS_PER_SECOND
        print(f"  {name:<34} {cost * 1e6:4.0f}, {cost / floor:.1f} times that; {share:.1%} of a core at 200/s")


async def measure_jobs(session: aiohttp.ClientSession, daemon: Process, name: str, spec: dict[str, Any]) -> None:
    """Print what readers cost a job's rate."""
    items = spec["space"]["limit"]
    alone, watched = [], []
    for _ in range(ROUNDS):
        alone.append(await job_seconds(session, daemon.url, spec))
        reading = reader(daemon.url)
        try:
            watched.append(await job_seconds(session, daemon.url, spec))
        finally:
            reading.kill()
            reading.wait()
    without, beside = min(alone), min(watched)
    print(
        f"{name}: {items / without:,.0f} items/s alone, {items / beside:,.0f} with {READS_PER_SECOND} reads/s, "
        f"which cost {1 - without / beside:.1%}"
    )


async def measure(daemon: Process, simulated: str, folder: str) -> None:
    """Print the figures."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=600)) as session:
        await measure_submissions(session, daemon, simulated, folder)
        await measure_reads(session, daemon)
        await measure_jobs(session, daemon, f"a job at its limit of {LIMITED_PER_MINUTE:,} a minute", LIMITED)
        await measure_jobs(session, daemon, "a job as fast as one core goes", SPEC)


def main() -> None:
    """Measure, or be the reader."""
    if sys.argv[1:2] == ["--read"]:
        asyncio.run(read(sys.argv[2]))
        return
    options = {"CORPUSMILL_REQUESTS_PER_SECOND": "100000"}
    with (
        tempfile.TemporaryDirectory() as folder,
        started(r"ready: (\S+)", "simulate", "--port", "0", "--latency", "0.05", folder=folder) as simulated,
        started(
            r"corpusmill ready: (\S+)", "serve", "--port", "0", folder=folder, OPENAI_BASE_URL=simulated.url, **options
        ) as daemon,
    ):
        asyncio.run(measure(daemon, simulated.url, folder))


if __name__ == "__main__":
    main()
