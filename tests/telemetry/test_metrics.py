"""Events in, the text of a scrape out."""

import math
import shutil
import subprocess
from bisect import bisect_left
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from corpusmill.telemetry.events import (
    BudgetSpent,
    Event,
    HttpAnswered,
    JobEnded,
    JournalSynced,
    LoopLagged,
    ShardSealed,
)
from corpusmill.telemetry.metrics.catalogue import CATALOGUE, METRICS
from corpusmill.telemetry.metrics.counts import JOBS_MOST, MODELS_MOST, ROUTES_MOST, Counts
from corpusmill.telemetry.metrics.families import families
from corpusmill.telemetry.metrics.gauges import Gauges
from corpusmill.telemetry.metrics.histogram import Histogram
from corpusmill.telemetry.metrics.words import WORDS_MOST
from tests.deploy.installed import needs_prometheus
from tests.telemetry.samples import GAUGES, answered, decided, failed, started
from tests.telemetry.scraped import Series, series_in, text_of, value

MODEL = {"endpoint": "local", "model": "default"}

EVERY_EVENT: list[Event] = [
    started(),
    answered(),
    answered(finish_reason="a client's own word", cost_picodollars=None),
    failed(),
    answered(after="rate_limited"),
    failed(kind="timeout", cost_picodollars=None),
    decided(),
    decided("rejected", "min_chars"),
    decided("duplicate", "exact"),
    decided("failed", "timeout"),
    BudgetSpent("plots", 10, 40 * 10**10, 100, 10**12),
    JournalSynced("plots", 3, 1000, 0.004),
    ShardSealed("plots", "corpus", "00001.jsonl", 60, 10_000),
    HttpAnswered("/api/v1/jobs/{id}", "GET", 200, 0.002),
    LoopLagged(0.003),
]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def scrape(*events: Event, counts: Counts | None = None, gauges: Gauges = GAUGES) -> Series:
    counts = counts or Counts(["timeout", "rate_limited"])
    for event in events:
        counts(event)
    return series_in(text_of(families(counts, gauges, 1.7e9)))


def test_every_metric_of_the_catalogue_is_exposed_with_its_kind_help_and_labels_and_nothing_else() -> None:
    counts = Counts(["timeout"], clock := Clock())
    for event in EVERY_EVENT:
        clock.now += 1.5
        counts(event)
    told = {family.name: family for family in text_string_to_metric_families(text_of(families(counts, GAUGES, 1.7e9)))}
    assert set(told) == {metric.full_name.removesuffix("_total") for metric in CATALOGUE}
    for metric in CATALOGUE:
        family = told[metric.full_name.removesuffix("_total")]
        assert family.type == metric.kind
        assert family.documentation == metric.help
        assert family.samples, f"{metric.name} has no series"
        for sample in family.samples:
            assert not sample.name.endswith("_created")
            assert set(sample.labels) - {"le"} == set(metric.labels)


