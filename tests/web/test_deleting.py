"""Jobs that are deleted: on request, and because their time is over."""

import asyncio
import os
import time
from pathlib import Path

from corpusmill.config import Config, ServerConfig
from corpusmill.jobs.folder import held
from corpusmill.telemetry.events import JobDeleted
from tests.web.harness import BOUND_SECONDS, LONG, Client, daemon, spec
from tests.web.test_api import problem

DAY_SECONDS = 86_400.0
KEPT = Config(server=ServerConfig(retention_days=7))


async def gone(client: Client, job: str) -> None:
    """Return when a job is not there any more, nor its files."""
    async with asyncio.timeout(BOUND_SECONDS):
        while job not in [event.job for event in client.events if isinstance(event, JobDeleted)]:
            await client.get("/livez")
    problem(await client.get(f"/jobs/{job}"), 404, "unknown-job")


def test_a_job_that_is_over_is_deleted_with_its_files_and_what_it_cost_stays_counted(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job, other = [(await client.submit(spec(name=name)))["id"] for name in ("one", "two")]
            for each in (job, other):
                await client.until(each, "finished")
            answer = await client.ask("DELETE", f"/api/v1/jobs/{job}")
            assert (answer.status, answer.content) == (204, b"")
            problem(await client.get(f"/jobs/{job}"), 404, "unknown-job")
            problem(await client.ask("DELETE", f"/api/v1/jobs/{job}"), 404, "unknown-job")
            assert [path.name for path in (tmp_path / "jobs").iterdir()] == [other]
            assert [event.job for event in client.events if isinstance(event, JobDeleted)] == [job]

    asyncio.run(main())


def test_a_job_that_is_not_over_is_not_deleted(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path, max_running=1) as client:
            running, queued = [(await client.submit({**LONG, "name": name}))["id"] for name in ("one", "two")]
            await client.until(running, "running")
            for job in (running, queued):
                told = problem(await client.ask("DELETE", f"/api/v1/jobs/{job}"), 409, "illegal-change")
                assert "cannot be deleted" in told["detail"]
                assert (await client.get(f"/jobs/{job}")).status == 200

    asyncio.run(main())


def test_a_job_whose_files_somebody_works_on_is_not_deleted_and_he_is_named(tmp_path: Path) -> None:
    """What `refold`, `fsck` and `purge` hold while they work."""

    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit())["id"]
            await client.until(job, "finished")
            with held(tmp_path, job):
                told = problem(await client.ask("DELETE", f"/api/v1/jobs/{job}"), 409, "busy")
                assert f"process {os.getpid()} " in told["detail"]
                assert str(tmp_path) not in told["detail"]
                assert len(await client.lines(f"/jobs/{job}/records")) == 20
            assert (await client.ask("DELETE", f"/api/v1/jobs/{job}")).status == 204

    asyncio.run(main())


def test_a_job_that_never_ran_is_deleted_too(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path, max_running=1) as client:
            await client.until((await client.submit(LONG))["id"], "running")
            job = (await client.submit())["id"]
            await client.post(f"/jobs/{job}/cancel")
            assert (await client.ask("DELETE", f"/api/v1/jobs/{job}")).status == 204
            await gone(client, job)

    asyncio.run(main())


def test_jobs_that_ended_long_enough_ago_are_deleted_and_no_others(tmp_path: Path) -> None:
    began = time.time()

    async def main() -> None:
        async with daemon(tmp_path, clock=lambda: began) as client:
            old, held_back = [(await client.submit(spec(name=name)))["id"] for name in ("old", "held-back")]
            paused = (await client.submit({**LONG, "name": "paused"}))["id"]
            await client.post(f"/jobs/{paused}/pause")
            for job in (old, held_back):
                await client.until(job, "finished")
        async with daemon(tmp_path, clock=lambda: began + 2 * DAY_SECONDS) as client:
            young = (await client.submit(spec(name="young")))["id"]
            await client.until(young, "finished")
        with held(tmp_path, held_back):
            async with daemon(tmp_path, config=KEPT, clock=lambda: began + 7.01 * DAY_SECONDS) as client:
                await gone(client, old)
                assert {job["id"] for job in (await client.get("/jobs")).json["items"]} == {held_back, paused, young}
                assert {path.name for path in (tmp_path / "jobs").iterdir()} >= {held_back, young}
                assert not (tmp_path / "jobs" / old).exists()
        async with daemon(tmp_path, config=KEPT, clock=lambda: began + 1000 * DAY_SECONDS) as client:
            for job in (held_back, young):
                await gone(client, job)
            assert (await client.job(paused))["state"] == "paused", "only what has ended is ever deleted"

    asyncio.run(main())
