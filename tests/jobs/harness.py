"""What tests of finished and interrupted jobs share: a spec, and the real program run on it over a real socket."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from corpusmill.bootstrap.job import Running
from corpusmill.bootstrap.run import run_job
from corpusmill.bootstrap.target import Target, Upstream
from corpusmill.config import Config, EndpointConfig
from corpusmill.jobs.summary import Summary
from corpusmill.simulate import SimulateOptions, serving
from corpusmill.spec.load import parse_spec
from corpusmill.spec.schema import JobSpec
from corpusmill.telemetry.events import Event, ItemDecided

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SPEC = """
name: tales
seed: 5
space:
  axes:
    genre: ["romance: of love", "horror: of fear", "western: of land"]
    tone: {values: {hopeful: 3, grim: 1}}
    scene: [1, 2.0, true, four, five, six, seven, eight, nine, ten]
steps:
  - name: plot
    system: You write for the screen.
    prompt: |
      {{ nonce }}
      Imagine a detailed plot outline for a {{ genre.label }} film, which tells {{ genre.definition }}.
      The tone is {{ tone }}. Begin with scene {{ scene }}.
    parameters: {max_tokens: 1000}
filters:
  - {of: plot, finish_reason: [stop]}
  - {of: plot, min_chars: 500, no_refusal: true}
dedup: {of: plot}
examples:
  - name: outline
    prompt: "Genre: {{ genre }}\\n\\nPLOT OUTLINE:"
    completion: " {{ plot }} END"
  - name: chat
    messages:
      - {role: system, content: "You write."}
      - {role: user, content: "Write a {{ genre }} plot."}
      - {role: assistant, content: "{{ plot }}"}
split: {validation: 0.3}
limits: {concurrency: 16}
shards: {records: 50}
"""
"""120 items, of which some are refused, cut off or repeated; several shards."""

OPTIONS = SimulateOptions(seed=3, faults={"refusal": 0.1, "length": 0.05, "exact_duplicate": 0.15})
UNHURRIED = msgspec.structs.replace(OPTIONS, latency_seconds=0.005)
"""Slow enough that a job is still far from its end when it is broken off."""


def spec_of(text: str = SPEC, **changes: Any) -> JobSpec:
    """A spec, with some of its top fields changed."""
    return msgspec.structs.replace(parse_spec(text.encode(), "yaml"), **changes)


def run(spec: JobSpec, data: Path, *, stop_after: int | None = None, options: SimulateOptions = OPTIONS) -> Summary:
    """Run a job against a simulated endpoint; `stop_after` so many decisions it is interrupted by force."""
    return asyncio.run(_run(spec, data, stop_after, options))


async def _run(spec: JobSpec, data: Path, stop_after: int | None, options: SimulateOptions) -> Summary:
    started: list[Running] = []
    decided = 0

    def emit(event: Event) -> None:
        nonlocal decided
        decided += isinstance(event, ItemDecided)
        if decided == stop_after:
            started[0].force()

    @asynccontextmanager
    async def watch(running: Running) -> AsyncIterator[None]:
        started.append(running)
        yield

    async with serving(options) as base_url:
        upstream = Upstream(Config(), Target("default", EndpointConfig(base_url=base_url)))
        return await run_job(spec, data, upstream, environ={}, emit=emit, watch=watch)


def raw_lines(data: Path, job: str, place: str) -> list[dict[str, Any]]:
    """Every line of a job's `corpus` or `rejects`, read without the program's help."""
    lines: list[dict[str, Any]] = []
    for path in sorted((data / "jobs" / job / place).iterdir()):
        content = path.read_bytes()
        text = zstd.decompress(content) if path.suffix == ".zst" else content
        lines += [json.loads(line) for line in text.splitlines()]
    return lines
