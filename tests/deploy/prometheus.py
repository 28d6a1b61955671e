"""A real Prometheus on loopback, with our rules, and what it answers."""

import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.names import RULES

SETTINGS = {
    "$__rate_interval": "8s",
    "$__range": "30s",
    "$job_id": ".*",
    "$job": ".*",
    "$instance": ".*",
    "$endpoint": ".*",
    "$model": ".*",
}
"""What Grafana puts in place of a dashboard's variables when everything is chosen."""


class Prometheus:
    """A running server, by its address."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, path: str, **parameters: str) -> Any:
        """Return the `data` of an answer of the HTTP API; an expression that is refused raises."""
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            content = json.load(answer)
        assert content["status"] == "success"
        return content["data"]

    def values(self, expression: str) -> list[float]:
        """Return what an expression is now, of each series."""
        return [float(each["value"][1]) for each in self.ask("query", query=filled(expression))["result"]]

    def wait_for(self, expression: str, seconds: float = 30.0) -> None:
        """Return when an expression has a value; fails the test if it gets none."""
        until = time.monotonic() + seconds
        while not self.values(expression):
            assert time.monotonic() < until, f"no {expression} within {seconds} s"
            time.sleep(0.2)  # another process' work; there is nothing to wait at


def filled(expression: str) -> str:
    """Return an expression of a panel with its variables filled in."""
    for name, value in SETTINGS.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, expression
    return expression


@contextmanager
def scraping(target: str, folder: Path) -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes a target once a second while the block runs."""
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in RULES],
        "scrape_configs": [{"job_name": "corpusmill", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            "--web.listen-address=127.0.0.1:0",
        ],
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )
    try:
        yield Prometheus(_address(process))
    finally:
        process.kill()
        process.communicate()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    told = ""
    for line in process.stderr:
        told += line
        if "Server is ready to receive web requests" in line:
            found = re.search(r'msg="Listening on" address=(\S+)', told)
            assert found is not None, told
            return found.group(1)
    raise AssertionError(f"Prometheus ended:\n{told}")
