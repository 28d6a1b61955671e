import asyncio
from pathlib import Path
from typing import Any

from corpusmill.config import Config, EndpointConfig, ModelConfig
from tests.web.harness import LONG, SPEC, Client, daemon, spec


def test_a_submitted_job_runs_to_its_end_and_its_records_can_be_read(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = await client.submit()
            assert (job["name"], job["state"], job["items"]) == ("tales", "queued", 20)
            done = await client.until(job["id"], "finished")
            assert done["outcomes"] == {"kept": 20, "rejected": 0, "duplicate": 0, "failed": 0}
            assert done["calls"]["answered"] == 20
            assert done["error"] is None
            records = await client.lines(f"/jobs/{job['id']}/records")
            assert len({record["id"] for record in records}) == 20
            assert await client.lines(f"/jobs/{job['id']}/rejects") == []

    asyncio.run(main())


def test_pause_is_done_within_a_second_and_a_resumed_job_loses_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit({**LONG, "space": {**LONG["space"], "limit": 200}}))["id"]
            await client.until_kept(job, 10)
            loop = asyncio.get_running_loop()
            began = loop.time()
            paused = await client.post(f"/jobs/{job}/pause")
            assert paused.json["state"] == "paused"
            stopped = await client.until_idle(job)
            assert loop.time() - began < 1.0
            assert 10 <= stopped["outcomes"]["kept"] < 200
            assert (await client.job(job))["calls"] == stopped["calls"]
            await client.post(f"/jobs/{job}/resume")
            done = await client.until(job, "finished")
            assert done["outcomes"]["kept"] == 200
            assert done["calls"]["sent"] == 200, "nothing was called twice"

    asyncio.run(main())


def test_a_cancelled_job_keeps_and_seals_what_it_has(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit(LONG))["id"]
            await client.until_kept(job, 10)
            await client.post(f"/jobs/{job}/cancel")
            over = await client.until_idle(job)
            assert over["state"] == "cancelled"
            assert over["finished_at"] is not None
            shards = (await client.get(f"/jobs/{job}/shards")).json["items"]
            assert sum(shard["records"] for shard in shards) == over["records"] == over["outcomes"]["kept"]
            assert (await client.post(f"/jobs/{job}/resume")).status == 409

    asyncio.run(main())


def test_a_job_cancelled_while_it_is_paused_is_sealed_too(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit(LONG))["id"]
            await client.until_kept(job, 10)
            await client.post(f"/jobs/{job}/pause")
            paused = await client.until_idle(job)
            await client.post(f"/jobs/{job}/cancel")
            async with asyncio.timeout(10):
                shards: list[dict[str, Any]] = []
                while sum(shard["records"] for shard in shards) < paused["records"]:
                    shards = (await client.get(f"/jobs/{job}/shards")).json["items"]
            assert sum(shard["records"] for shard in shards) == paused["records"]

    asyncio.run(main())


def test_jobs_beyond_the_places_wait_and_a_paused_one_gives_up_its_place(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path, max_running=1) as client:
            first = (await client.submit(LONG))["id"]
            second = (await client.submit(spec(name="second")))["id"]
            await client.until(first, "running")
            assert (await client.job(second))["state"] == "queued"
            await client.post(f"/jobs/{first}/pause")
            assert (await client.until(second, "finished"))["outcomes"]["kept"] == 20
            assert (await client.job(first))["state"] == "paused"

    asyncio.run(main())


def test_a_daemon_that_is_stopped_goes_on_with_its_jobs_when_it_is_started_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit({**LONG, "space": {**LONG["space"], "limit": 200}}))["id"]
            waiting = (await client.submit())["id"]
            await client.post(f"/jobs/{waiting}/pause")
            before = await client.until_kept(job, 10)
        async with daemon(tmp_path) as client:
            done = await client.until(job, "finished")
            assert done["outcomes"]["kept"] == done["calls"]["sent"] == 200
            assert done["started_at"] == before["started_at"]
            assert (await client.job(waiting))["state"] == "paused"

    asyncio.run(main())


def test_a_job_that_fails_touches_no_other_and_can_be_resumed(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            good = (await client.submit(spec(name="good")))["id"]
            bad = (await client.submit(spec(name="bad", budget={"usd": 1.0})))["id"]
            failed = await client.until(bad, "failed")
            assert failed["error"].startswith("budget.usd: the price of model")
            assert (await client.until(good, "finished"))["outcomes"]["kept"] == 20
            assert (await client.post(f"/jobs/{bad}/resume")).json["state"] == "queued"

    asyncio.run(main())


def test_a_job_stops_at_its_budget(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit(spec(budget={"calls": 7})))["id"]
            over = await client.until(job, "exhausted")
            assert over["calls"]["sent"] == 7
            assert over["error"] == "the budget is spent"

    asyncio.run(main())


def test_a_job_with_a_folder_that_cannot_be_used_fails_alone(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "jobs").write_text("a file where a folder should be")
        async with daemon(tmp_path) as client:
            job = (await client.submit(SPEC))["id"]
            assert "cannot be written" in (await client.until(job, "failed"))["error"]
            assert (await client.get("/livez")).status == 200

    asyncio.run(main())


def test_a_daemon_that_is_stopped_while_it_starts_jobs_ends_all_the_same(tmp_path: Path) -> None:
    """The endpoint is not there, so a job that is started too late would wait for it for ever."""
    models = {"default": ModelConfig("local", "simulated")}
    config = Config(models=models, endpoints={"local": EndpointConfig("http://127.0.0.1:9/v1")})

    async def main() -> None:
        async with asyncio.timeout(20):
            for _ in range(10):
                async with daemon(tmp_path, config=config) as client:
                    job = (await client.submit())["id"]
                assert job

    asyncio.run(main())
    assert [path.name for path in tmp_path.glob("jobs/*")] == []


def test_two_jobs_share_the_endpoint_by_their_weights(tmp_path: Path) -> None:
    wide = {**LONG, "limits": {"concurrency": 64}}

    async def main() -> None:
        async with daemon(tmp_path, concurrency=8) as client:
            light = (await client.submit({**wide, "name": "light"}))["id"]
            heavy = (await client.submit({**wide, "name": "heavy"}, "?weight=3"))["id"]
            await client.until(heavy, "running")
            start = await kept_at_once(client)
            await client.until_kept(heavy, start[heavy] + 300)
            done = await kept_at_once(client)
            share = (done[heavy] - start[heavy]) / (done[light] - start[light])
            assert 2.0 < share < 4.5, f"{share:.2f} times as much for a weight of 3"

    asyncio.run(main())


async def kept_at_once(client: Client) -> dict[str, int]:
    """What each job has kept, all at one moment."""
    return {job["id"]: job["outcomes"]["kept"] for job in (await client.get("/jobs")).json["items"]}
