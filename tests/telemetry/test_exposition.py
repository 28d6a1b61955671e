"""How a scrape is answered: off the event loop, once for all who ask at the same time, packed if asked."""

import asyncio
import contextlib
import gzip
import threading

from corpusmill.telemetry.events import LoopLagged
from corpusmill.telemetry.metrics.counts import Counts
from corpusmill.telemetry.metrics.exposition import Exposition
from corpusmill.telemetry.metrics.gauges import Gauges
from corpusmill.telemetry.metrics.lag import measure_lag
from tests.sim.loop import run_sim
from tests.telemetry.samples import answered
from tests.telemetry.scraped import series_in, value


def test_scrapes_at_the_same_time_share_one_look_and_later_ones_see_what_is_new() -> None:
    counts, looks = Counts(), []

    def look() -> Gauges:
        looks.append(threading.current_thread())
        return Gauges()

    async def scrape_often() -> None:
        exposition = Exposition(counts, look)
        counts(answered())
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(exposition.scrape()) for _ in range(20)]
        assert len({id(task.result()) for task in tasks}) == 1
        assert len(looks) == 1
        counts(answered())
        later = await exposition.scrape()
        assert value(series_in(later.plain.decode()), "llm_requests_total", endpoint="local", model="default") == 2
        assert set(looks) == {threading.main_thread()}

    asyncio.run(scrape_often())


def test_a_scraper_that_goes_away_does_not_take_the_scrape_from_the_others() -> None:
    async def scrape_twice() -> None:
        exposition = Exposition(Counts(), Gauges)
        async with asyncio.TaskGroup() as group:
            leaving = group.create_task(exposition.scrape())
            staying = group.create_task(exposition.scrape())
            await asyncio.sleep(0)
            leaving.cancel()
        assert b"corpusmill_build_info" in staying.result().plain

    asyncio.run(scrape_twice())


def test_a_look_that_breaks_breaks_that_scrape_alone() -> None:
    broken = True

    def look() -> Gauges:
        if broken:
            raise OSError("no disk")
        return Gauges()

    async def scrape_twice() -> None:
        nonlocal broken
        exposition = Exposition(Counts(), look)
        try:
            await exposition.scrape()
        except OSError:
            broken = False
        assert (await exposition.scrape()).plain

    asyncio.run(scrape_twice())


def test_it_is_packed_if_asked_and_tells_of_the_process() -> None:
    scrape = asyncio.run(Exposition(Counts(), Gauges).scrape())
    plain, headers = scrape.answer("")
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "Content-Encoding" not in headers
    packed, headers = scrape.answer("deflate, GZIP;q=1.0")
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 3
    for told in (b"process_resident_memory_bytes", b"python_gc_collections_total", b"python_info"):
        assert told in plain
    assert b"_created" not in plain


def test_the_lag_of_the_event_loop_is_told_once_a_second() -> None:
    told: list[float] = []

    async def measure() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60.5):
                await measure_lag(lambda event: told.append(event.seconds) if isinstance(event, LoopLagged) else None)

    run_sim(measure())
    assert len(told) == 60
    assert max(told) < 0.001
