"""What is read again and again is not made again and again, and is never older than it says."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from corpusmill.jobs.queue.job import Figures
from corpusmill.journal.sheet import Outcomes, Sheet
from corpusmill.web.reports import PAUSE_FACTOR, Made
from tests.web.harness import LONG, Client, daemon, spec

FOLDER = Path("job")


async def paged(client: Client, path: str, after: str, size: int) -> list[dict[str, Any]]:
    """Read lines page by page: `id` asks behind the last one's id, `count` behind as many as there were."""
    lines: list[dict[str, Any]] = []
    while True:
        behind = "" if not lines else f"&after={lines[-1]['id'] if after == 'id' else len(lines)}"
        page = await client.lines(f"{path}?limit={size}{behind}")
        lines += page
        if len(page) < size:
            return lines


@pytest.mark.parametrize("compress", ["none", "zstd"])
@pytest.mark.parametrize("after", ["id", "count"])
def test_pages_put_together_are_the_whole_whatever_their_size(tmp_path: Path, after: str, compress: str) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit(spec(shards={"records": 8, "compress": compress})))["id"]
            await client.until(job, "finished")
            path = f"/jobs/{job}/records"
            whole = await client.lines(path)
            for size in (1, 3, 7, 8, 20, 21):
                assert await paged(client, path, after, size) == whole

    asyncio.run(main())


def test_pages_of_a_job_that_goes_on_have_no_gap_and_nothing_twice(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit({**LONG, "space": {**LONG["space"], "limit": 300}}))["id"]
            path = f"/jobs/{job}/records"
            lines: list[dict[str, Any]] = []
            async for _ in client.events_of(job):
                lines += await client.lines(f"{path}?limit=7&after={len(lines)}")
                await client.lines(f"{path}?limit=7&after=299")
            while page := await client.lines(f"{path}?limit=7&after={len(lines)}"):
                lines += page
            assert lines == await client.lines(path)
            assert len(lines) == 300

    asyncio.run(main())


def test_a_list_shows_a_change_as_soon_as_it_was_answered(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path, max_running=1) as client:
            running = (await client.submit(LONG))["id"]
            await client.until(running, "running")
            waiting = [(await client.submit(spec(name=f"job-{n}")))["id"] for n in range(3)]

            async def states() -> dict[str, str]:
                listed = (await client.get("/jobs?limit=10")).json["items"]
                single = {each["id"]: each["state"] for each in [await client.job(job["id"]) for job in listed]}
                assert {job["id"]: job["state"] for job in listed} == single
                return single

            for job in waiting:
                assert (await states())[job] == "queued"
                await client.post(f"/jobs/{job}/pause")
                assert (await states())[job] == "paused"
                await client.post(f"/jobs/{job}/cancel")
                assert (await states())[job] == "cancelled"
                cancelled = (await client.get("/jobs?state=cancelled")).json["items"]
                assert cancelled[0]["finished_at"] is not None
                assert (await client.ask("DELETE", f"/api/v1/jobs/{job}")).status == 204
                assert job not in await states()

    asyncio.run(main())


def test_a_job_that_does_not_change_is_read_once_for_its_report(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit(LONG))["id"]
            await client.until_kept(job, 10)
            await client.post(f"/jobs/{job}/pause")
            idle = await client.until_idle(job)
            answers = [await client.get(f"/jobs/{job}/report") for _ in range(2)]
            assert answers[0].json["outcomes"] == idle["outcomes"]
            shutil.rmtree(tmp_path / "jobs" / job / "journal")
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(client.get(f"/jobs/{job}/report")) for _ in range(20)]
            answers += [each.result() for each in asked]
            assert {answer.content for answer in answers} == {answers[0].content}
            assert all(answer.headers["Age"].isdigit() for answer in answers)

    asyncio.run(main())


def test_a_report_of_a_job_that_goes_on_costs_it_a_twentieth_of_a_thread_at_most() -> None:
    before, after = Figures(sheet=Sheet()), Figures(sheet=Sheet(outcomes=Outcomes(kept=1)))
    made = Made({}, FOLDER, (None, before), began=100.0, took_seconds=2.0)
    ready = 102.0
    assert made.holds(FOLDER, (None, before), ready + 1e9)
    assert made.holds(FOLDER, (None, after), ready + PAUSE_FACTOR * 2.0 - 0.1)
    assert not made.holds(FOLDER, (None, after), ready + PAUSE_FACTOR * 2.0)
    assert not made.holds(FOLDER, ("2026-01-01T00:00:00Z", before), ready), "a job that has ended is read to its end"
    assert not made.holds(FOLDER / "generations", (None, before), ready)
