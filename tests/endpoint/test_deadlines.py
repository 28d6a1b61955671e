"""One timer keeps all deadlines as one timer each would."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.endpoint.deadlines import Deadlines
from tests.sim.loop import run_sim

FIRST = 1.0


async def kept(deadlines: Deadlines, ends_at: float, seconds: float) -> float:
    """Sleep, with a deadline; return when that was over. TimeoutError and CancelledError come through."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    deadlines.begin(task, ends_at)
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        deadlines.check(task)
        raise
    finally:
        deadlines.end(task)
    return loop.time()


async def told(deadlines: Deadlines, begins_at: float, allowed: float, needed: float) -> tuple[str, float]:
    """What came of one task, and when."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(begins_at - loop.time())
    try:
        await kept(deadlines, loop.time() + allowed, needed)
    except TimeoutError:
        return "late", loop.time()
    return "in time", loop.time()


SECONDS = st.integers(0, 40).map(lambda tenths: FIRST + tenths / 10)


@settings(max_examples=60, deadline=None)
@given(plans=st.lists(st.tuples(SECONDS, SECONDS, SECONDS), min_size=1, max_size=12), seed=st.integers(0, 99))
def test_each_ends_when_it_is_done_or_late_whatever_the_others_do(
    plans: list[tuple[float, float, float]], seed: int
) -> None:
    async def main() -> list[tuple[str, float]]:
        deadlines = Deadlines()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(told(deadlines, *plan)) for plan in plans]
        return [task.result() for task in tasks]

    for (begins_at, allowed, needed), (what, at) in zip(plans, run_sim(main(), seed), strict=True):
        if needed != allowed:
            assert what == ("late" if needed > allowed else "in time")
        assert at == pytest.approx(begins_at + min(allowed, needed), abs=0.01)


def test_without_anybody_waiting_there_is_no_timer() -> None:
    async def main() -> None:
        deadlines, loop = Deadlines(), asyncio.get_running_loop()
        for _ in range(2):
            async with asyncio.TaskGroup() as group:
                for seconds in (1, 2, 3):
                    group.create_task(kept(deadlines, loop.time() + 600, seconds))
            await asyncio.sleep(0.1)
            assert not [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined] # asyncio's own

    run_sim(main())


def test_who_is_cancelled_by_others_too_is_cancelled_and_not_late() -> None:
    async def main() -> None:
        deadlines, loop = Deadlines(), asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(kept(deadlines, 5.0, 60.0))
            loop.call_at(5.0, task.cancel)
        assert task.cancelled()
        assert loop.time() == pytest.approx(5.0, abs=0.01)

    for seed in range(10):
        run_sim(main(), seed)


def test_a_task_that_was_late_can_wait_again() -> None:
    async def main() -> None:
        deadlines, loop = Deadlines(), asyncio.get_running_loop()
        with pytest.raises(TimeoutError):
            await kept(deadlines, 1.0, 60.0)
        assert await kept(deadlines, 100.0, 3.0) == pytest.approx(4.0, abs=0.01)
        with pytest.raises(TimeoutError):
            await kept(deadlines, 5.0, 60.0)
        async with asyncio.timeout(1):
            with pytest.raises(TimeoutError):
                await kept(deadlines, loop.time() + 0.5, 60.0)

    run_sim(main())


def test_a_deadline_inside_a_timeout_leaves_the_timeout_its_own() -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await kept(Deadlines(), 50.0, 60.0)
        assert asyncio.get_running_loop().time() == pytest.approx(1.0, abs=0.01)

    run_sim(main())
