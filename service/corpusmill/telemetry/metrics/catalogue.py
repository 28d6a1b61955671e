"""Every metric of this program: its name, kind, labels and meaning.

Rules of this file: names, dashboards, alerts and docs are checked against it. A label's values are a closed set, or the
names that the operator gave, and bounded in number; a client's string is never one, `job` and `instance` belong to the
scraper.
"""

from typing import Literal

import msgspec

Kind = Literal["counter", "gauge", "histogram"]

PREFIX = "corpusmill_"

CALL_SECONDS = (
    0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600,
)  # fmt: skip
"""Finer than OpenTelemetry's powers of two, whose 95th percentile can be wrong by half."""

WAIT_SECONDS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)
SYNC_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
LAG_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
HTTP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metric(msgspec.Struct, frozen=True):
    """One metric.

    Attributes:
        name: without the program's prefix.
        help: meaning and unit, one line.
        labels: in the order in which values are given.
        buckets: upper bounds of a histogram.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def full_name(self) -> str:
        """The name as it is exposed."""
        return PREFIX + self.name


MODEL = ("endpoint", "model")

CATALOGUE = (
    Metric("llm_requests_total", "counter", "Calls that came back from the endpoint, answered or failed.", MODEL),
    Metric("llm_request_failures_total", "counter", "Calls that brought no completion, by reason.", (*MODEL, "reason")),
    Metric(
        "llm_retries_total",
        "counter",
        "Calls that repeated a failed one, by the reason of that failure.",
        (*MODEL, "reason"),
    ),
    Metric(
        "llm_request_duration_seconds",
        "histogram",
        "Seconds from sending an answered call to the last byte of its answer.",
        MODEL,
        CALL_SECONDS,
    ),
    Metric(
        "llm_tokens_total",
        "counter",
        "Tokens that the endpoint reported, by direction: input (cached ones included) or output (reasoning included).",
        (*MODEL, "direction"),
    ),
    Metric("llm_cached_input_tokens_total", "counter", "Input tokens that the endpoint read from its cache.", MODEL),
    Metric("llm_reasoning_tokens_total", "counter", "Output tokens that were spent on reasoning.", MODEL),
    Metric("cost_usd_total", "counter", "US dollars that calls cost, as far as that is known.", MODEL),
    Metric("unpriced_requests_total", "counter", "Answered calls whose cost is unknown: no price, or no usage.", MODEL),
    Metric(
        "maybe_billed_failures_total",
        "counter",
        "Failed calls that the provider may have billed without telling: outages after the request was sent.",
        MODEL,
    ),
    Metric("finish_reason_total", "counter", "Answered calls by why their first choice ended.", ("reason",)),
    Metric(
        "ratelimit_wait_seconds",
        "histogram",
        "Seconds that a call waited for the endpoint's limits before it was sent.",
        ("endpoint",),
        WAIT_SECONDS,
    ),
    Metric(
        "ratelimit_capacity",
        "gauge",
        "What a limit allows in its period, by bucket: requests or tokens, per minute or day.",
        ("endpoint", "bucket"),
    ),
    Metric(
        "ratelimit_remaining",
        "gauge",
        "What could be charged to a limit at once, in requests or tokens.",
        ("endpoint", "bucket"),
    ),
    Metric("concurrency_limit", "gauge", "How many calls may be in flight at present.", ("endpoint",)),
    Metric("requests_in_flight", "gauge", "Calls that are in flight.", ("endpoint",)),
    Metric(
        "breaker_open",
        "gauge",
        "1 while the circuit breaker takes the endpoint to be down, else 0.",
        ("endpoint",),
    ),
    Metric(
        "estimate_error_ratio",
        "gauge",
        "How far the tokens of recent calls were from what the limiter expected, as a share of them, in the mean.",
        ("model",),
    ),
    Metric(
        "estimate_bias_ratio",
        "gauge",
        "The same share with its sign: above 0 the limiter expects too much, below 0 too little.",
        ("model",),
    ),
    Metric(
        "records_total",
        "counter",
        "Lines made, by outcome: of the corpus for kept items, of the rejects for all others.",
        ("outcome",),
    ),
    Metric("items_total", "counter", "Items that have their outcome.", ("outcome",)),
    Metric("rejected_total", "counter", "Rejected items, by the filter that rejected them.", ("reason",)),
    Metric("failed_total", "counter", "Failed items, by what made them fail.", ("reason",)),
    Metric(
        "queue_depth",
        "gauge",
        "What is at a stage: limiter (calls waiting), call (in flight), item (being carried), journal (not durable).",
        ("stage",),
    ),
    Metric(
        "stage_last_item_timestamp_seconds",
        "gauge",
        "Unix time at which something last left a stage: call, item, kept, journal or shard.",
        ("stage",),
    ),
    Metric("journal_bytes_written_total", "counter", "Bytes of journal lines made durable, before compression."),
    Metric("journal_sync_seconds", "histogram", "Seconds to make one block of the journal durable.", (), SYNC_SECONDS),
    Metric("shards_sealed_total", "counter", "Shards completed, checksummed and in the manifest.", ("folder",)),
    Metric("disk_free_bytes", "gauge", "Bytes free on the disk of the data directory."),
    Metric(
        "event_loop_lag_seconds",
        "histogram",
        "Seconds by which the event loop ran a timer too late, measured once a second.",
        (),
        LAG_SECONDS,
    ),
    Metric("jobs", "gauge", "Jobs, by state.", ("state",)),
    Metric("job_progress_ratio", "gauge", "Share of an active job that is done, where its size is known.", ("job_id",)),
    Metric("job_eta_seconds", "gauge", "Seconds to the end of an active job at its present rate.", ("job_id",)),
    Metric(
        "job_budget_remaining_usd",
        "gauge",
        "US dollars left of an active job's budget, to a hundredth of it.",
        ("job_id",),
    ),
    Metric(
        "job_budget_spent_ratio",
        "gauge",
        "Share of an active job's budget that is spent, of calls or dollars whichever is more.",
        ("job_id",),
    ),
    Metric("http_requests_total", "counter", "Requests that the daemon answered.", ("route", "method", "code")),
    Metric(
        "http_request_duration_seconds",
        "histogram",
        "Seconds from a request's arrival at the daemon to the end of its answer.",
        ("route",),
        HTTP_SECONDS,
    ),
    Metric("build_info", "gauge", "1, with the version of the program and of Python.", ("version", "python")),
)

METRICS = {metric.name: metric for metric in CATALOGUE}
