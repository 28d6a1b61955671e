"""What a run loads before its first call: that is most of the time until then."""

import re
import subprocess
import sys
from pathlib import Path

from corpusmill.recipes import recipe_text
from tests.e2e.running import environment, simulated

PRICES = {"genai_prices", "pydantic", "pydantic_core"}
"""What it takes to look a price up, which is done while the first call is out."""

UNWANTED = {
    "aiohttp.web", "corpusmill.simulate", "corpusmill_client", "jsonschema_rs", "numpy", "openai", "opentelemetry",
    "prometheus_client", "pyarrow", "pygments", "rapidfuzz", "rich.console", "sqlite3",
}  # fmt: skip
"""What no part of the plots recipe needs, where nobody watches and nothing is measured."""


def loaded(told: str) -> set[str]:
    """The modules that `python -X importtime` tells of."""
    return set(re.findall(r"^import time: +\d+ \| +\d+ \| +(\S+)", told, re.MULTILINE))


def test_a_plain_run_loads_nothing_that_its_spec_does_not_ask_for(tmp_path: Path) -> None:
    spec = tmp_path / "plots.yaml"
    spec.write_text(recipe_text("plots"))
    command = [sys.executable, "-X", "importtime", "-m", "corpusmill", "run", str(spec), "--limit", "3", "--json"]
    with simulated("--latency", "0.01") as base_url:
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(base_url), capture_output=True, text=True, timeout=120, check=True
        )
    before, started, after = done.stderr.partition('"event":"job_started"')
    assert started
    assert loaded(before) >= {"aiohttp", "jinja2", "structlog", "yaml"}
    assert loaded(before) & (UNWANTED | PRICES) == set()
    assert loaded(after) >= PRICES
    assert loaded(after) & UNWANTED == set()
