"""Events as log lines."""

import json
from pathlib import Path
from typing import Any

import pytest

from corpusmill.telemetry.events import (
    ConfigReloaded,
    DaemonStopping,
    Event,
    HttpAnswered,
    ItemBroken,
    JobCrashed,
    JobEnded,
    JobPaused,
    JobResumed,
    JournalSynced,
    LoopLagged,
    RequestCrashed,
    ShardSealed,
    WebhookDelivered,
)
from corpusmill.telemetry.log import PROGRESS_SECONDS, SUPPRESSED, Level, LogSink, event_name
from corpusmill.telemetry.repeats import BURST, REFILL_SECONDS
from tests.e2e.running import command, simulated, write_spec
from tests.telemetry.samples import answered, decided, failed, started


class Log:
    """A sink with its lines and its clock."""

    def __init__(self, level: Level = "info") -> None:
        self._written: list[str] = []
        self.now = 0.0
        self.sink = LogSink(self._written.append, lambda: self.now, level)

    def lines(self, *told: Event) -> list[dict[str, Any]]:
        """Emit, and return the lines that came of it."""
        self._written.clear()
        for event in told:
            self.sink(event)
        return self._read()

    def closed(self) -> list[dict[str, Any]]:
        """Close, and return the lines that came of it."""
        self._written.clear()
        self.sink.close()
        return self._read()

    def _read(self) -> list[dict[str, Any]]:
        assert all(line.endswith("\n") and line.count("\n") == 1 for line in self._written)
        return [json.loads(line) for line in self._written]


def test_what_comes_with_every_call_is_counted_and_told_every_ten_seconds() -> None:
    log = Log()
    busy = (answered(), decided(records=2), decided("rejected", "min_chars"), JournalSynced("plots", 2, 500, 0.01))
    assert log.lines(*busy, HttpAnswered("/", "GET", 200, 0.1), LoopLagged(0.1)) == []
    log.now = PROGRESS_SECONDS
    (line,) = log.lines(decided())
    assert line["event"] == "progress"
    assert (line["kept"], line["rejected"], line["records"], line["calls_answered"]) == (2, 1, 3, 1)
    assert (line["journal_bytes"], line["seconds"]) == (500, 10)


def test_what_was_counted_is_told_before_a_job_ends() -> None:
    progress, ended = Log().lines(decided(), JobEnded("plots", "finished", "", 1.0))[-2:]
    assert (progress["event"], progress["kept"]) == ("progress", 1)
    assert (ended["event"], ended["state"], ended["level"]) == ("job_ended", "finished", "info")
    assert "reason" not in ended


def test_the_same_failure_is_told_a_few_times_and_then_seldom_with_how_many_were_silent() -> None:
    log = Log()
    first = log.lines(*[failed()] * 123, failed(kind="timeout"))
    assert [line["kind"] for line in first] == ["rate_limited"] * BURST + ["timeout"]
    assert all(line["level"] == "warning" and "suppressed" not in line for line in first)
    log.now = REFILL_SECONDS
    again, *silent = log.lines(failed(), failed())
    assert (again["suppressed"], silent) == (123 - BURST, [])


def test_defects_of_one_type_are_one_kind_whatever_their_messages_say() -> None:
    lines = Log().lines(*(ItemBroken("plots", number, f"KeyError: {number}") for number in range(1000)))
    assert len(lines) == BURST


REPEATED: list[Event] = [
    failed(),
    ItemBroken("plots", 0, "KeyError: x"),
    JobPaused("plots", "endpoint down"),
    JobResumed("plots", 31.0),
    ShardSealed("plots", "corpus", "00001.jsonl", 1, 100),
    WebhookDelivered("hook", "postponed", "503"),
]


@pytest.mark.parametrize("event", REPEATED, ids=lambda event: type(event).__name__)
def test_what_repeats_is_rationed_and_its_count_is_told_at_the_end(event: Event) -> None:
    log = Log()
    assert len(log.lines(*[event] * 50)) == BURST
    (told,) = log.closed()
    assert (told["event"], told["level"], told["suppressed"]) == (SUPPRESSED, "info", 50 - BURST)
    assert told["of"] == event_name(type(event))
    assert log.closed() == [], "it is told once"


