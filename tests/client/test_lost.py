"""What the client makes of connections that are lost: nothing happens twice, nothing is missing."""

import asyncio
import random
from contextlib import aclosing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill_client import ApiError, Client, DamagedDownloadError, Patience, Problem
from corpusmill_client.download import Part, is_whole
from corpusmill_client.objects import Shard
from corpusmill_client.patience import Tries
from corpusmill_client.sse import Frame, Frames
from tests.client.wire import cut
from tests.web.harness import SPEC, daemon, spec

HEAD_BYTES = 600
"""About what the head of an answer takes: a wire that is cut behind it has let some of the body pass."""


def test_a_submission_whose_answer_is_lost_makes_one_job(tmp_path: Path) -> None:
    async def story() -> None:
        async with daemon(tmp_path) as served:
            async with cut(served.url, lambda number: 0 if number < 3 else None) as (client, wire):
                job = await client.submit(SPEC)
            assert wire.connections == 4
            listed = (await served.get("/jobs")).json["items"]
            assert [each["id"] for each in listed] == [job.id]

    asyncio.run(story())


def test_a_change_whose_answer_is_lost_has_happened(tmp_path: Path) -> None:
    async def story() -> None:
        async with daemon(tmp_path) as served:
            job = (await served.submit(spec(space={**SPEC["space"], "limit": 2000})))["id"]
            async with cut(served.url, lambda number: 0 if number % 2 == 0 else None) as (client, _wire):
                assert (await client.pause(job)).state == "paused"
                await client.close()
                assert (await client.cancel(job)).state == "cancelled"

    asyncio.run(story())


def test_followed_records_come_once_and_in_order_over_a_wire_that_is_cut(tmp_path: Path) -> None:
    chance = random.Random(7)

    async def story() -> None:
        async with daemon(tmp_path) as served:
            async with cut(served.url, lambda _number: chance.randrange(4000) + 1) as (client, wire):
                job = (await served.submit())["id"]
                async with aclosing(client.records(job, follow=True)) as records:
                    followed = [record.id async for record in records]
            assert followed == [line["id"] for line in await served.lines(f"/jobs/{job}/records")]
            assert len(followed) == (await served.job(job))["records"] > 0
            assert wire.connections > 5

    asyncio.run(story())


def test_events_rise_to_the_end_over_a_wire_that_is_cut(tmp_path: Path) -> None:
    chance = random.Random(8)

    async def story() -> None:
        async with daemon(tmp_path) as served:
            async with cut(served.url, lambda _number: HEAD_BYTES + chance.randrange(2500)) as (client, wire):
                job = (await served.submit())["id"]
                events = [event async for event in client.events(job)]
            numbers = [event.number for event in events]
            assert numbers == sorted(set(numbers))
            assert [event.job.is_over for event in events] == [False] * (len(events) - 1) + [True]
            async with Client(served.url, "") as direct:
                assert [event async for event in direct.events(job, after=numbers[-1])] == []
            assert wire.connections > 1

    asyncio.run(story())


def test_a_download_goes_on_where_it_was_cut_and_is_whole(tmp_path: Path) -> None:
    async def story() -> None:
        async with daemon(tmp_path / "data") as served:
            job = (await served.submit(spec(shards={"records": 1000})))["id"]
            done = await served.until(job, "finished")
            shards = (await served.get(f"/jobs/{job}/shards")).json["items"]
            size = sum(shard["bytes"] for shard in shards)
            async with cut(served.url, lambda _number: 3000) as (client, wire):
                paths = await client.download(job, tmp_path / "corpus")
            assert wire.connections > size // 3000
            assert wire.answered_bytes < 2 * size + 10_000, "what is there is not fetched again"
            assert sum(path.read_bytes().count(b"\n") for path in paths) == done["records"]
            assert {path.name for path in (tmp_path / "corpus").iterdir()} == {shard["name"] for shard in shards}
            async with cut(served.url, lambda _number: None) as (client, wire):
                assert await client.download(job, tmp_path / "corpus") == paths
            assert wire.answered_bytes < size, "a file that is whole is left alone"

    asyncio.run(story())


