"""Starts the real programs: the simulated endpoint and the command line, each as a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

PROGRAM = [sys.executable, "-m", "corpusmill"]

SPEC: dict[str, Any] = {
    "name": "job",
    "space": {
        "axes": {
            "genre": ["noir", "western", "fantasy", "romance"],
            "place": ["France", "Japan", "Peru"],
            "n": list(range(100)),
        },
        "limit": 200,
    },
    "steps": [
        {
            "name": "plot",
            "prompt": "{{ nonce }}\nImagine a plot outline for a {{ genre }} film set in {{ place }}, number {{ n }}.",
            "parameters": {"max_tokens": 400},
        }
    ],
    "filters": [{"of": "plot", "min_chars": 50, "no_refusal": True}],
    "dedup": {"of": "plot"},
    "examples": [{"name": "row", "prompt": "{{ genre }} in {{ place }}:", "completion": " {{ plot }} END"}],
    "shards": {"records": 60},
}


@contextmanager
def simulated(*options: str) -> Iterator[str]:
    """The base URL of a simulated endpoint that runs while the block does."""
    process = subprocess.Popen([*PROGRAM, "simulate", "--port", "0", *options], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        ready = re.search(r"ready: (\S+)", process.stderr.readline())
        assert ready is not None
        yield ready.group(1)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()


def stats(base_url: str) -> dict[str, Any]:
    """The endpoint's own ledger."""
    with urllib.request.urlopen(base_url.removesuffix("/v1") + "/stats", timeout=10) as answer:  # noqa: S310 - loopback
        ledger: dict[str, Any] = json.load(answer)
    return ledger


def environment(base_url: str | None, **more: str) -> dict[str, str]:
    """The environment of a command: an endpoint, or none at all."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OPENAI_", "CORPUSMILL_"))}
    return {**kept, **({"OPENAI_BASE_URL": base_url} if base_url else {}), **more}


def write_spec(folder: Path, **changes: Any) -> Path:
    """A spec file; a change replaces a top-level key."""
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump({**SPEC, **changes}))
    return path


def command(
    *arguments: str | Path, folder: Path, base_url: str | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a folder."""
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        cwd=folder,
        env=environment(base_url, **more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def started(*arguments: str | Path, folder: Path, base_url: str) -> subprocess.Popen[str]:
    """Start a command."""
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        cwd=folder,
        env=environment(base_url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def lines(folder: Path, place: str, job: str = "job") -> list[dict[str, Any]]:
    """The lines of all sealed shards of `corpus` or `rejects`."""
    shards = sorted((folder / "data" / "jobs" / job / place).glob("*.jsonl"))
    return [json.loads(line) for shard in shards for line in shard.read_text().splitlines()]
