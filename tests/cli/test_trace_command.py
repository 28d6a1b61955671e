"""What `trace` shows of an item is what was asked, what came back, and by which name the provider knows it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from corpusmill.bootstrap.job import Running
from corpusmill.bootstrap.report import trace_of
from corpusmill.bootstrap.run import run_job
from corpusmill.bootstrap.target import Target, Upstream
from corpusmill.config import Config, EndpointConfig
from corpusmill.jobs.trace import ItemTrace
from corpusmill.simulate import SimulateOptions, serving
from corpusmill.spec.schema import JobSpec
from corpusmill.telemetry.events import CallAnswered, Event, JournalSynced
from tests.cli.harness import output, refused
from tests.jobs.harness import OPTIONS, raw_lines, spec_of

DIALOGUE = """
name: talks
space: {axes: {n: [1, 2, 3, 4, 5, 6]}}
steps:
  - name: parts
    prompt: "{{ nonce }} List three things about {{ n }}."
    parse: list
  - name: told
    each: parts
    prompt: "{{ nonce }} Write about {{ element }}."
    attempts: 3
filters:
  - {of: told, no_refusal: true}
examples: [{name: row, prompt: "{{ n }}:", completion: "{{ told | join(' ') }}"}]
limits: {concurrency: 2}
"""
"""Chains with several parts and several attempts."""


class Run:
    """A run of the real program whose events are kept, and which may be looked at while it goes on."""

    def __init__(self, spec: JobSpec, data: Path, options: SimulateOptions = OPTIONS) -> None:
        self.spec, self.data, self.options = spec, data, options
        self.answered: list[CallAnswered] = []
        self.seen: list[ItemTrace] = []

    def look(self, index: int) -> "Run":
        """Run the job, and trace an item each time that the journal was synced."""

        def emit(event: Event) -> None:
            if isinstance(event, CallAnswered):
                self.answered.append(event)
            elif isinstance(event, JournalSynced):
                self.seen.append(trace_of(self.data, self.spec.name, str(index)))

        asyncio.run(self._run(emit))
        return self

    async def _run(self, emit: Any) -> None:
        @asynccontextmanager
        async def watch(_running: Running) -> AsyncIterator[None]:
            yield

        async with serving(self.options) as base_url:
            upstream = Upstream(Config(), Target("default", EndpointConfig(base_url=base_url)))
            await run_job(self.spec, self.data, upstream, environ={}, emit=emit, watch=watch)


def traced(data: Path, job: str, item: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(output("trace", job, item, "--data", data, "--json"))
    return found


def test_every_call_of_a_chain_is_shown_with_the_request_id_that_its_event_had(tmp_path: Path) -> None:
    options = SimulateOptions(seed=3, faults={"refusal": 0.3, "http_500": 0.1})
    run = Run(spec_of(DIALOGUE), tmp_path, options).look(0)
    shown: set[tuple[int, str, str]] = set()
    attempts = 0
    for index in range(6):
        found = traced(tmp_path, "talks", str(index))
        assert found["outcome"]["outcome"] in {"kept", "rejected"}
        sent = found["unanswered"]["sent"] + sum(call["requests"]["sent"] for call in found["calls"])
        assert sent >= len(found["calls"])
        for call in found["calls"]:
            shown.add((index, call["step"], call["request_id"]))
            attempts = max(attempts, call["attempt"])
            assert call["prompt"][-1]["role"] == "user"
            assert call["finish_reasons"] == ["stop"]
    assert shown == {(call.index, call.step, call.request_id) for call in run.answered}
    assert len({request_id for *_, request_id in shown}) == len(run.answered)
    assert attempts > 0


def test_prompt_and_answer_are_those_of_the_record_and_any_id_of_it_will_do(data: Path) -> None:
    chat = next(line for line in raw_lines(data, "tales", "corpus") if line["example"] == "chat")
    found = traced(data, "tales", chat["id"])
    (call,) = found["calls"]
    assert found["values"] == chat["values"]
    assert call["answers"] == [chat["messages"][-1]["content"]]
    assert call["prompt"][0] == {"role": "system", "content": "You write for the screen."}
    assert f"The tone is {chat['values']['tone']}." in call["prompt"][1]["content"]
    assert call["parameters"] == {"max_tokens": 1000}
    assert call["tokens"]["output"] > 0
    assert found == traced(data, "tales", str(chat["index"])) == traced(data, "tales", f"tales:{chat['index']}")
    text = output("trace", "tales", chat["id"], "--data", data)
    assert all(part in text for part in (call["request_id"], call["prompt"][1]["content"], call["answers"][0]))


def test_a_reject_tells_its_reason(data: Path) -> None:
    reject = raw_lines(data, "tales", "rejects")[0]
    found = traced(data, "tales", reject["id"])
    assert found["outcome"]["outcome"] in {"rejected", "duplicate"}
    assert [call["answers"][0].strip() for call in found["calls"]] == list(reject["outputs"].values())


def test_an_item_is_traced_while_its_job_runs(tmp_path: Path) -> None:
    run = Run(spec_of(DIALOGUE), tmp_path).look(5)
    counts = [len(seen.calls) for seen in run.seen]
    assert counts == sorted(counts)
    assert run.seen[0].outcome is None
    assert counts[-1] > counts[0] == 0


def test_what_is_not_there_is_one_line_and_exit_2(data: Path) -> None:
    assert refused("trace", "tales", "120", "--data", data).endswith("job tales has no item 120: its space has 120")
    assert "give an index, or an id such as tales:12" in refused("trace", "tales", "packed:3", "--data", data)
    assert refused("trace", "nope", "1", "--data", data).endswith("there are: broken-off, packed, tales")


def test_a_purged_journal_is_told(tmp_path: Path) -> None:
    Run(spec_of(DIALOGUE), tmp_path).look(0)
    output("purge", "talks", "--data", tmp_path, "--yes")
    assert "its journal was purged" in refused("trace", "talks", "1", "--data", tmp_path)