TOLD_EACH_TIME: list[Event] = [
    started(),
    JobEnded("plots", "finished", "", 1.0),
    JobCrashed("plots", "KeyError: x"),
    RequestCrashed("an id", "KeyError: x"),
    ConfigReloaded(),
    DaemonStopping("SIGTERM"),
]


@pytest.mark.parametrize("event", TOLD_EACH_TIME, ids=lambda event: type(event).__name__)
def test_the_line_of_a_job_a_request_or_an_act_of_the_operator_is_never_suppressed(event: Event) -> None:
    assert len(Log().lines(*[event] * 50)) == 50


@pytest.mark.parametrize("event", [*REPEATED, answered(), decided(), HttpAnswered("/", "GET", 200, 0.1, "an id")])
def test_at_level_debug_nothing_is_suppressed(event: Event) -> None:
    assert len(Log("debug").lines(*[event] * 50)) == 50


@pytest.mark.parametrize("end", [JobEnded("plots", "finished", "", 1.0), JobCrashed("plots", "KeyError: x")])
def test_what_a_job_suppressed_is_told_before_its_end_and_no_other_jobs(end: Event) -> None:
    log = Log()
    log.lines(*[failed()] * 20, *[failed(job="other")] * 30)
    suppressed, last = log.lines(end)
    assert (suppressed["event"], suppressed["job"], suppressed["suppressed"]) == (SUPPRESSED, "plots", 20 - BURST)
    assert suppressed["kind"].startswith("rate_limited")
    assert last["event"] == event_name(type(end))
    (other,) = log.closed()
    assert (other["job"], other["suppressed"]) == ("other", 30 - BURST)


def test_what_was_counted_is_told_when_the_log_is_closed() -> None:
    log = Log()
    log.lines(decided())
    (progress,) = log.closed()
    assert (progress["event"], progress["kept"]) == ("progress", 1)


def test_a_pause_is_a_warning_and_a_defect_of_ours_is_an_error() -> None:
    lines = Log().lines(started(), JobPaused("plots", "disk full"), ItemBroken("plots", 3, "KeyError: x"))
    assert [line["level"] for line in lines] == ["info", "warning", "error"]


def test_at_level_debug_each_unit_of_work_has_one_line_with_all_that_is_known_of_it() -> None:
    call, again, item = Log("debug").lines(answered(), failed(), decided("rejected", "min_chars"))
    assert (call["event"], call["level"], call["job"], call["index"]) == ("call_answered", "debug", "plots", 0)
    assert (call["request_id"], call["cost_picodollars"], call["waited_seconds"]) == ("req_1", 55_000_000, 0.2)
    assert (again["event"], again["level"], again["kind"]) == ("call_failed", "warning", "rate_limited")
    assert (item["event"], item["outcome"], item["reason"]) == ("item_decided", "rejected", "min_chars")


def test_a_real_run_at_level_debug_tells_each_call_once_by_its_providers_name_and_no_text_or_key(
    tmp_path: Path,
) -> None:
    key = "sk-a-key-that-nobody-may-see"
    spec = write_spec(tmp_path, space={"axes": {"genre": ["noir"], "place": ["Peru"], "n": list(range(30))}})
    with simulated("--api-key", key, "--faults", "http_500=0.2") as base_url:
        done = command("run", spec, "--log-level", "debug", folder=tmp_path, base_url=base_url, OPENAI_API_KEY=key)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    calls = [line for line in lines if line["event"] in ("call_answered", "call_failed")]
    assert len([line for line in calls if line["event"] == "call_answered"]) == 30
    assert len({line["request_id"] for line in calls}) == len(calls) > 30
    assert len([line for line in lines if line["event"] == "item_decided"]) == 30
    assert {line["after"] for line in calls if "after" in line} == {"server_error"}
    ended = json.loads(done.stderr.splitlines()[-1])
    assert (ended["event"], ended["state"], ended["calls"]["answered"]) == ("job_ended", "finished", 30)
    assert sum(ended["outcomes"].values()) == ended["items"] == 30
    assert ended["tokens"]["input"] > 0
    assert key not in done.stderr
    assert "film set in" not in done.stderr
