"""Jobs that wait for what only time or a person can mend. That they go on is shown in virtual time, in tests/engine."""

import asyncio
from pathlib import Path
from typing import Any

from corpusmill.simulate import SimulateOptions
from tests.web.harness import BOUND_SECONDS, LONG, Client, daemon

OUT_OF_QUOTA = SimulateOptions(faults={"quota": 1.0})
STOPS = {**LONG, "limits": {"concurrency": 4, "on_quota": "stop"}}
WAITS = {**LONG, "limits": {"concurrency": 4, "on_quota": "pause"}}


async def waiting(client: Client, job: str) -> dict[str, Any]:
    """Watch a job until it says what it waits for."""
    async with asyncio.timeout(BOUND_SECONDS):
        async for _, found in client.events_of(job):
            if found["error"] is not None:
                return found
    return await client.job(job)


def test_a_job_whose_account_may_not_spend_any_more_waits_says_so_and_can_be_steered(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path, options=OUT_OF_QUOTA) as client:
            job = (await client.submit(LONG))["id"]
            found = await waiting(client, job)
            assert (found["state"], found["calls"]["answered"]) == ("running", 0)
            assert found["error"].startswith("quota: HTTP 429: You exceeded your current quota")
            await client.post(f"/jobs/{job}/pause")
            assert (await client.until_idle(job))["state"] == "paused", "it does not wait for the minute to be over"
            await client.post(f"/jobs/{job}/resume")
            assert (await waiting(client, job))["state"] == "running"
            await client.post(f"/jobs/{job}/cancel")
            assert (await client.until_idle(job))["state"] == "cancelled"

    asyncio.run(main())


def test_a_job_fails_at_its_quota_where_its_spec_or_the_operator_says_so_and_can_be_resumed(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path, options=OUT_OF_QUOTA) as client:
            job = (await client.submit(STOPS))["id"]
            failed = await client.until(job, "failed")
            assert failed["error"].startswith("quota_exhausted: HTTP 429: You exceeded your current quota")
            assert (await client.post(f"/jobs/{job}/resume")).json["state"] == "queued"
            resumed = await waiting(client, job)
            assert (resumed["state"], resumed["error"]) == ("running", "quota"), "the minute is not over"
        async with daemon(tmp_path / "stops", options=OUT_OF_QUOTA, on_quota="stop") as client:
            await client.until((await client.submit(LONG))["id"], "failed")
            assert (await waiting(client, (await client.submit(WAITS))["id"]))["state"] == "running"

    asyncio.run(main())
