"""Tickets on a virtual-time loop: pace, order, cancellation, pauses, outages, and what is never lost."""

import asyncio
import itertools
import random

import pytest
import uvloop

from corpusmill.engine.tickets import Ticket, Tickets
from corpusmill.limits.charge import Charge, Limits
from corpusmill.limits.claim import Refusal, RefusalKind, SettledTwiceError
from corpusmill.limits.gate import Gate
from tests.sim.loop import run_sim

SMALL = Charge(input_tokens=10, output_tokens=10)


def make(**limits: float) -> Tickets:
    gate: Gate[Ticket] = Gate(Limits(**limits), random.Random(0), asyncio.get_running_loop().time())  # type: ignore[arg-type] # names checked by msgspec at run time
    return Tickets(gate)


async def send(tickets: Tickets, job: str, times: list[float], latency_seconds: float = 0.5) -> None:
    async with tickets.ticket(job, SMALL) as ticket:
        times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(latency_seconds)
        ticket.answered(10, 10)


def test_without_limits_everything_passes_once_the_first_is_answered() -> None:
    async def scenario() -> list[float]:
        tickets, times = make(), list[float]()
        async with asyncio.TaskGroup() as group:
            for _ in range(60):
                group.create_task(send(tickets, "a", times))
        return times

    assert sorted(run_sim(scenario()))[1:] == [pytest.approx(0.5, abs=0.01)] * 59, "all follow the first one's answer"


def test_a_minute_at_600_requests_per_minute_passes_597_without_a_burst() -> None:
    async def scenario() -> list[float]:
        tickets, times = make(requests_per_minute=600), list[float]()
        async with asyncio.TaskGroup() as group:
            for _ in range(620):
                group.create_task(send(tickets, "a", times))
        return [time for time in times if time < 60.5]

    times = run_sim(scenario())
    opened = [time for time in times if time >= 0.5]
    assert times[0] < 0.01
    assert len(times) - len(opened) == 1, "only the probe passes before it is answered"
    assert 595 <= len(opened) <= 598
    assert max(b - a for a, b in itertools.pairwise(opened)) == pytest.approx(6 / 59.7, rel=0.01)


def test_a_width_holds_the_rest_back_until_one_is_settled() -> None:
    async def scenario() -> list[float]:
        tickets, times = make(concurrency=2), list[float]()
        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(send(tickets, "a", times))
        return times

    assert [round(time, 1) for time in run_sim(scenario())] == [0, 0.5, 0.5, 1, 1, 1.5]


def test_a_cancelled_waiter_costs_nothing_and_the_next_one_goes_on() -> None:
    async def scenario() -> tuple[list[float], int]:
        tickets, times = make(concurrency=1), list[float]()
        async with asyncio.TaskGroup() as group:
            group.create_task(send(tickets, "a", times))
            await asyncio.sleep(0.1)
            waiting = [group.create_task(send(tickets, "a", times)) for _ in range(3)]
            await asyncio.sleep(0.1)
            waiting[0].cancel()
        return times, tickets.statistics().queue_depth

    times, depth = run_sim(scenario())
    assert [round(time, 1) for time in times] == [0, 0.5, 1]
    assert depth == 0


@pytest.mark.parametrize("seed", range(10))
def test_a_waiter_cancelled_at_the_moment_of_its_grant_passes_it_on(seed: int) -> None:
    async def scenario() -> int:
        tickets, times = make(concurrency=1), list[float]()
        async with asyncio.TaskGroup() as group:
            first = tickets.ticket("a", SMALL)
            async with first:
                waiting = [group.create_task(send(tickets, "a", times)) for _ in range(3)]
                await asyncio.sleep(0.1)
                first.answered(10, 10)
                waiting[0].cancel()
        assert tickets.statistics().in_flight == 0
        return len(times)

    assert run_sim(scenario(), seed) == 2


def test_a_refusal_pauses_everybody_for_as_long_as_the_server_asks() -> None:
    async def scenario() -> list[float]:
        tickets, times = make(requests_per_minute=6000), list[float]()
        async with tickets.ticket("a", SMALL) as ticket:
            ticket.refused(Refusal(RefusalKind.RATE, 7.0))
        assert tickets.statistics().paused_seconds == pytest.approx(7, abs=0.01)
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(send(tickets, "a", times))
        return times

    times = run_sim(scenario())
    assert min(times) >= 7.0
    assert max(times) - min(times) > 0.15, "the queue drains at the rate and not as a herd"


def test_limits_raised_while_waiting_hold_at_once() -> None:
    async def scenario() -> list[float]:
        tickets, times = make(requests_per_minute=1), list[float]()
        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(send(tickets, "a", times, latency_seconds=0.01))
            await asyncio.sleep(5)
            tickets.rerate(Limits(requests_per_minute=60_000))
        return times

    times = run_sim(scenario())
    assert len(times) == 10
    assert max(times) < 5.1


def test_a_ticket_left_without_an_outcome_keeps_its_charge() -> None:
    async def scenario() -> tuple[float, float]:
        tickets = make(tokens_per_day=1000)
        async with tickets.ticket("a", Charge(100, 100)):
            pass
        lost = tickets.statistics().buckets[0].remaining
        async with tickets.ticket("a", Charge(100, 100)) as ticket:
            ticket.answered(30, 20)
        return lost, tickets.statistics().buckets[0].remaining

    lost, settled = run_sim(scenario())
    assert lost == pytest.approx(800, abs=0.1)
    assert settled == pytest.approx(750, abs=0.1)


