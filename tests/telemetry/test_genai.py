"""OpenTelemetry's names beside ours."""

import subprocess
from typing import Literal

import pytest

from corpusmill.telemetry.metrics.counts import Counts
from corpusmill.telemetry.metrics.families import families
from corpusmill.telemetry.metrics.gauges import Gauges
from corpusmill.telemetry.metrics.genai import ROWS_MOST, GenAi
from tests.deploy.installed import needs_prometheus
from tests.telemetry.samples import answered, failed
from tests.telemetry.scraped import Series, series_in, text_of

CALLS = {"gen_ai_operation_name": "chat", "gen_ai_provider_name": "local", "gen_ai_request_model": "some-model-2"}


def text(names: Literal["v1.41", "latest"] | None) -> str:
    counts = Counts(genai=GenAi(names) if names else None)
    for event in (answered(), answered(seconds=100.0), failed(), failed(kind="empty_choice", billed=(10, 4, 7, 2))):
        counts(event)
    return text_of(families(counts, Gauges(), 0.0))


def at(series: Series, name: str, **labels: str) -> float:
    return series[f"gen_ai_client_{name}", frozenset({**CALLS, **labels}.items())]


def test_off_there_is_none_of_them() -> None:
    assert "gen_ai" not in text(None)


def test_the_names_that_most_programs_emit() -> None:
    series = series_in(text("v1.41"))
    assert at(series, "operation_duration_seconds_count", error_type="") == 2
    assert at(series, "operation_duration_seconds_count", error_type="rate_limited") == 1
    assert at(series, "operation_duration_seconds_bucket", error_type="", le="81.92") == 1
    assert at(series, "token_usage_sum", gen_ai_token_type="input") == 210
    assert at(series, "token_usage_count", gen_ai_token_type="output") == 3, "a call without usage is not told"
    assert not [name for name, _ in series if "inference" in name]


def test_the_names_that_replaced_them() -> None:
    series = series_in(text("latest"))
    assert at(series, "inference_duration_seconds_count", error_type="empty_choice") == 1
    told = {
        name: at(series, f"inference_usage_{name}_total", gen_ai_token_modality="unknown")
        for name in ("input_tokens", "cache_read_input_tokens", "output_tokens", "reasoning_output_tokens")
    }
    assert list(told.values()) == [210, 132, 107, 18]
    assert at(series, "inference_operation_input_tokens_count") == 3, "a call without usage is not told"
    assert at(series, "inference_operation_output_tokens_sum") == 107
    assert at(series, "inference_operation_output_tokens_bucket", le="16.0") == 1
    assert not [name for name, _ in series if "operation_duration" in name or "token_usage" in name]


def test_they_are_bounded() -> None:
    counts = Counts(genai=GenAi("v1.41"))
    for number in range(2 * ROWS_MOST):
        counts(answered(upstream=f"m{number}"))
    series = series_in(text_of(families(counts, Gauges(), 0.0)))
    assert sum(name == "gen_ai_client_operation_duration_seconds_count" for name, _ in series) == ROWS_MOST


@needs_prometheus
@pytest.mark.parametrize("names", ["v1.41", "latest"])
def test_promtool_is_content(names: Literal["v1.41", "latest"]) -> None:
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text(names), capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
