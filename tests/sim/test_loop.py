"""The virtual-time loop keeps its promises: virtual clock, seeded order, deadlock found."""

import asyncio
import time

import pytest

from tests.sim.loop import DeadlockError, run_sim


async def trace(tasks: int) -> list[int]:
    order: list[int] = []

    async def step(number: int) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            order.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(tasks):
            group.create_task(step(number))
    return order


def test_a_virtual_day_passes_at_once() -> None:
    async def day() -> float:
        await asyncio.sleep(86400)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run_sim(day()) == pytest.approx(86400, abs=0.01)
    assert time.monotonic() - began < 1


def test_equal_seeds_replay_and_another_seed_differs() -> None:
    assert run_sim(trace(20), seed=1) == run_sim(trace(20), seed=1)
    assert run_sim(trace(20), seed=1) != run_sim(trace(20), seed=2)
    assert run_sim(trace(4), seed=None) == [0, 1, 2, 3] * 3


def test_a_program_that_can_never_go_on_is_an_error_that_names_the_seed() -> None:
    async def stuck() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(DeadlockError) as caught:
        run_sim(stuck(), seed=11)
    assert "replay with seed 11" in caught.value.__notes__


def test_an_overlong_program_ends_at_the_horizon() -> None:
    async def poll(passes: int) -> None:
        for _ in range(passes):
            await asyncio.sleep(1)

    with pytest.raises(DeadlockError):
        run_sim(poll(200), horizon_seconds=100)


def test_timeouts_and_task_groups_work_on_virtual_time() -> None:
    async def late() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.sleep(50)
        return asyncio.get_running_loop().time()

    assert run_sim(late()) == pytest.approx(5, abs=0.001)
