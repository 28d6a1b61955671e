"""From counts and gauges to the families of the Prometheus client library.

Rule of this file: everything is copied, quickly and on the event loop, so that another thread may format it.
"""

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.utils import floatToGoString

from corpusmill import __version__
from corpusmill.telemetry.metrics.catalogue import METRICS
from corpusmill.telemetry.metrics.counts import Counts, ModelCounts
from corpusmill.telemetry.metrics.gauges import Gauges
from corpusmill.telemetry.metrics.histogram import Histogram

PICODOLLARS_PER_USD = 10**12

STATES = ("queued", "running", "paused", "finished", "failed", "cancelled", "exhausted")
"""Of jobs; all are told, so that a graph of one begins at 0."""

Row = tuple[Sequence[str], float]


def families(counts: Counts, gauges: Gauges, unix_now: float) -> list[Family]:
    """Return everything as of now."""
    return [
        *_models(counts.models),
        *_histograms("ratelimit_wait_seconds", [((name,), each) for name, each in counts.waits.items()]),
        *_words("finish_reason_total", counts.finish_reasons),
        *_words("records_total", counts.records),
        *_words("items_total", counts.items),
        *_words("rejected_total", counts.rejected),
        *_words("failed_total", counts.failed),
        *_words("shards_sealed_total", counts.shards),
        _family("journal_bytes_written_total", [((), counts.journal_bytes)]),
        *_histograms("journal_sync_seconds", [((), counts.journal_seconds)]),
        *_histograms("event_loop_lag_seconds", [((), counts.lag_seconds)]),
        *_stages(counts, unix_now),
        *_jobs(counts),
        *_http(counts),
        *_gates(gauges),
        *(counts.genai.families() if counts.genai is not None else ()),
        _family("jobs", [((state,), gauges.jobs.get(state, 0)) for state in STATES]),
        _family("disk_free_bytes", [] if gauges.disk_free_bytes is None else [((), gauges.disk_free_bytes)]),
        _family("build_info", [((__version__, platform.python_version()), 1)]),
    ]


def _models(models: Mapping[tuple[str, str], ModelCounts]) -> Iterator[Family]:
    rows = sorted(models.items())
    yield _family("llm_requests_total", [(key, each.requests) for key, each in rows])
    yield _family("llm_request_failures_total", _by_reason((key, each.failures) for key, each in rows))
    yield _family("llm_retries_total", _by_reason((key, each.retries) for key, each in rows))
    yield from _histograms("llm_request_duration_seconds", [(key, each.seconds) for key, each in rows])
    inputs = [((*key, "input"), each.input_tokens) for key, each in rows]
    yield _family("llm_tokens_total", [*inputs, *(((*key, "output"), each.output_tokens) for key, each in rows)])
    yield _family("llm_cached_input_tokens_total", [(key, each.cached_input_tokens) for key, each in rows])
    yield _family("llm_reasoning_tokens_total", [(key, each.reasoning_tokens) for key, each in rows])
    yield _family("cost_usd_total", [(key, each.cost_picodollars / PICODOLLARS_PER_USD) for key, each in rows])
    yield _family("unpriced_requests_total", [(key, each.unpriced) for key, each in rows])
    yield _family("maybe_billed_failures_total", [(key, each.maybe_billed) for key, each in rows])


def _stages(counts: Counts, unix_now: float) -> Iterator[Family]:
    since = unix_now - counts.clock()
    yield _family("stage_last_item_timestamp_seconds", [((name,), at + since) for name, at in counts.last.items()])


def _jobs(counts: Counts) -> Iterator[Family]:
    now, jobs = counts.clock(), counts.jobs.items()
    remaining = [(name, job.budget_remaining_picodollars) for name, job in jobs]
    yield _told("job_progress_ratio", [(name, job.progress) for name, job in jobs])
    yield _told("job_eta_seconds", [(name, job.eta_seconds(now)) for name, job in jobs])
    yield _told("job_budget_spent_ratio", [(name, job.budget_spent_ratio) for name, job in jobs])
    yield _family(
        "job_budget_remaining_usd",
        [((name,), amount / PICODOLLARS_PER_USD) for name, amount in remaining if amount is not None],
    )


def _http(counts: Counts) -> Iterator[Family]:
    rows = [((route, method, str(code)), count) for (route, method, code), count in counts.http.items()]
    yield _family("http_requests_total", rows)
    yield from _histograms(
        "http_request_duration_seconds", [((route,), each) for route, each in counts.http_seconds.items()]
    )


def _gates(gauges: Gauges) -> Iterator[Family]:
    gates = gauges.gates
    buckets = [((gate.endpoint, name), bucket) for gate in gates for name, bucket in gate.buckets.items()]
    yield _family("ratelimit_capacity", [(key, capacity) for key, (capacity, _) in buckets])
    yield _family("ratelimit_remaining", [(key, remaining) for key, (_, remaining) in buckets])
    yield _family("concurrency_limit", [((gate.endpoint,), gate.concurrency_limit) for gate in gates])
    yield _family("requests_in_flight", [((gate.endpoint,), gate.in_flight) for gate in gates])
    yield _family("breaker_open", [((gate.endpoint,), int(gate.breaker_open)) for gate in gates])
    estimates = gauges.estimates
    yield _family("estimate_error_ratio", [((each.model,), each.error_ratio) for each in estimates])
    yield _family("estimate_bias_ratio", [((each.model,), each.bias_ratio) for each in estimates])
    depths = {
        "limiter": sum(gate.waiting for gate in gates),
        "call": sum(gate.in_flight for gate in gates),
        "item": gauges.items_out,
        "journal": gauges.unsynced,
    }
    yield _family("queue_depth", [((stage,), depth) for stage, depth in depths.items()])


def _words(name: str, words: Mapping[str, int]) -> Iterator[Family]:
    yield _family(name, [((word,), count) for word, count in words.items()])


def _told(name: str, rows: Iterable[tuple[str, float | None]]) -> Family:
    return _family(name, [((label,), value) for label, value in rows if value is not None])


def _by_reason(rows: Iterable[tuple[tuple[str, str], Mapping[str, int]]]) -> list[Row]:
    return [((*key, reason), count) for key, words in rows for reason, count in words.items()]


def _family(name: str, rows: Iterable[Row]) -> Family:
    metric = METRICS[name]
    make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = make(metric.full_name, metric.help, labels=metric.labels)
    for labels, value in rows:
        family.add_metric(labels, value)
    return family


def _histograms(name: str, rows: Iterable[tuple[Sequence[str], Histogram]]) -> Iterator[Family]:
    metric = METRICS[name]
    bounds = [*map(floatToGoString, metric.buckets), "+Inf"]
    family = HistogramMetricFamily(metric.full_name, metric.help, labels=metric.labels)
    for labels, histogram in rows:
        family.add_metric(labels, list(zip(bounds, accumulate(histogram.counts), strict=True)), histogram.total)
    yield family
