"""What the status page stands on: its files and their policy, one stream for all jobs, the last lines, who asks."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from corpusmill.jobs.latest import LATEST_BYTES, latest_lines
from corpusmill.web.page import FOLDER
from tests.web.harness import LONG, SPEC, Client, daemon, spec
from tests.web.test_api import problem
from tests.web.test_keys import CONFIG, ENVIRON, READER, bearer


def test_the_page_is_served_to_anybody_under_a_policy_without_inline_code(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path, config=CONFIG, environ=ENVIRON) as client:
            page = await client.ask("GET", "/")
            assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
            policy = page.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            again = await client.ask("GET", "/", headers={"If-None-Match": page.headers["ETag"]})
            assert (again.status, again.content) == (304, b"")
            for name in re.findall(rb"assets/([\w.]+)", page.content):
                answer = await client.ask("GET", f"/assets/{name.decode()}")
                assert (answer.status, answer.headers["X-Content-Type-Options"]) == (200, "nosniff")
                assert answer.headers["Content-Security-Policy"] == policy
            for path in ("/assets/nothing.js", "/assets/..%2fpage.py", "/assets/../page.py", "/assets/"):
                problem(await client.ask("GET", path), 404, "not-found")

    asyncio.run(main())


def test_the_page_is_made_of_itself_alone() -> None:
    html = (FOLDER / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", html) == []
    for path in FOLDER.iterdir():
        text = path.read_text().replace("http://www.w3.org/", "")
        assert "http:" not in text, path.name
        assert "https:" not in text, path.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text), path.name
        for name in re.findall(r'from "\./([\w.]+)"', text):
            assert (FOLDER / name).is_file()


async def told(client: Client, *wanted: str) -> AsyncGenerator[Any, None]:
    """The data of the events with these names, as they come on the stream of all; first of all, None: it is open."""
    async with client.session.get(f"{client.url}/api/v1/events") as answer:
        assert answer.content_type == "text/event-stream"
        yield None
        event = ""
        async for line in answer.content:
            if line.startswith(b"event: "):
                event = line[7:].decode().strip()
            elif line.startswith(b"data: ") and event in wanted:
                yield json.loads(line[6:])


def test_one_stream_tells_of_all_jobs(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client, asyncio.timeout(20), aclosing(told(client, "state", "progress")) as news:
            await anext(news)
            left = {(await client.submit(spec(name=name)))["id"] for name in ("one", "two")}
            while left:
                job = await anext(news)
                left -= {job["id"]} if job["state"] == "finished" else set()

    asyncio.run(main())


def test_the_same_stream_tells_of_the_gates(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client, asyncio.timeout(20), aclosing(told(client, "gates")) as news:
            await anext(news)
            assert await anext(news) == {}, "it begins with what there is"
            await client.submit()
            while (gates := await anext(news)).get("simulated", {}).get("granted_total") != 20:
                pass
            assert gates["simulated"]["breaker"] == "closed"

    asyncio.run(main())


def test_the_latest_lines_are_the_last_ones_sealed_or_not(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit(LONG))["id"]
            await client.until_kept(job, 30)
            await client.post(f"/jobs/{job}/pause")
            await client.until_idle(job)
            lines = await client.lines(f"/jobs/{job}/records")
            for most in (1, 9, 20, 1000):
                assert await client.lines(f"/jobs/{job}/records?latest={most}") == lines[-most:]
            assert await client.lines(f"/jobs/{job}/rejects?latest=5") == []
            problem(await client.get(f"/jobs/{job}/records?latest=5&limit=3"), 422, "invalid-parameter")
            problem(await client.get(f"/jobs/{job}/records?latest=0"), 422, "invalid-parameter")

    asyncio.run(main())


def test_the_latest_lines_of_compressed_shards_are_the_last_ones_too(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit({**SPEC, "shards": {"records": 8, "compress": "zstd"}}))["id"]
            await client.until(job, "finished")
            lines = await client.lines(f"/jobs/{job}/records")
            assert await client.lines(f"/jobs/{job}/records?latest=11") == lines[-11:]

    asyncio.run(main())


@pytest.mark.parametrize("chars", [100, 1000, 30_000, LATEST_BYTES])
def test_the_latest_lines_stay_within_their_bound_and_have_no_gap(tmp_path: Path, chars: int) -> None:
    lines = [b'{"id":"%d","text":"%s"}\n' % (number, b"x" * chars) for number in range(60)]
    for shard in range(3):
        name = f"{shard + 1:05d}.jsonl" + (".part" if shard == 2 else "")
        (tmp_path / name).write_bytes(b"".join(lines[20 * shard : 20 * shard + 20]))
    with (tmp_path / "00003.jsonl.part").open("ab") as file:
        file.write(b'{"id":"half')
    found = latest_lines(tmp_path, 50)
    assert len(found) <= LATEST_BYTES
    count = found.count(b"\n")
    assert found == b"".join(lines[len(lines) - count :])
    assert count == min(50, LATEST_BYTES // len(lines[-1])) or count in range(
        LATEST_BYTES // len(lines[-1]) - 2, LATEST_BYTES // len(lines[-1]) + 1
    )


def test_a_key_is_told_its_name_and_what_it_may_do(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path, config=CONFIG, environ=ENVIRON) as client:
            answer = await client.get("/service", headers=bearer(READER))
            assert answer.json["you"] == {"name": "reader", "scopes": ["read"]}
        async with daemon(tmp_path / "open") as client:
            assert (await client.get("/service")).json["you"]["scopes"] == ["admin", "operate", "read", "submit"]

    asyncio.run(main())