def test_a_second_outcome_is_an_error() -> None:
    async def scenario() -> None:
        async with make().ticket("a", SMALL) as ticket:
            ticket.answered(1, 1)
            ticket.failed()

    with pytest.raises(SettledTwiceError):
        run_sim(scenario())


def test_a_retry_goes_before_the_others_of_its_job() -> None:
    async def scenario() -> list[str]:
        tickets, order = make(concurrency=1), list[str]()

        async def take(name: str, first: bool) -> None:
            async with tickets.ticket("a", SMALL, first=first) as ticket:
                order.append(name)
                ticket.answered(1, 1)

        async with asyncio.TaskGroup() as group, tickets.ticket("a", SMALL) as ticket:
            for name in "xyz":
                group.create_task(take(name, first=False))
                await asyncio.sleep(0.01)
            group.create_task(take("retry", first=True))
            await asyncio.sleep(0.01)
            ticket.answered(1, 1)
        return order

    assert run_sim(scenario()) == ["retry", "x", "y", "z"]


@pytest.mark.parametrize("seed", range(3))
def test_an_outage_of_a_minute_loses_nothing_and_wastes_at_most_thirty_requests(seed: int) -> None:
    async def scenario() -> tuple[int, int, float]:
        tickets, loop = make(requests_per_minute=3000), asyncio.get_running_loop()
        done = wasted = 0

        async def carry() -> None:
            nonlocal done, wasted
            while True:
                async with tickets.ticket("a", SMALL) as ticket:
                    await asyncio.sleep(0.02)
                    if 10 <= loop.time() < 70:
                        wasted += 1
                        ticket.failed()
                        continue
                    await asyncio.sleep(2)
                    ticket.answered(10, 10)
                    done += 1
                    return

        async with asyncio.TaskGroup() as group:
            for _ in range(2000):
                group.create_task(carry())
        return done, wasted, loop.time()

    done, wasted, seconds = run_sim(scenario(), seed)
    assert done == 2000
    assert 10 <= wasted <= 30
    assert seconds < 70 + 60 + 40 + 30


def test_on_uvloop_the_rate_is_kept_and_nobody_is_forgotten() -> None:
    async def scenario() -> float:
        tickets, times = make(requests_per_minute=60_000), list[float]()
        async with asyncio.TaskGroup() as group:
            for _ in range(500):
                group.create_task(send(tickets, "a", times, latency_seconds=0.0))
        return max(times) - min(times)

    assert 0.4 < uvloop.run(scenario()) < 3.0


def test_a_small_job_that_comes_late_has_its_turn_beside_a_large_early_one() -> None:
    async def scenario() -> tuple[float, float]:
        tickets, large, small = make(requests_per_minute=6000), list[float](), list[float]()
        async with asyncio.TaskGroup() as group:
            for _ in range(3000):
                group.create_task(send(tickets, "large", large))
            await asyncio.sleep(10)
            for _ in range(100):
                group.create_task(send(tickets, "small", small))
        return max(small), max(large)

    small_done, large_done = run_sim(scenario(), seed=None)
    assert small_done < 10 + 2 * 100 / 99 + 0.5, "half of the rate is its own"
    assert large_done == pytest.approx(31, abs=1.5), "and nothing of the rate is lost"


def test_a_job_of_a_higher_class_goes_first() -> None:
    async def scenario() -> float:
        tickets, bulk, canary = make(requests_per_minute=6000), list[float](), list[float]()
        tickets.jobs.share("canary", priority=-1)
        async with asyncio.TaskGroup() as group:
            for _ in range(500):
                group.create_task(send(tickets, "bulk", bulk))
            await asyncio.sleep(2)
            for _ in range(50):
                group.create_task(send(tickets, "canary", canary))
        return max(canary)

    assert run_sim(scenario(), seed=None) < 2 + 50 / 99 + 0.1


def test_a_storm_of_cancellations_leaves_nothing_behind_and_holds_nobody_up() -> None:
    async def scenario() -> tuple[int, int, float]:
        tickets, times, loop = make(requests_per_minute=6000), list[float](), asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                doomed = [group.create_task(send(tickets, "doomed", list[float]())) for _ in range(500)]
                await asyncio.sleep(0.1)
                for task in doomed:
                    task.cancel()
            began = loop.time()
            for _ in range(100):
                group.create_task(send(tickets, "kept", times))
        left = tickets.statistics()
        return left.queue_depth, left.in_flight, max(times) - began

    depth, in_flight, seconds = run_sim(scenario())
    assert (depth, in_flight) == (0, 0)
    assert seconds < 0.5 + 1.0 + 0.1, "the first answer, and then the rate"


def test_at_a_low_rate_a_wake_up_lets_several_through_and_none_of_the_rate_is_lost() -> None:
    async def scenario() -> list[float]:
        tickets, times = make(requests_per_minute=12_000), list[float]()
        async with asyncio.TaskGroup() as group:
            for _ in range(2001):
                group.create_task(send(tickets, "a", times, latency_seconds=60))
        return sorted(times)

    times = run_sim(scenario())
    assert times[-1] == pytest.approx(2 + 2000 / (200 * 0.995), rel=0.01)
    moments = len({round(time, 4) for time in times})
    assert moments < 0.5 * len(times), "one timer for each would be as many moments as grants"
    for first, last in zip(times[1:], times[52:], strict=False):
        assert last - first >= 51 / (200 * 0.995) - 0.25 - 1e-6, "nowhere more than the burst"
