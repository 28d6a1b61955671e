"""Events as OpenTelemetry spans, one for each call, sent in batches to an OTLP/HTTP receiver by a thread of their own.

Rules of this file: only whoever asks for spans imports it, as its libraries come with the extra `otlp`. What waits is
bounded, and what does not fit is dropped and counted: spans never hold up a call. Names are those of the semantic
conventions for generative AI 1.41; what they have no name for begins with `corpusmill.`. A failure's message stays out,
as a provider may quote the prompt in it.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from corpusmill import __version__
from corpusmill.telemetry.events import Call, CallAnswered, CallFailed, Event
from corpusmill.telemetry.metrics.genai import OPERATIONS

PATH = "/v1/traces"
"""Where a receiver takes traces, below its base URL."""

QUEUE_MOST = 8192
BATCH_MOST = 512
DELAY_MILLIS = 1000
EXPORT_SECONDS = 5.0
"""How long a batch is tried; a receiver that is down holds up the end of a run for as long, a few times."""

Attributes = dict[str, str | int | float | Sequence[str]]


class Spans:
    """Turns calls into spans.

    Args:
        tracer: takes them.
        wall_clock: nanoseconds since the epoch.

    Attributes:
        taken: spans made, but for those that were not to be sampled.
    """

    def __init__(self, tracer: Tracer, wall_clock: Callable[[], int] = time.time_ns) -> None:
        self._tracer, self._wall_clock = tracer, wall_clock
        self.taken = 0

    def __call__(self, event: Event) -> None:
        """Take an event; it is told the moment that its call is over, so the span ends now."""
        if not isinstance(event, CallAnswered | CallFailed):
            return
        ended = self._wall_clock()
        operation = OPERATIONS.get(event.api, event.api)
        span = self._tracer.start_span(
            f"{operation} {event.upstream}",
            Context(),
            SpanKind.CLIENT,
            _attributes(event, operation),
            start_time=ended - int(event.seconds * 1e9),
        )
        self.taken += span.is_recording()
        if isinstance(event, CallFailed):
            span.set_status(Status(StatusCode.ERROR, event.kind))
        span.end(ended)


def _attributes(event: CallAnswered | CallFailed, operation: str) -> Attributes:
    found = _shared(event, operation)
    if isinstance(event, CallAnswered):
        usage = (event.input_tokens, event.cached_input_tokens, event.output_tokens, event.reasoning_tokens)
        found["gen_ai.response.finish_reasons"] = (event.finish_reason,)
    else:
        usage = event.billed or (0, 0, 0, 0)
        found["error.type"] = event.kind
        if event.status is not None:
            found["http.response.status_code"] = event.status
    if any(usage):
        names = ("input_tokens", "cache_read.input_tokens", "output_tokens", "reasoning.output_tokens")
        found |= {f"gen_ai.usage.{name}": count for name, count in zip(names, usage, strict=True)}
    if event.cost_picodollars is not None:
        found["corpusmill.cost_picodollars"] = event.cost_picodollars
    return found


def _shared(event: Call, operation: str) -> Attributes:
    found: Attributes = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": event.endpoint,
        "gen_ai.request.model": event.upstream,
        "corpusmill.job": event.job,
        "corpusmill.model": event.model,
        "corpusmill.step": event.step,
        "corpusmill.item": event.index,
        "corpusmill.waited_seconds": event.waited_seconds,
    }
    if event.request_id:
        found["corpusmill.request_id"] = event.request_id
    if event.after:
        found["corpusmill.after"] = event.after
    return found


class Counting(SpanExporter):
    """Counts the spans that a receiver took."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.delivered = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; called by one thread."""
        result = self._exporter.export(spans)
        self.delivered += len(spans) if result is SpanExportResult.SUCCESS else 0
        return result

    def shutdown(self) -> None:
        """Give up what is being sent."""
        self._exporter.shutdown()


@contextmanager
def spans_sent(base_url: str, environ: Mapping[str, str], say: Callable[[str], None]) -> Iterator[Spans]:
    """Send spans while the block runs; on leaving it, those that still wait are sent, for half a minute at most.

    The libraries read more from the process's environment: OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER, ...

    Args:
        base_url: of the receiver, without /v1/traces.
        environ: where OTEL_SERVICE_NAME may be.
        say: tells a person, at the end, how many spans nobody took.
    """
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
    logging.getLogger("opentelemetry").propagate = False
    named = {} if "OTEL_SERVICE_NAME" in environ else {SERVICE_NAME: "corpusmill"}
    exporter = Counting(OTLPSpanExporter(base_url.rstrip("/") + PATH, timeout=EXPORT_SECONDS))
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(
        BatchSpanProcessor(
            exporter,
            max_queue_size=QUEUE_MOST,
            schedule_delay_millis=DELAY_MILLIS,
            max_export_batch_size=BATCH_MOST,
        )
    )
    spans = Spans(provider.get_tracer("corpusmill", __version__))
    try:
        yield spans
    finally:
        provider.shutdown()
        if lost := spans.taken - exporter.delivered:
            say(f"{lost:,} of {spans.taken:,} spans were not delivered to {base_url}")
