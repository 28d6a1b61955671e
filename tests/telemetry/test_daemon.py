"""What a daemon's scrape tells of its jobs, over a real socket."""

import asyncio
from pathlib import Path

from corpusmill.telemetry.events import HttpAnswered
from tests.telemetry.scraped import series_in, value
from tests.web.harness import LONG, SPEC, Client, daemon


async def scrape(client: Client, **headers: str) -> str:
    answer = await client.ask("GET", "/metrics", headers=headers)
    assert answer.status == 200
    return answer.content.decode()


def test_every_event_of_a_job_names_it_by_its_id(tmp_path: Path) -> None:
    async def scene() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit({**SPEC, "budget": {"calls": 1000}}))["id"]
            await client.until(job, "finished")
            assert {event.job for event in client.events if hasattr(event, "job")} == {job}

    asyncio.run(scene())


def test_a_running_job_has_series_by_its_id_and_an_ended_one_has_none(tmp_path: Path) -> None:
    async def scene() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit({**LONG, "budget": {"calls": 500}}))["id"]
            await client.until_kept(job, 10)
            series = series_in(await scrape(client))
            assert (value(series, "job_progress_ratio", job_id=job) or 0) > 0
            assert (value(series, "job_eta_seconds", job_id=job) or 0) > 0
            assert (value(series, "job_budget_spent_ratio", job_id=job) or 0) > 0
            assert value(series, "jobs", state="running") == 1
            await client.post(f"/jobs/{job}/cancel")
            await client.until_idle(job)
            series = series_in(await scrape(client))
            assert not [name for name, _ in series if name.startswith("corpusmill_job_")]
            assert value(series, "jobs", state="cancelled") == 1

    asyncio.run(scene())


def test_a_request_is_told_under_the_id_that_its_answer_carries(tmp_path: Path) -> None:
    async def scene() -> None:
        async with daemon(tmp_path) as client:
            mine = await client.get("/jobs", headers={"X-Request-ID": "mine-1"})
            theirs = await client.get("/jobs")
            told = [event.request for event in client.events if isinstance(event, HttpAnswered)]
            assert told[-2:] == [mine.headers["X-Request-ID"], theirs.headers["X-Request-ID"]]
            assert told[-2] == "mine-1"

    asyncio.run(scene())


def test_requests_are_counted_by_the_template_of_their_route(tmp_path: Path) -> None:
    async def scene() -> None:
        async with daemon(tmp_path) as client:
            for number in range(3):
                await client.get(f"/jobs/no-such-job-{number}")
                await client.ask("GET", f"/no/such/path/{number}")
            text = await scrape(client)
            series = series_in(text)
            assert value(series, "http_requests_total", route="/api/v1/jobs/{id}", method="GET", code="404") == 3
            assert "no-such-job" not in text
            assert "such/path" not in text

    asyncio.run(scene())
