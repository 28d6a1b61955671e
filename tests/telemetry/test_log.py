"""Events as log lines."""

import json
from pathlib import Path
from typing import Any

from corpusmill.telemetry.events import Event, HttpAnswered, ItemBroken, JobEnded, JobPaused, JournalSynced, LoopLagged
from corpusmill.telemetry.log import KEYS_MOST, QUIET_SECONDS, Level, LogSink
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
        assert all(line.endswith("\n") and line.count("\n") == 1 for line in self._written)
        return [json.loads(line) for line in self._written]


def test_what_comes_with_every_call_is_counted_and_told_every_ten_seconds() -> None:
    log = Log()
    busy = (answered(), decided(records=2), decided("rejected", "min_chars"), JournalSynced("plots", 2, 500, 0.01))
    assert log.lines(*busy, HttpAnswered("/", "GET", 200, 0.1), LoopLagged(0.1)) == []
    log.now = QUIET_SECONDS
    (line,) = log.lines(decided())
    assert line["event"] == "progress"
    assert (line["kept"], line["rejected"], line["records"], line["calls_answered"]) == (2, 1, 3, 1)
    assert (line["journal_bytes"], line["seconds"]) == (500, 10)


def test_what_was_counted_is_told_before_a_job_ends() -> None:
    progress, ended = Log().lines(decided(), JobEnded("plots", "finished", "", 1.0))[-2:]
    assert (progress["event"], progress["kept"]) == ("progress", 1)
    assert (ended["event"], ended["state"], ended["level"]) == ("job_ended", "finished", "info")
    assert "reason" not in ended


def test_the_same_failure_is_told_once_in_ten_seconds_with_how_often_it_was_silent() -> None:
    log = Log()
    first = log.lines(failed(), failed(), failed(), failed(kind="timeout"))
    assert [(line["kind"], line["silent_before"]) for line in first] == [("rate_limited", 0), ("timeout", 0)]
    assert all(line["level"] == "warning" for line in first)
    log.now = QUIET_SECONDS
    (again,) = log.lines(failed())
    assert again["silent_before"] == 2


def test_what_is_remembered_of_failures_is_bounded() -> None:
    log = Log()
    lines = log.lines(*(ItemBroken("plots", number, f"KeyError: {number}") for number in range(3 * KEYS_MOST)))
    assert len(lines) == 3 * KEYS_MOST
    assert len(log.sink._told) <= KEYS_MOST


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
    assert key not in done.stderr
    assert "film set in" not in done.stderr
