import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.simulate import SimulateOptions
from corpusmill.simulate.simulation import Simulation
from corpusmill.simulate.wire import read_chat
from tests.simulate.harness import chat_body, http


def ask(simulation: Simulation, prompt: str, now: float, max_tokens: int = 100) -> str:
    """Ask and settle at once; gives the outcome."""
    reply = simulation.answer(read_chat(chat_body(prompt, max_tokens=max_tokens)), now, 0)
    simulation.settle(reply, now, delivered=True)
    return reply.outcome


@settings(max_examples=40, deadline=None)
@given(prompts=st.lists(st.integers(0, 12), min_size=1, max_size=80), pause=st.floats(0, 3))
def test_the_books_add_up(prompts: list[int], pause: float) -> None:
    faults = {"http_500": 0.1, "rate_limit": 0.1, "refusal": 0.1, "bad_request": 0.1, "quota": 0.05}
    simulation = Simulation(SimulateOptions(requests_per_minute=30, tokens_per_minute=3_000, faults=faults), 0.0)
    outcomes = Counter(ask(simulation, f"Yes or no: {prompt}", n * pause) for n, prompt in enumerate(prompts))
    stats = simulation.statement(len(prompts) * pause)
    assert stats["outcomes"] == dict(outcomes)
    assert stats["requests"] == len(prompts)
    refused = ("rate_limit", "rate_limited_requests", "rate_limited_tokens", "quota", "bad_request")
    assert stats["admitted"] == len(prompts) - sum(outcomes[name] for name in refused)
    assert stats["rate_limited"] == sum(outcomes[name] for name in refused[:-1])
    assert stats["in_flight"] == 0
    assert stats["tokens"]["used"] == stats["tokens"]["charged"] <= stats["tokens"]["reserved"]
    assert stats["prompts_seen"] <= len(set(prompts))


@pytest.mark.parametrize("used_up", [False, True])
def test_a_client_that_leaves_nothing_unused_reaches_a_utilisation_of_one(used_up: bool) -> None:
    simulation = Simulation(SimulateOptions(requests_per_minute=60, used_up=used_up), 0.0)
    for tick in range(3 * 600):
        ask(simulation, f"Yes or no: {tick}", tick / 10)
    stats = simulation.statement(180.0)
    assert stats["binding_limit"] == "requests"
    assert stats["limits"]["requests"]["utilisation"] == pytest.approx(1.0, abs=0.01)
    assert stats["admitted"] == pytest.approx(180 + (0 if used_up else 60), abs=1)
    by_minute = list(stats["limits"]["requests"]["by_minute"].values())
    assert by_minute == pytest.approx([1.0 if used_up else 2.0, 1.0, 1.0], abs=0.02)


def test_a_client_that_uses_half_of_its_limit_is_told_so() -> None:
    simulation = Simulation(SimulateOptions(requests_per_minute=60, tokens_per_minute=10**6), 0.0)
    for tick in range(60):
        assert ask(simulation, f"Yes or no: {tick}", tick * 2.0) == "ok"
    limits = simulation.statement(120.0)["limits"]
    assert limits["requests"]["utilisation"] == pytest.approx(0.5)
    assert limits["tokens"]["utilisation"] < 0.01


def test_a_client_that_leaves_before_its_answer_used_nothing_but_the_request() -> None:
    simulation = Simulation(SimulateOptions(requests_per_minute=60, tokens_per_minute=10_000), 0.0)
    reply = simulation.answer(read_chat(chat_body(max_tokens=500)), 0.0, 0)
    assert simulation.statement(0.0)["in_flight"] == 1
    simulation.settle(reply, 0.0, delivered=False)
    stats = simulation.statement(0.0)
    assert stats["outcomes"] == {"abandoned": 1}
    assert stats["tokens"]["charged"] == 0
    assert stats["limits"]["requests"]["level"] == 1
    assert stats["limits"]["tokens"]["level"] == 0


def test_what_a_prompt_meets_does_not_depend_on_the_429s_between() -> None:
    faults = {"http_500": 0.3, "http_503": 0.3}
    free = Simulation(SimulateOptions(faults=faults), 0.0)
    limited = Simulation(SimulateOptions(faults=faults, requests_per_minute=1), 0.0)
    unhindered = [ask(free, "Yes or no", float(second)) for second in range(20)]
    hindered = [ask(limited, "Yes or no", float(second)) for second in range(20 * 60)]
    assert [outcome for outcome in hindered if outcome != "rate_limited_requests"] == unhindered


def test_the_books_are_open_over_http() -> None:
    async def scenario() -> None:
        async with http(SimulateOptions(tokens_per_minute=100_000)) as client:
            for body in (chat_body(), chat_body("Go on."), b"{"):
                async with client.post("v1/chat/completions", data=body) as response:
                    await response.read()
            async with client.get("stats") as response:
                stats = await response.json()
        assert stats["outcomes"] == {"ok": 2, "invalid_request": 1}
        assert (stats["requests"], stats["admitted"], stats["prompts_seen"]) == (3, 2, 2)
        assert stats["binding_limit"] == "tokens"
        assert stats["limits"]["tokens"]["charged"] == stats["tokens"]["used"] > 0

    asyncio.run(scenario())
