"""Counts events in plain numbers, to be read at a scrape.

Rules of this file: it is called for every event on the event loop, so a handler is a few additions: about a
microsecond, where a client library's locks cost several. Money is counted in pico-dollars. Everything is bounded:
models, words, jobs.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from corpusmill.telemetry.events import (
    BudgetSpent,
    CallAnswered,
    CallFailed,
    Event,
    HttpAnswered,
    ItemDecided,
    JobEnded,
    JobStarted,
    JournalSynced,
    LoopLagged,
    ShardSealed,
)
from corpusmill.telemetry.metrics.catalogue import METRICS
from corpusmill.telemetry.metrics.genai import GenAi
from corpusmill.telemetry.metrics.histogram import Histogram
from corpusmill.telemetry.metrics.job import JobCounts
from corpusmill.telemetry.metrics.words import OTHER, Words

OUTCOMES = ("kept", "rejected", "duplicate", "failed")
FINISH_REASONS = ("stop", "length", "content_filter", "tool_calls", OTHER)
FOLDERS = ("corpus", "rejects")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

MODELS_MOST = 100
"""Pairs of endpoint and model that are told apart."""

JOBS_MOST = 100
"""Active jobs that have series of their own."""

ROUTES_MOST = 1000
"""Combinations of route, method and code, of which a daemon has some dozens."""


class ModelCounts:
    """What is counted of one model at one endpoint."""

    __slots__ = (
        "cached_input_tokens", "cost_picodollars", "failures", "input_tokens", "maybe_billed", "output_tokens",
        "reasoning_tokens", "requests", "retries", "seconds", "unpriced",
    )  # fmt: skip

    def __init__(self, failure_reasons: Iterable[str]) -> None:
        self.requests = self.unpriced = self.maybe_billed = self.cost_picodollars = 0
        self.input_tokens = self.cached_input_tokens = self.output_tokens = self.reasoning_tokens = 0
        self.failures, self.retries = Words(failure_reasons), Words(failure_reasons)
        self.seconds = Histogram(METRICS["llm_request_duration_seconds"].buckets)


class Counts:
    """Takes events and counts them.

    Args:
        failure_reasons: all reasons for which a call can fail.
        clock: monotonic seconds.
        genai: counts calls under OpenTelemetry's names too, where that is asked for.
    """

    def __init__(
        self,
        failure_reasons: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
        genai: GenAi | None = None,
    ) -> None:
        self.genai = genai
        self._failure_reasons, self.clock = tuple(failure_reasons), clock
        self.models: dict[tuple[str, str], ModelCounts] = {}
        self.waits: dict[str, Histogram] = {}
        self.finish_reasons = Words(FINISH_REASONS)
        self.records, self.items = Words(OUTCOMES), Words(OUTCOMES)
        self.rejected, self.failed = Words(), Words(self._failure_reasons)
        self.shards = Words(FOLDERS)
        self.journal_bytes = 0
        self.journal_seconds = Histogram(METRICS["journal_sync_seconds"].buckets)
        self.lag_seconds = Histogram(METRICS["event_loop_lag_seconds"].buckets)
        self.http: dict[tuple[str, str, int], int] = {}
        self.http_seconds: dict[str, Histogram] = {}
        self.jobs: dict[str, JobCounts] = {}
        self.last: dict[str, float] = {}
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            CallAnswered: self._call_answered,
            CallFailed: self._call_failed,
            ItemDecided: self._item_decided,
            JournalSynced: self._journal_synced,
            ShardSealed: self._shard_sealed,
            BudgetSpent: self._budget_spent,
            JobStarted: self._job_started,
            JobEnded: self._job_ended,
            HttpAnswered: self._http_answered,
            LoopLagged: self._loop_lagged,
        }

    def __call__(self, event: Event) -> None:
        """Take an event."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def _call_answered(self, event: CallAnswered) -> None:
        counts = self._model(event)
        counts.requests += 1
        counts.input_tokens += event.input_tokens
        counts.cached_input_tokens += event.cached_input_tokens
        counts.output_tokens += event.output_tokens
        counts.reasoning_tokens += event.reasoning_tokens
        if event.cost_picodollars is None:
            counts.unpriced += 1
        else:
            counts.cost_picodollars += event.cost_picodollars
        counts.seconds.observe(event.seconds)
        self.finish_reasons.add(event.finish_reason if event.finish_reason in FINISH_REASONS else OTHER)
        self._call_back(event, counts)

    def _call_failed(self, event: CallFailed) -> None:
        counts = self._model(event)
        counts.requests += 1
        counts.failures.add(event.kind)
        if event.billed is not None:
            counts.input_tokens += event.billed[0]
            counts.cached_input_tokens += event.billed[1]
            counts.output_tokens += event.billed[2]
            counts.reasoning_tokens += event.billed[3]
        if event.cost_picodollars is None:
            counts.maybe_billed += 1
        else:
            counts.cost_picodollars += event.cost_picodollars
        self._call_back(event, counts)

    def _call_back(self, event: CallAnswered | CallFailed, counts: ModelCounts) -> None:
        if event.after:
            counts.retries.add(event.after)
        wait = self.waits.get(event.endpoint)
        if wait is None:
            wait = self.waits.setdefault(
                event.endpoint if len(self.waits) < MODELS_MOST else OTHER,
                Histogram(METRICS["ratelimit_wait_seconds"].buckets),
            )
        wait.observe(event.waited_seconds)
        self.last["call"] = self.clock()
        if self.genai is not None:
            self.genai.take(event)

    def _item_decided(self, event: ItemDecided) -> None:
        now = self.clock()
        outcome = event.outcome
        self.items.add(outcome)
        self.last["item"] = now
        if outcome == "kept":
            self.records.add(outcome, event.records)
            self.last["kept"] = now
        else:
            self.records.add(outcome)
            if outcome == "rejected":
                self.rejected.add(event.reason)
            elif outcome == "failed":
                self.failed.add(event.reason)
        job = self.jobs.get(event.job)
        if job is not None:
            job.decided(outcome, now)

    def _journal_synced(self, event: JournalSynced) -> None:
        self.journal_bytes += event.bytes
        self.journal_seconds.observe(event.seconds)
        self.last["journal"] = self.clock()

    def _shard_sealed(self, event: ShardSealed) -> None:
        self.shards.add(event.folder)
        self.last["shard"] = self.clock()

    def _job_started(self, event: JobStarted) -> None:
        if len(self.jobs) < JOBS_MOST or event.job in self.jobs:
            self.jobs[event.job] = JobCounts(event, self.clock())

    def _job_ended(self, event: JobEnded) -> None:
        self.jobs.pop(event.job, None)

    def _budget_spent(self, event: BudgetSpent) -> None:
        job = self.jobs.get(event.job)
        if job is not None:
            job.budget = event

    def _http_answered(self, event: HttpAnswered) -> None:
        key = (event.route, event.method if event.method in METHODS else OTHER, event.code)
        if key not in self.http and len(self.http) >= ROUTES_MOST:
            key = (OTHER, OTHER, event.code if event.code in range(100, 600) else 0)
        self.http[key] = self.http.get(key, 0) + 1
        route = key[0]
        if route not in self.http_seconds:
            self.http_seconds[route] = Histogram(METRICS["http_request_duration_seconds"].buckets)
        self.http_seconds[route].observe(event.seconds)

    def _loop_lagged(self, event: LoopLagged) -> None:
        self.lag_seconds.observe(event.seconds)

    def _model(self, event: CallAnswered | CallFailed) -> ModelCounts:
        key = (event.endpoint, event.model)
        counts = self.models.get(key)
        if counts is None:
            if len(self.models) >= MODELS_MOST:
                key = (OTHER, OTHER)
            counts = self.models.setdefault(key, ModelCounts(self._failure_reasons))
        return counts
