"""A real job that a real Prometheus scrapes."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deploy.prometheus import Prometheus, scraping
from tests.e2e.running import PROGRAM, environment, simulated, write_spec

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


@contextmanager
def watched_job(folder: Path) -> Iterator[Prometheus]:
    """Run a job of every kind of outcome with a budget, and a Prometheus beside it, while the block runs."""
    with simulated("--latency", "0.3", "--latency-spread", "0.4", "--faults", FAULTS) as base_url:
        (folder / "models.toml").write_text(CONFIG.format(base_url=base_url))
        axes = {"genre": ["noir", "western"], "place": ["France", "Japan"], "n": list(range(1000))}
        spec = write_spec(
            folder,
            space={"axes": axes, "limit": 4000},
            filters=[{"of": "plot", "min_chars": 900, "no_refusal": True}],
            limits={"concurrency": 12},
            budget={"usd": 5.0},
            shards={"records": 50},
        )
        job = subprocess.Popen(
            [*PROGRAM, "run", str(spec), "--config", "models.toml", "--metrics-port", "0"],
            cwd=folder,
            env=environment(None),
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert job.stderr is not None
            found = re.search(r"metrics at http://(\S+)/metrics", job.stderr.readline())
            assert found is not None
            with scraping(found.group(1), folder) as prometheus:
                yield prometheus
        finally:
            job.kill()
            job.communicate()
