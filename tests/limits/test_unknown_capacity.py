"""A server that says nothing about limits: its metrics are read, or the width is found by what it delivers."""

import pytest

from benchmarks.limits.batch import run_batch_row
from corpusmill.limits.server_load import ServerLoad, parse_load, width_for
from tests.sim.loop import run_sim

VLLM = """# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 250.0
vllm:num_requests_running{engine="1",model_name="m"} 6.0
vllm:num_requests_waiting{engine="0",model_name="m"} 12.0
vllm:num_preemptions_total{engine="0",model_name="m"} 3.0
process_cpu_seconds_total 12.5
"""


def test_the_metrics_of_vllm_are_added_up_over_its_engines() -> None:
    assert parse_load(VLLM) == ServerLoad(256.0, 12.0, 3.0)


@pytest.mark.parametrize("text", ["", "<html>not found</html>", "process_cpu_seconds_total 1\n", VLLM[:200]])
def test_text_without_both_figures_says_nothing(text: str) -> None:
    assert parse_load(text) is None


def test_the_width_grows_while_nothing_waits_and_follows_what_runs_when_much_does() -> None:
    assert width_for(64, ServerLoad(64, 0), 0, in_flight=64) == 81
    assert width_for(256, ServerLoad(250, 3), 0, in_flight=256) == pytest.approx(256 * 1.05 + 1)
    assert width_for(270, ServerLoad(256, 14), 0, in_flight=270) == 270
    assert width_for(900, ServerLoad(256, 644), 0, in_flight=900) == pytest.approx(256 * 1.08)
    assert width_for(64, ServerLoad(10, 0), 0, in_flight=10) == 64, "an unused width says nothing"
    assert width_for(100, ServerLoad(100, 0), preempted=5, in_flight=100) == pytest.approx(93)


@pytest.mark.parametrize("name", ["metrics", "search"])
def test_the_gate_finds_the_width_that_keeps_the_server_full(name: str) -> None:
    best = run_sim(run_batch_row("fixed", 1, 200.0, width=256), seed=None)
    found = run_sim(run_batch_row(name, 1, 200.0), seed=None)
    assert found.tokens_per_second >= 0.95 * best.tokens_per_second
    assert found.waiting <= (26 if name == "metrics" else 128)


def test_refusals_for_lack_of_capacity_narrow_the_width() -> None:
    row = run_sim(run_batch_row("fixed", 1, 200.0, width=1000, queue_most=300), seed=None)
    assert row.refused <= 1000, "nearly half of that in the first flight of a thousand"
    assert row.tokens_per_second > 8200
