"""Spans as a real OTLP/HTTP receiver gets them from the real program."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.e2e.running import SPEC, command, simulated, stats, write_spec
from tests.e2e.serving import served

KEY = "sk-test-0123456789abcdef"


class Receiver(ThreadingHTTPServer):
    """Takes traces on loopback."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        super().__init__(("127.0.0.1", 0), Taking)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def requests(self) -> list[ExportTraceServiceRequest]:
        return [ExportTraceServiceRequest.FromString(body) for body in self.bodies]

    @property
    def spans(self) -> list[Span]:
        told = [resource for request in self.requests for resource in request.resource_spans]
        return [span for resource in told for scope in resource.scope_spans for span in scope.spans]


class Taking(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


def of(span: Span) -> dict[str, Any]:
    return {each.key: plain(each.value) for each in span.attributes}


def plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(each) for each in value.array_value.values]
    return getattr(value, str(kind))


def seconds(span: Span) -> float:
    return (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9


def test_each_call_is_one_span_that_lasts_as_long_as_the_call(tmp_path: Path) -> None:
    faults = ("--faults", "http_500=0.1", "--latency", "0.05", "--seed", "5")
    with simulated(*faults) as base_url, receiving() as receiver:
        done = command(
            "run",
            write_spec(tmp_path),
            "--log-level=debug",
            "--otlp-endpoint",
            receiver.url,
            folder=tmp_path,
            base_url=base_url,
            OPENAI_API_KEY=KEY,
        )
        assert done.returncode == 0, done.stderr
        requests = stats(base_url)["requests"]
        spans = {of(span)["corpusmill.request_id"]: span for span in receiver.spans}
        sent = b"".join(receiver.bodies)
    logged = [json.loads(line) for line in done.stderr.splitlines() if '"call_' in line]
    assert len(receiver.spans) == len(spans) == len(logged) == requests > 200
    assert {span.name for span in spans.values()} == {"chat simulated"}
    assert {span.kind for span in spans.values()} == {Span.SpanKind.SPAN_KIND_CLIENT}
    failures = 0
    for call in logged:
        span = spans[call["request_id"]]
        told = of(span)
        assert seconds(span) == pytest.approx(call["seconds"], abs=1e-4)
        assert seconds(span) > (0.04 if call["event"] == "call_answered" else 0)
        ended = datetime.fromisoformat(call["timestamp"]).timestamp()
        assert span.end_time_unix_nano / 1e9 == pytest.approx(ended, abs=0.25)
        assert (told["corpusmill.job"], told["corpusmill.item"]) == ("job", call["index"])
        assert (told["gen_ai.request.model"], told["corpusmill.model"]) == (call["upstream"], call["model"])
        if call["event"] == "call_answered":
            assert told["gen_ai.usage.input_tokens"] == call["input_tokens"]
            assert told["gen_ai.usage.output_tokens"] == call["output_tokens"]
            assert told["gen_ai.response.finish_reasons"] == [call["finish_reason"]]
        else:
            failures += 1
            assert span.status.code == Status.StatusCode.STATUS_CODE_ERROR
            assert (told["error.type"], told["http.response.status_code"]) == ("server_error", 500)
            assert "gen_ai.usage.input_tokens" not in told
    assert failures > 0
    assert KEY.encode() not in sent
    assert b"plot outline" not in sent
    (named,) = {
        plain(each.value)
        for request in receiver.requests
        for resource in request.resource_spans
        for each in resource.resource.attributes
        if each.key == "service.name"
    }
    assert named == "corpusmill"


def test_a_daemon_sends_what_still_waits_when_it_ends(tmp_path: Path) -> None:
    with receiving() as receiver:
        with served(tmp_path, None, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, OTEL_SERVICE_NAME="mill") as daemon:
            job = daemon.ask("POST", "/api/v1/jobs", SPEC)["id"]
            daemon.until(job, lambda shown: shown.get("state") == "finished")
            told = daemon.ask("GET", f"/api/v1/jobs/{job}")
            daemon.process.send_signal(signal.SIGTERM)
            daemon.process.wait(30)
        assert len(receiver.spans) == told["calls"]["sent"] > 0
        assert b"service.name\x12\x06\n\x04mill" in receiver.bodies[0]


def test_a_receiver_that_is_not_there_costs_the_spans_and_nothing_else(tmp_path: Path) -> None:
    with receiving() as receiver:
        nowhere = receiver.url
    began = time.monotonic()
    done = command("run", write_spec(tmp_path), "--otlp-endpoint", nowhere, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"spans were not delivered to {nowhere}" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert time.monotonic() - began < 40


def test_what_is_no_url_is_refused(tmp_path: Path) -> None:
    path = write_spec(tmp_path)
    done = command("run", path, "--otlp-endpoint", "localhost:4318", folder=tmp_path)
    assert done.returncode == 2
    assert "give a URL such as http://localhost:4318" in done.stderr
    assert not (tmp_path / "data").exists()


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    blocked = tmp_path / "opentelemetry"
    blocked.mkdir()
    (blocked / "__init__.py").write_text("")
    done = command(
        "run",
        write_spec(tmp_path),
        folder=tmp_path,
        PYTHONPATH=str(tmp_path),
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
    )
    assert done.returncode == 2
    assert "pip install 'corpusmill[otlp]'" in done.stderr
    assert not (tmp_path / "data").exists()
