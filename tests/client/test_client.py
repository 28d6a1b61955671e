"""The client against a real daemon: everything it can do, and what it says when something is wrong."""

import asyncio
import hashlib
import traceback
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
import yaml

from corpusmill.config import Config, KeyConfig
from corpusmill_client import (
    Client,
    ConflictError,
    InvalidSpecError,
    NotFoundError,
    Patience,
    RefusedError,
    SyncClient,
    UnauthorizedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from corpusmill_client.specs import Spec
from tests.web.harness import LONG, SPEC, daemon, spec

KEY = "a-key-of-the-tests-0123456789"
ONCE = Patience(seconds=0)
BOUND_SECONDS = 30.0


@asynccontextmanager
async def asking(folder: Path) -> AsyncIterator[Client]:
    """A client of a daemon of its own."""
    async with daemon(folder) as served, Client(served.url, "") as client:
        yield client


def test_from_a_spec_to_a_corpus(tmp_path: Path) -> None:
    async def story() -> None:
        async with asking(tmp_path / "data") as client:
            plan = await client.plan(SPEC, samples=1)
            assert (plan.items, plan.calls, len(plan.samples)) == (20, 20, 1)
            job = await client.submit(SPEC, priority="low", weight=3)
            assert (job.state, job.priority, job.weight) == ("queued", "low", 3)
            done = await client.wait(job.id, timeout_seconds=BOUND_SECONDS)
            assert done.state == "finished"
            assert done.outcomes.total == done.items == 20
            records = [record async for record in client.records(job.id)]
            assert len({record.id for record in records}) == len(records) == done.records
            assert all(record.completion and record.prompt for record in records)
            rejects = [reject async for reject in client.rejects(job.id)]
            assert len(rejects) == 20 - done.outcomes.kept
            report = await client.report(job.id)
            assert report.outcomes == done.outcomes
            assert set(report.coverage) == set(report.document["coverage"]) == {"genre", "n"}
            paths = await client.download(job.id, tmp_path / "corpus")
            assert sum(path.read_bytes().count(b"\n") for path in paths) == done.records
            for path, shard in zip(paths, await client.shards(job.id), strict=True):
                assert hashlib.sha256(path.read_bytes()).hexdigest() == shard.sha256
            service = await client.service()
            assert service.jobs["finished"] == 1
            assert service.endpoints["simulated"].width > 0
            assert await client.is_ready()
            await client.delete(job.id)
            with pytest.raises(NotFoundError, match=job.id):
                await client.job(job.id)

    asyncio.run(story())


def test_records_go_on_behind_those_one_has(tmp_path: Path) -> None:
    async def story() -> None:
        async with asking(tmp_path) as client:
            job = await client.submit(SPEC)
            async with aclosing(client.records(job.id, follow=True)) as following:
                followed = [record async for record in following]
            ids = [record.id for record in followed]
            assert len(ids) == (await client.job(job.id)).records
            assert [record.id async for record in client.records(job.id, after=3)] == ids[3:]
            assert [record.id async for record in client.records(job.id, after=ids[4], limit=2)] == ids[5:7]
            with pytest.raises(NotFoundError):
                _ = [record async for record in client.records(job.id, after="no-such-record")]

    asyncio.run(story())


def test_pause_resume_and_cancel_may_be_asked_twice(tmp_path: Path) -> None:
    async def story() -> None:
        async with asking(tmp_path) as client:
            job = (await client.submit(LONG)).id
            await client.wait(job, until=lambda found: found.outcomes.kept >= 3, timeout_seconds=BOUND_SECONDS)
            assert [(await client.pause(job)).state for _ in range(2)] == ["paused", "paused"]
            assert {(await client.resume(job)).state for _ in range(2)} <= {"queued", "running"}
            assert [(await client.cancel(job)).state for _ in range(2)] == ["cancelled", "cancelled"]
            over = await client.wait(job, timeout_seconds=BOUND_SECONDS)
            assert (over.state, over.is_over) == ("cancelled", True)
            with pytest.raises(ConflictError, match="that is final"):
                await client.resume(job)

    asyncio.run(story())


def test_all_jobs_are_listed_over_all_pages(tmp_path: Path) -> None:
    async def story() -> None:
        async with asking(tmp_path) as client:
            made = [(await client.submit(spec(name=f"job-{number}"))).id for number in range(5)]
            assert [job.id async for job in client.jobs()] == made[::-1]
            page = await client.page(limit=2)
            following = await client.page(limit=3, cursor=page.next_cursor)
            assert [job.id for job in (*page.items, *following.items)] == made[::-1]
            assert following.next_cursor is None
            assert [job async for job in client.jobs("failed")] == []

    asyncio.run(story())


def test_a_spec_may_be_a_mapping_a_file_or_text(tmp_path: Path) -> None:
    (tmp_path / "tales.yaml").write_text(yaml.safe_dump(SPEC))

    async def story() -> None:
        async with asking(tmp_path / "data") as client:
            specs: list[Spec] = [
                SPEC,
                tmp_path / "tales.yaml",
                yaml.safe_dump(SPEC),
                (tmp_path / "tales.yaml").read_bytes(),
            ]
            assert {(await client.plan(each)).items for each in specs} == {20}
            with pytest.raises(ValueError, match=r"ends in one of \.json"):
                await client.plan(tmp_path / "tales.txt")

    asyncio.run(story())


def test_the_same_idempotency_key_is_the_same_job(tmp_path: Path) -> None:
    async def story() -> None:
        async with asking(tmp_path) as client:
            first, again = [await client.submit(SPEC, idempotency_key="monday") for _ in range(2)]
            assert first.id == again.id
            assert (await client.submit(SPEC)).id != first.id
            with pytest.raises(RefusedError, match="Idempotency-Key came with another request") as caught:
                await client.submit(spec(seed=2), idempotency_key="monday")
            assert caught.value.kind == "idempotency-key-reused"

    asyncio.run(story())


def test_errors_say_what_and_where(tmp_path: Path) -> None:
    async def story() -> None:
        async with asking(tmp_path) as client:
            with pytest.raises(InvalidSpecError, match="gnere") as caught:
                await client.submit(spec(steps=[{"name": "plot", "prompt": "{{ gnere }}"}]))
            assert [mistake.path for mistake in caught.value.mistakes] == ["steps[0].prompt"]
            assert caught.value.problem.request_id
            with pytest.raises(NotFoundError):
                await client.wait("../../etc/passwd")
            assert [job async for job in client.jobs()] == []
            job = await client.submit(LONG)
            with pytest.raises(TimeoutError):
                await client.wait(job.id, timeout_seconds=0.05)
        with pytest.raises(UnreachableError, match=r"http://127\.0\.0\.1:\d+ does not answer"):
            async with Client(client.url, "", patience=ONCE) as late:
                await late.job(job.id)
        assert not await client.is_ready()
        await client.close()

    asyncio.run(story())


def test_a_server_that_is_no_daemon_is_told(tmp_path: Path) -> None:
    async def other(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>")
        await writer.drain()
        writer.close()

    async def story() -> None:
        server = await asyncio.start_server(other, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, Client(url, "") as client:
            with pytest.raises(UnexpectedAnswerError, match="is this a corpusmill daemon"):
                await client.service()

    asyncio.run(story())


def test_the_key_is_shown_to_the_daemon_and_to_nobody_else(tmp_path: Path) -> None:
    keys = {"one": KeyConfig(scopes=["submit", "read"], sha256=hashlib.sha256(KEY.encode()).hexdigest())}
    told: list[str] = []

    async def story() -> None:
        async with daemon(tmp_path, config=Config(keys=keys)) as served:
            async with Client(served.url, KEY) as client:
                assert (await client.submit(SPEC)).submitted_by == "one"
                told.extend((repr(client), str(client), repr(vars(client)), repr(vars(vars(client)["_connection"]))))
                with pytest.raises(NotFoundError) as missing:
                    await client.job("none")
                told.extend(traceback.TracebackException.from_exception(missing.value, capture_locals=True).format())
            async with Client(served.url, "another-key-0123456789") as stranger:
                with pytest.raises(UnauthorizedError, match="this API key is unknown"):
                    await stranger.job("none")
        async with Client(served.url, KEY, patience=ONCE) as client:
            with pytest.raises(UnreachableError) as gone:
                await client.job("none")
            told.extend(traceback.TracebackException.from_exception(gone.value, capture_locals=True).format())

    asyncio.run(story())
    assert told
    assert not [text for text in told if KEY in text]
    with pytest.raises(ValueError, match="characters that no key has") as wrong:
        Client("http://127.0.0.1:1", f"{KEY}\nHost: other")
    assert KEY not in str(wrong.value)


@pytest.mark.parametrize("url", ["127.0.0.1:8378", "ftp://host", "http://user:secret@host", "http://", "http://[::1"])
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="http or https URL") as caught:
        Client(url, "")
    assert "secret" not in str(caught.value)


def test_address_and_key_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPUSMILL_URL", "http://mill.example/api/v1/")
    assert repr(Client()) == "Client('http://mill.example')"
    monkeypatch.delenv("CORPUSMILL_URL")
    assert Client().url == "http://127.0.0.1:8378"


def test_the_synchronous_client_does_the_same(tmp_path: Path) -> None:
    def story(url: str) -> None:
        with SyncClient(url, "") as client:
            job = client.submit(SPEC)
            followed = [record.id for record in client.records(job.id, follow=True)]
            done = client.wait(job.id, timeout_seconds=BOUND_SECONDS)
            assert len(followed) == done.records
            for record in client.records(job.id):
                assert record.id == followed[0]
                break
            assert client.report(job.id).outcomes == done.outcomes
            assert [found.id for found in client.jobs()] == [job.id]
            assert len(client.download(job.id, tmp_path / "corpus")) == len(client.shards(job.id))
            with pytest.raises(NotFoundError):
                client.job("none")
            assert repr(client) == f"SyncClient({url!r})"
        client.close()
        with pytest.raises(RuntimeError, match="the client is closed"):
            client.service()

    async def served() -> None:
        async with daemon(tmp_path / "data") as running:
            await asyncio.to_thread(story, running.url)

    asyncio.run(served())


def test_every_method_has_its_synchronous_twin() -> None:
    public = {name for name in vars(Client) if not name.startswith("_")}
    assert public == {name for name in vars(SyncClient) if not name.startswith("_")}
    assert SyncClient.submit.__doc__ == Client.submit.__doc__