@needs_prometheus
def test_promtool_finds_nothing_to_complain_about() -> None:
    counts = Counts(["timeout"])
    for event in EVERY_EVENT:
        counts(event)
    done = subprocess.run(
        [shutil.which("promtool") or "promtool", "check", "metrics"],
        input=text_of(families(counts, GAUGES, 1.7e9)),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_labels_keep_off_the_scrapers_own_names() -> None:
    assert not {label for metric in CATALOGUE for label in metric.labels} & {"job", "instance", "type", "le"}


def test_calls_are_counted_once_whatever_becomes_of_them() -> None:
    series = scrape(answered(), failed(), answered(after="rate_limited"), failed(kind="timeout"))
    assert value(series, "llm_requests_total", **MODEL) == 4
    assert value(series, "llm_request_failures_total", **MODEL, reason="rate_limited") == 1
    assert value(series, "llm_request_failures_total", **MODEL, reason="timeout") == 1
    assert value(series, "llm_retries_total", **MODEL, reason="rate_limited") == 1
    assert value(series, "llm_retries_total", **MODEL, reason="timeout") == 0, "known reasons begin at 0"
    assert value(series, "llm_request_duration_seconds_count", **MODEL) == 2, "the time of answered calls alone"
    assert value(series, "ratelimit_wait_seconds_count", endpoint="local") == 4


def test_tokens_that_a_failed_call_was_billed_count() -> None:
    series = scrape(answered(), failed(kind="empty_choice", billed=(10, 4, 7, 2), cost_picodollars=5_000_000))
    assert value(series, "llm_tokens_total", **MODEL, direction="input") == 110
    assert value(series, "llm_tokens_total", **MODEL, direction="output") == 57
    assert value(series, "llm_cached_input_tokens_total", **MODEL) == 68
    assert value(series, "llm_reasoning_tokens_total", **MODEL) == 10
    assert value(series, "cost_usd_total", **MODEL) == 0.00006
    assert value(series, "maybe_billed_failures_total", **MODEL) == 0


def test_a_cost_that_nobody_knows_is_counted_and_never_taken_for_nothing() -> None:
    series = scrape(answered(cost_picodollars=None), failed(kind="timeout", cost_picodollars=None))
    assert value(series, "unpriced_requests_total", **MODEL) == 1
    assert value(series, "maybe_billed_failures_total", **MODEL) == 1
    assert value(series, "cost_usd_total", **MODEL) == 0


@given(st.lists(st.integers(0, 10**12), max_size=50))
def test_cost_is_the_exact_sum_however_small_the_parts(costs: list[int]) -> None:
    series = scrape(*(answered(cost_picodollars=cost) for cost in costs), answered(cost_picodollars=0))
    assert value(series, "cost_usd_total", **MODEL) == sum(costs) / 10**12


def test_records_are_lines_and_items_are_items() -> None:
    series = scrape(decided(records=3), decided("rejected", "min_chars"), decided("duplicate", "exact"))
    assert value(series, "records_total", outcome="kept") == 3
    assert value(series, "items_total", outcome="kept") == 1
    assert value(series, "records_total", outcome="rejected") == value(series, "items_total", outcome="rejected") == 1
    assert value(series, "rejected_total", reason="min_chars") == 1
    assert value(series, "rejected_total", reason="exact") is None, "a duplicate is no rejection"


@given(st.lists(st.floats(0, 1000), max_size=60))
def test_a_histogram_counts_as_its_definition_says(values: list[float]) -> None:
    histogram = Histogram(bounds := METRICS["llm_request_duration_seconds"].buckets)
    for each in values:
        histogram.observe(each)
    for place in range(len(bounds)):
        assert sum(histogram.counts[: place + 1]) == sum(each <= bounds[place] for each in values)
    assert sum(histogram.counts) == len(values)
    assert math.isclose(histogram.total, math.fsum(values), abs_tol=1e-9)


def test_buckets_reach_from_50_ms_to_10_minutes_and_are_at_most_a_factor_of_two_and_a_half_apart() -> None:
    bounds = METRICS["llm_request_duration_seconds"].buckets
    assert (bounds[0], bounds[-1]) == (0.05, 600)
    assert bisect_left(bounds, 600) == len(bounds) - 1
    assert all(high / low <= 2.5 for low, high in pairwise(bounds))


def test_a_job_tells_progress_and_time_left_and_is_forgotten_at_its_end() -> None:
    clock = Clock()
    counts = Counts(clock=clock)
    counts(started(done=20))
    for _ in range(30):
        clock.now += 2
        counts(decided("rejected", "min_chars"))
    series = scrape(counts=counts)
    assert value(series, "job_progress_ratio", job_id="plots") == 0.5
    assert value(series, "job_eta_seconds", job_id="plots") == 100
    series = scrape(JobEnded("plots", "finished", "", 60.0), counts=counts)
    assert not [name for name, _ in series if name.startswith("corpusmill_job_")]


def test_a_jobs_time_left_follows_its_present_rate() -> None:
    clock = Clock()
    counts = Counts(clock=clock)
    counts(started(items=1100))
    for _ in range(100):
        clock.now += 1
        counts(decided())
    for _ in range(200):
        clock.now += 10
        counts(decided())
    left = value(scrape(counts=counts), "job_eta_seconds", job_id="plots")
    assert left == 8000, "800 items at one in ten seconds, whatever was before"


def test_a_job_that_stands_still_takes_ever_longer() -> None:
    clock = Clock()
    counts = Counts(clock=clock)
    counts(started())
    clock.now += 10
    counts(decided())
    before = value(scrape(counts=counts), "job_eta_seconds", job_id="plots")
    clock.now += 100
    after = value(scrape(counts=counts), "job_eta_seconds", job_id="plots")
    assert before is not None
    assert after is not None
    assert after > 10 * before


def test_a_target_is_progress_towards_the_kept() -> None:
    counts = Counts()
    counts(started(items=None, done=50, kept=10, target=40))
    series = scrape(decided(), decided("rejected", "min_chars"), counts=counts)
    assert value(series, "job_progress_ratio", job_id="plots") == 11 / 40


def test_a_budget_is_told_in_dollars_and_as_the_share_that_is_nearer_to_its_end() -> None:
    series = scrape(started(), BudgetSpent("plots", 90, 25 * 10**10, 100, 10**12))
    assert value(series, "job_budget_remaining_usd", job_id="plots") == 0.75
    assert value(series, "job_budget_spent_ratio", job_id="plots") == 0.9
    series = scrape(started(), BudgetSpent("plots", 90, 25 * 10**10, 100, None))
    assert value(series, "job_budget_remaining_usd", job_id="plots") is None


def test_stages_tell_when_something_last_left_them_in_unix_time() -> None:
    clock = Clock()
    counts = Counts(clock=clock)
    counts(answered())
    counts(decided("rejected", "min_chars"))
    clock.now += 60
    series = scrape(counts=counts)
    assert value(series, "stage_last_item_timestamp_seconds", stage="call") == 1.7e9 - 60
    assert value(series, "stage_last_item_timestamp_seconds", stage="kept") is None
    assert value(series, "queue_depth", stage="limiter") == 3


def test_no_label_grows_without_bound() -> None:
    counts = Counts()
    for number in range(2000):
        word = f"word{number}"
        for event in (
            started(word),
            answered(endpoint=word, model=word),
            failed(kind=word, after=word),
            decided("rejected", word),
            decided("failed", word),
            HttpAnswered(word, word, number, 0.1),
            HttpAnswered("/", word, 200, 0.1),
        ):
            counts(event)
    series = scrape(counts=counts)
    per_name: dict[str, int] = {}
    for name, _ in series:
        per_name[name] = per_name.get(name, 0) + 1
    assert per_name["corpusmill_llm_requests_total"] <= MODELS_MOST + 1
    assert per_name["corpusmill_ratelimit_wait_seconds_count"] <= MODELS_MOST + 1
    assert per_name["corpusmill_llm_request_failures_total"] <= WORDS_MOST + 1
    assert per_name["corpusmill_rejected_total"] <= WORDS_MOST + 1
    assert per_name["corpusmill_job_progress_ratio"] <= JOBS_MOST
    assert per_name["corpusmill_http_requests_total"] <= ROUTES_MOST + 600
    assert value(series, "llm_requests_total", endpoint="other", model="other") == 2001 - MODELS_MOST
    assert value(series, "rejected_total", reason="other") == 2000 - WORDS_MOST
    assert not [labels for _, labels in series if ("method", "word7") in labels]


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_a_help_says_the_unit(metric: object) -> None:
    assert isinstance(metric, type(CATALOGUE[0]))
    units = {"_seconds": "econds", "_bytes": "ytes", "_ratio": "hare", "_usd": "dollars"}
    for suffix, word in units.items():
        if metric.name.removesuffix("_total").endswith(suffix) and "timestamp" not in metric.name:
            assert word in metric.help
    assert metric.help.endswith(".")
