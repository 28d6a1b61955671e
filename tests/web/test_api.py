"""What the API promises of requests and answers; jobs themselves are in test_lifecycle."""

import asyncio
import hashlib
import io
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
import yaml
import yarl

from tests.web.harness import LONG, SPEC, Answer, Client, daemon, spec


def problem(answer: Answer, status: int, kind: str) -> dict[str, Any]:
    """The problem that an answer tells, which must be whole."""
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.content
    told: dict[str, Any] = answer.json
    assert (told["status"], told["type"]) == (status, f"urn:corpusmill:problem:{kind}")
    assert told["title"]
    assert told["detail"]
    assert told["request_id"] == answer.headers["X-Request-ID"]
    return told


def test_a_mistake_in_a_spec_is_told_with_its_path_and_nothing_is_created(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            steps = [{**SPEC["steps"][0], "prompt": "{{ gnere }}"}]
            told = problem(await client.post("/jobs", json=spec(steps=steps)), 422, "invalid-spec")
            assert told["errors"][0]["path"] == "steps[0].prompt"
            assert "did you mean `genre`?" in told["detail"]
            assert (await client.get("/jobs")).json == {"items": [], "next_cursor": None}
            assert not (tmp_path / "jobs").exists()

    asyncio.run(main())


def test_specs_come_as_json_yaml_and_toml_and_as_nothing_else(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            text = yaml.safe_dump(SPEC).encode()
            for kind in ("application/yaml", "application/yaml; charset=utf-8", "text/yaml"):
                assert (await client.post("/jobs", data=text, headers={"Content-Type": kind})).status == 201
            for kind in ("text/plain", "multipart/form-data", "application/x-www-form-urlencoded"):
                answer = await client.post("/jobs", data=b"x", headers={"Content-Type": kind})
                problem(answer, 415, "unsupported-media-type")

    asyncio.run(main())


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"name": NaN}', b'{"name": 1e999}', b'"\\ud800"', b"null", b"[" * 100_000],
)
def test_a_body_that_is_no_spec_is_a_problem_of_the_sender(tmp_path: Path, body: bytes) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            answer = await client.post("/jobs", data=body, headers={"Content-Type": "application/json"})
            problem(answer, 422, "invalid-spec")

    asyncio.run(main())


