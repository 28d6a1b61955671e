"""The processes a benchmark consists of: one server, and one client at a time.

Rule of this file: whoever starts a process ends it, and no setting of the user's environment reaches it.
"""

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import msgspec

from benchmarks.cost import Cost
from benchmarks.server import Statistics

ROOT = Path(__file__).resolve().parent.parent

CHILD_SECONDS = 1800.0
"""A child that takes longer than this hangs."""

SETTINGS = ("OPENAI_", "CORPUSMILL_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "PYTHONDONTWRITEBYTECODE")
"""Variables that would change what is measured; without compiled modules every start would compile them."""


class Server:
    """A running server, by its base URL."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def statistics(self) -> Statistics:
        """Return what it saw since this was last asked."""
        connection = http.client.HTTPConnection(urlsplit(self.base_url).netloc)
        try:
            connection.request("GET", "/statistics")
            return msgspec.json.decode(connection.getresponse().read(), type=Statistics)
        finally:
            connection.close()


@contextmanager
def serving(latency_seconds: float = 0.0, spread: float = 0.0) -> Iterator[Server]:
    """Run a server while the block runs; it ends when its stdin is closed."""
    command = [sys.executable, "-m", "benchmarks.server", "--latency", str(latency_seconds), "--spread", str(spread)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=_environ(), stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None, "stdout is a pipe"
        yield Server(process.stdout.readline().strip())


def raw_cost(server: Server, calls: int, width: int) -> Cost:
    """Measure the raw loop."""
    return _cost(["benchmarks.raw", server.base_url, str(calls), str(width)])


def sdk_cost(server: Server, calls: int, width: int) -> Cost:
    """Measure the SDK's loop."""
    return _cost(["benchmarks.sdk", server.base_url, str(calls), str(width)])


def job_cost(server: Server, spec: dict[str, Any]) -> Cost:
    """Measure a fresh `corpusmill run` from inside its process, imports left out."""
    *_, summary, cost = _run_job(["benchmarks.command"], server, spec)
    measured = msgspec.json.decode(cost, type=Cost)
    measured.calls = _kept(summary, spec)
    return measured


def run_job(server: Server, spec: dict[str, Any]) -> None:
    """Run `corpusmill run` as a user does, on a spec in YAML."""
    _kept(_run_job(["corpusmill", "run"], server, spec, "spec.yaml")[-1], spec)


def module_output(arguments: list[str], **environ: str) -> list[str]:
    """Run a module to its end and return the lines it printed; what it logs is shown only if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**_environ(), **environ},
        check=False,
        capture_output=True,
        text=True,
        timeout=CHILD_SECONDS,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout.splitlines()


def _run_job(command: list[str], server: Server, spec: dict[str, Any], name: str = "spec.json") -> list[str]:
    """Run a command on a spec, whose JSON is YAML as well."""
    with TemporaryDirectory(prefix="corpusmill-bench-") as folder:
        path = Path(folder, name)
        path.write_bytes(msgspec.json.encode(spec))
        arguments = [*command, str(path), "--data", folder, "--json"]
        return module_output(arguments, OPENAI_BASE_URL=server.base_url, OPENAI_API_KEY="none")


def _kept(summary: str, spec: dict[str, Any]) -> int:
    """Return how many items were kept: all, as the server gives no reason for anything else."""
    kept = msgspec.json.decode(summary)["outcomes"]["kept"]
    if kept != spec["space"]["limit"]:
        raise RuntimeError(f"not everything was kept: {summary}")
    return int(kept)


def _cost(arguments: list[str]) -> Cost:
    return msgspec.json.decode(module_output(arguments)[-1], type=Cost)


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(SETTINGS)}