def test_a_part_with_other_bytes_is_fetched_anew(tmp_path: Path) -> None:
    async def story() -> None:
        async with daemon(tmp_path / "data") as served, Client(served.url, "") as client:
            job = await client.submit(SPEC)
            await client.wait(job.id)
            (tmp_path / "00001.jsonl.part").write_bytes(b"something else\n")
            (tmp_path / "00002.jsonl").write_bytes(b"rotten\n")
            paths = await client.download(job.id, tmp_path)
            for path, shard in zip(paths, await client.shards(job.id), strict=True):
                assert is_whole(path, shard)

    asyncio.run(story())
    assert list(tmp_path.glob("*.part")) == []


def test_bytes_that_are_never_right_are_given_no_name(tmp_path: Path) -> None:
    async def lying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        listing = b'{"items":[{"name":"00001.jsonl","records":1,"bytes":4,"sha256":"00","sealed_at":""}]}'
        body = b"lie\n" if b"00001.jsonl" in head else listing
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    async def story() -> None:
        server = await asyncio.start_server(lying, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, Client(url, "") as client:
            with pytest.raises(DamagedDownloadError, match=r"00001\.jsonl came 2 times"):
                await client.download("job", tmp_path)

    asyncio.run(story())
    assert list(tmp_path.iterdir()) == []


def test_what_a_process_left_is_gone_on_with_by_the_next(tmp_path: Path) -> None:
    shard = Shard("a", 1, 6, "4bb0e6cb1ba6e5e2f0dfb6bdcb5a5b1cb54f3ad1ab6cb49d9b2e6e7f7a0fcb5b")
    first = Part(tmp_path / "a", shard)
    first.write(b"one")
    first.close()
    second = Part(tmp_path / "a", shard)
    assert second.size == 3
    second.write(b"two")
    assert not second.keep(), "the checksum is of something else"
    second.close()
    assert list(tmp_path.iterdir()) == []


@given(
    asked=st.lists(st.one_of(st.none(), st.integers(0, 30)), min_size=1, max_size=50),
    patience=st.builds(
        Patience, seconds=st.floats(0, 100), first_seconds=st.floats(0.01, 5), most_seconds=st.floats(5, 20)
    ),
    seed=st.integers(0, 2**32),
)
def test_patience_has_an_end_and_heeds_retry_after(asked: list[int | None], patience: Patience, seed: int) -> None:
    tries, now = Tries(patience, random.Random(seed)), 0.0
    for seconds in asked:
        pause = tries.pause_seconds(now, ApiError(Problem(status=503), seconds))
        if pause is None:
            break
        assert pause >= (seconds or 0)
        assert pause <= max(patience.most_seconds, seconds or 0)
        now += pause
    assert now <= patience.seconds


@pytest.mark.parametrize(("status", "kind"), [(400, "x"), (404, "x"), (409, "x"), (422, "x"), (503, "misconfigured")])
def test_what_is_no_use_to_send_again_is_not(status: int, kind: str) -> None:
    problem = Problem(status=status, type=f"urn:corpusmill:problem:{kind}")
    assert Tries(Patience(), random.Random(1)).pause_seconds(0.0, ApiError(problem)) is None


FIELD = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=20)


@given(st.lists(st.tuples(FIELD, FIELD, st.lists(FIELD, min_size=1, max_size=3)), max_size=5))
def test_frames_are_read_as_they_were_written(events: list[tuple[str, str, list[str]]]) -> None:
    frames = Frames()
    found = []
    for number, event, data in events:
        written = [": alive", f"id: {number}", f"event: {event}", *(f"data: {line}" for line in data), ""]
        found += [frame for line in written if (frame := frames.take(line.encode() + b"\r")) is not None]
    assert found == [Frame(id_, event or "message", "\n".join(data).encode()) for id_, event, data in events]


def test_a_frame_that_was_cut_does_not_count() -> None:
    frames = Frames()
    assert [frames.take(line) for line in (b"retry: 1500", b"id: 4", b"data: x", b"")][-1] == Frame(
        "4", "message", b"x"
    )
    assert [frames.take(line) for line in (b"id: 5", b"data: y")] == [None, None]
    frames.drop()
    assert (frames.last_id, frames.retry_seconds) == ("4", 1.5)
    assert frames.take(b"") is None