def test_what_is_not_there_or_not_allowed_is_a_problem_too(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            problem(await client.get("/nothing"), 404, "not-found")
            problem(await client.get("/jobs/none"), 404, "unknown-job")
            problem(await client.get("/jobs/..%2f..%2fetc"), 404, "unknown-job")
            answer = await client.ask("DELETE", "/api/v1/jobs")
            problem(answer, 405, "method-not-allowed")
            assert answer.headers["Allow"] == "GET,HEAD,POST"
            told = problem(await client.get("/jobs?limit=0"), 422, "invalid-parameter")
            assert told["errors"][0]["path"] == "query.limit"
            problem(await client.get("/jobs?colour=red"), 422, "invalid-parameter")
            assert "Server" not in answer.headers

    asyncio.run(main())


def test_a_body_that_is_too_large_is_refused_however_it_comes(tmp_path: Path) -> None:
    async def parts() -> Any:
        for _ in range(64):
            yield b" " * 65_536

    async def main() -> None:
        async with daemon(tmp_path, max_body_mib=1) as client:
            json_type = {"Content-Type": "application/json"}
            problem(
                await client.post("/jobs", data=io.BytesIO(b" " * 2_000_000), headers=json_type), 413, "body-too-large"
            )
            problem(await client.post("/jobs", data=parts(), headers=json_type), 413, "body-too-large")
            bomb = zlib.compress(b" " * 50_000_000)
            packed = {**json_type, "Content-Encoding": "deflate"}
            assert (await client.post("/jobs", data=bomb, headers=packed)).status in {400, 413}
            assert (await client.get("/livez")).status == 200

    asyncio.run(main())


def test_the_same_idempotency_key_is_the_same_job(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            key = {"Idempotency-Key": '"one"'}
            first, second = await asyncio_all(client.post("/jobs", json=SPEC, headers=key) for _ in range(2))
            assert sorted([first.status, second.status]) == [200, 201]
            assert first.json["id"] == second.json["id"]
            again = await client.post("/jobs", json=SPEC, headers={"Idempotency-Key": "one"})
            assert (again.status, again.headers["Idempotent-Replayed"]) == (200, "true")
            assert again.headers["Location"] == f"/api/v1/jobs/{first.json['id']}"
            other = await client.post("/jobs", json=spec(seed=2), headers=key)
            problem(other, 422, "idempotency-key-reused")
            bad = await client.post("/jobs", json=SPEC, headers={"Idempotency-Key": "x" * 300})
            problem(bad, 400, "bad-idempotency-key")
            assert len((await client.get("/jobs")).json["items"]) == 1

    asyncio.run(main())


async def asyncio_all(requests: Any) -> list[Answer]:
    """Ask all at once."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in requests]
    return [task.result() for task in tasks]


def test_pages_hold_every_job_once_the_newest_first(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path, max_running=1) as client:
            made = [(await client.submit(spec(name=f"job-{number}")))["id"] for number in range(5)]
            seen: list[str] = []
            cursor = ""
            while True:
                page = (await client.get(f"/jobs?limit=2{cursor}")).json
                seen += [job["id"] for job in page["items"]]
                if page["next_cursor"] is None:
                    break
                cursor = f"&cursor={page['next_cursor']}"
            assert seen == made[::-1]
            queued = (await client.get("/jobs?state=queued")).json["items"]
            assert {job["state"] for job in queued} <= {"queued"}

    asyncio.run(main())


def test_a_job_that_has_not_changed_is_not_sent_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit())["id"]
            await client.until(job, "finished")
            first = await client.get(f"/jobs/{job}")
            tag = first.headers["ETag"]
            again = await client.get(f"/jobs/{job}", headers={"If-None-Match": tag})
            assert (again.status, again.content, again.headers["ETag"]) == (304, b"", tag)
            other = await client.get(f"/jobs/{job}", headers={"If-None-Match": '"other"'})
            assert other.status == 200

    asyncio.run(main())


def test_events_go_on_behind_the_last_one_and_end_with_the_job(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit({**LONG, "space": {**LONG["space"], "limit": 150}}))["id"]
            last = 0
            async for number, _ in client.events_of(job):
                last = number
                break
            numbers = []
            async for number, found in client.events_of(job, last):
                numbers.append(number)
                last_state = found["state"]
            assert last_state == "finished"
            assert numbers == sorted(set(numbers))
            assert numbers[0] > last
            over = await client.get(f"/jobs/{job}/events", headers={"Last-Event-ID": str(numbers[-1])})
            assert over.status == 204, "an EventSource stops at this"
            strange = [state async for _, state in client.events_of(job, 1)]
            assert [each["state"] for each in strange][-1] == "finished", "who was away too long gets the job itself"

    asyncio.run(main())


def test_records_go_on_behind_what_one_has_by_count_or_by_id(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit())["id"]
            await client.until(job, "finished")
            path = f"/jobs/{job}/records"
            whole = await client.lines(path)
            assert len(whole) == 20
            assert await client.lines(f"{path}?limit=3") == whole[:3]
            assert await client.lines(f"{path}?after=18") == whole[18:]
            assert await client.lines(f"{path}?after={whole[11]['id']}&limit=4") == whole[12:16]
            assert await client.lines(f"{path}?after=20") == []
            assert await client.lines(f"{path}?limit=0") == []
            problem(await client.get(f"{path}?after=no-such-id"), 404, "unknown-record")

    asyncio.run(main())


def test_a_follower_gets_every_record_once_while_shards_are_sealed_and_the_job_is_paused(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit({**LONG, "space": {**LONG["space"], "limit": 150}}))["id"]
            async with asyncio.TaskGroup() as group:
                following = group.create_task(client.lines(f"/jobs/{job}/records?follow=true"))
                await client.until_kept(job, 20)
                await client.post(f"/jobs/{job}/pause")
                await client.until_idle(job)
                await client.post(f"/jobs/{job}/resume")
            records = following.result()
            assert len(records) == len({record["id"] for record in records}) == 150
            assert records == await client.lines(f"/jobs/{job}/records")

    asyncio.run(main())


def test_compressed_shards_are_read_as_lines_and_sent_as_they_are(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit(spec(shards={"records": 8, "compress": "zstd"})))["id"]
            await client.until(job, "finished")
            assert len(await client.lines(f"/jobs/{job}/records?after=2")) == 18
            shards = (await client.get(f"/jobs/{job}/shards")).json["items"]
            assert [shard["name"] for shard in shards] == [f"0000{n}.jsonl.zst" for n in (1, 2, 3)]

    asyncio.run(main())


async def finished(client: Client) -> tuple[str, dict[str, Any], bytes]:
    """A finished job's first shard: its address, its entry in the listing, its content."""
    job = (await client.submit())["id"]
    await client.until(job, "finished")
    shard = (await client.get(f"/jobs/{job}/shards")).json["items"][0]
    path = f"/jobs/{job}/shards/{shard['name']}"
    return path, shard, (await client.get(path)).content


def test_a_shard_is_sent_whole_or_in_part_and_only_as_it_is(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            path, shard, whole = await finished(client)
            assert hashlib.sha256(whole).hexdigest() == shard["sha256"]
            tag = f'"{shard["sha256"]}"'

            async def part(wanted: str, **headers: str) -> Answer:
                return await client.get(path, headers={"Range": wanted, **headers})

            middle = await part("bytes=10-19")
            assert (middle.status, middle.content) == (206, whole[10:20])
            assert middle.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"
            assert (await part("bytes=100-")).content == whole[100:]
            assert (await part("bytes=-7")).content == whole[-7:]
            assert (await part(f"bytes=0-{len(whole) * 2}")).content == whole
            held = await part("bytes=10-19", **{"If-Range": tag})
            assert (held.status, held.content) == (206, whole[10:20])
            stale = await part("bytes=10-19", **{"If-Range": '"another"'})
            assert (stale.status, stale.content) == (200, whole), "a stale part would be silently wrong"
            dated = await part("bytes=10-19", **{"If-Range": "Sat, 21 Nov 2026 09:00:00 GMT"})
            assert (dated.status, dated.content) == (200, whole)
            assert (await part("bytes=0-1,3-4")).content == whole, "several ranges: the whole is allowed"
            beyond = await part(f"bytes={len(whole)}-")
            problem(beyond, 416, "range-not-satisfiable")
            assert beyond.headers["Content-Range"] == f"bytes */{len(whole)}"
            assert (await client.get(path, headers={"If-None-Match": tag})).status == 304
            head = await client.ask("HEAD", "/api/v1" + path)
            assert (head.status, int(head.headers["Content-Length"]), head.content) == (200, len(whole), b"")
            for name in ("00009.jsonl", "..%2f..%2fspec.json", "%2e%2e", "00001.jsonl.part"):
                assert (await client.get(path.rpartition("/")[0] + "/" + name)).status == 404

    asyncio.run(main())


def test_a_report_and_a_plan_are_those_of_the_command_line(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            job = (await client.submit())["id"]
            await client.until(job, "finished")
            report = (await client.get(f"/jobs/{job}/report")).json
            assert (report["job"], report["state"], report["outcomes"]["kept"]) == (job, "finished", 20)
            assert set(report["coverage"]["genre"]) == {"noir", "western"}
            plan = (await client.post("/plan?samples=1", json=SPEC)).json
            assert (plan["job"], plan["items"], len(plan["samples"])) == ("tales", 20, 1)
            problem(await client.post("/plan", json=spec(limits={"rpm": 1})), 422, "invalid-spec")

    asyncio.run(main())


def test_the_probes_the_metrics_and_the_description_are_there(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            for path in ("/livez", "/readyz", "/openapi.json", "/metrics"):
                for prefix in ("", "/api/v1"):
                    assert (await client.ask("GET", prefix + path)).status == 200
            await client.until((await client.submit())["id"], "finished")
            metrics = (await client.ask("GET", "/metrics")).content.decode()
            assert 'corpusmill_jobs{state="finished"} 1' in metrics
            assert 'route="/api/v1/jobs/{id}/events"' in metrics
            service = (await client.get("/service")).json
            assert service["jobs"]["finished"] == 1
            assert set(service["endpoints"]) == {"simulated"}

    asyncio.run(main())


def test_too_many_requests_and_too_many_streams_are_told_to_wait(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path, requests_per_second=20, max_streams=1) as client:
            answers = await asyncio_all(client.get("/jobs") for _ in range(40))
            refused = [answer for answer in answers if answer.status != 200]
            assert 15 <= len(refused) <= 20
            assert problem(refused[0], 429, "too-many-requests")
            assert refused[0].headers["Retry-After"] == "1"
        async with daemon(tmp_path, max_streams=1) as client:
            job = (await client.submit(LONG))["id"]
            async with client.session.get(f"{client.url}/api/v1/jobs/{job}/events") as stream:
                assert stream.status == 200
                problem(await client.get(f"/jobs/{job}/events"), 503, "too-many-streams")

    asyncio.run(main())


def test_an_outsized_request_head_is_refused_and_the_daemon_goes_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            for headers in ({"X-Long": "x" * 20_000}, {f"X-{number}": "x" for number in range(300)}):
                assert (await client.get("/jobs", headers=headers)).status in {400, 431}
            assert (await client.get("/" + "x" * 20_000)).status in {414, 431}
            assert (await client.get("/jobs")).status == 200

    asyncio.run(main())


def test_a_browser_that_was_led_here_by_somebody_elses_page_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            problem(await client.get("/jobs", headers={"Origin": "https://evil.example"}), 403, "foreign-origin")
            problem(await client.get("/jobs", headers={"Origin": "null"}), 403, "foreign-origin")
            problem(await client.get("/jobs", headers={"Host": "evil.example"}), 403, "foreign-host")
            assert (await client.get("/jobs", headers={"Origin": client.url})).status == 200

    asyncio.run(main())


def test_an_answer_carries_the_id_that_the_request_had(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            answer = await client.get("/jobs", headers={"X-Request-ID": "mine-1"})
            assert answer.headers["X-Request-ID"] == "mine-1"

    asyncio.run(main())


def test_the_description_is_valid_openapi_and_names_every_route(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path) as client:
            document = json.loads((await client.ask("GET", "/openapi.json")).content)
            assert document["openapi"].startswith("3.1")
            assert set(document["paths"]) >= {
                "/jobs", "/jobs/{id}", "/jobs/{id}/pause", "/jobs/{id}/resume", "/jobs/{id}/cancel",
                "/jobs/{id}/events", "/jobs/{id}/records", "/jobs/{id}/rejects", "/jobs/{id}/shards",
                "/jobs/{id}/shards/{name}", "/jobs/{id}/report", "/plan", "/livez", "/readyz", "/metrics",
            }  # fmt: skip

    asyncio.run(main())


def test_a_connection_that_sends_no_request_is_closed(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path, idle_seconds=1) as client:
            port = yarl.URL(client.url).port
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()

    asyncio.run(main())
