"""A real daemon with a real job, that a real Prometheus scrapes."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.deploy.prometheus import Prometheus, scraping
from tests.e2e.running import PROGRAM, SPEC, environment, simulated

FAULTS = "http_500=0.02,refusal=0.05,length=0.05,exact_duplicate=0.05,bad_request=0.02"
CONFIG = """
[endpoints.provider]
base_url = "{base_url}"
requests_per_minute = 2400
tokens_per_minute = 600000

[models.default]
endpoint = "provider"
name = "simulated"
prices = {{input = 0.15, cached_input = 0.075, output = 0.60}}
"""


JOB: dict[str, Any] = {
    **SPEC,
    "space": {"axes": {"genre": ["noir", "western"], "place": ["France", "Japan"], "n": list(range(1000))}},
    "filters": [{"of": "plot", "min_chars": 900, "no_refusal": True}],
    "limits": {"concurrency": 12},
    "budget": {"usd": 5.0},
    "shards": {"records": 50},
}


@contextmanager
def watched_job(folder: Path) -> Iterator[Prometheus]:
    """Run a daemon with a job of every kind of outcome, and a Prometheus that scrapes it, while the block runs."""
    with simulated("--latency", "0.3", "--latency-spread", "0.4", "--faults", FAULTS) as base_url:
        (folder / "models.toml").write_text(CONFIG.format(base_url=base_url))
        daemon = subprocess.Popen(
            [*PROGRAM, "serve", "--config", "models.toml", "--port", "0"],
            cwd=folder,
            env=environment(None),
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            address = _address(daemon)
            _submit(address)
            with scraping(address, folder) as prometheus:
                yield prometheus
        finally:
            daemon.kill()
            daemon.communicate()


def _address(daemon: subprocess.Popen[str]) -> str:
    assert daemon.stderr is not None
    told = daemon.stderr.readline()
    found = re.search(r"http://([^\s/\"]+)", told)
    assert found is not None, told
    return found.group(1)


def _submit(address: str) -> None:
    request = urllib.request.Request(
        f"http://{address}/api/v1/jobs",
        data=json.dumps(JOB).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        assert answer.status == 201
