"""Two replicas behind one model alias, as processes over real sockets, of which one is killed in mid-job."""

import json
import time
from contextlib import ExitStack
from pathlib import Path

from tests.e2e.running import lines, simulated, started, stats, write_spec

CONFIG = """
[endpoints.left]
base_url = "{left}"
[endpoints.right]
base_url = "{right}"
[models.writer]
endpoint = ["left", "right"]
name = "simulated"
prices = {{input = 0, output = 0}}
"""


def test_a_replica_that_is_killed_costs_no_item_and_its_share_goes_to_the_other(tmp_path: Path) -> None:
    step = {"name": "plot", "model": "writer", "prompt": "{{ nonce }} {{ genre }} {{ place }} {{ n }}"}
    spec = write_spec(tmp_path, steps=[step], filters=[], dedup=None, limits={"concurrency": 20})
    with ExitStack() as stack, simulated("--latency", "0.2") as right:
        killed = stack.enter_context(simulated("--latency", "0.2"))
        (tmp_path / "config.toml").write_text(CONFIG.format(left=killed, right=right))
        process = started("run", spec, "--config", "config.toml", "--json", folder=tmp_path, base_url=right)
        while stats(killed)["requests"] < 40:
            time.sleep(0.02)
        stack.close()
        output, errors = process.communicate(timeout=60)
        ledger = stats(right)
    assert process.returncode == 0, errors
    summary = json.loads(output)
    assert summary["outcomes"]["kept"] == 200 == len(lines(tmp_path, "corpus"))
    assert summary["calls"]["errors"] <= 20 + 12
    assert ledger["requests"] >= 100
    assert ledger["requests"] + 40 <= 240
