"""Real kills of the daemon: `corpusmill serve` with several jobs is killed at seeded moments and started again.

`python -m tests.e2e.daemon_cuts` (`make kill`). Nobody tells the daemon to go on: what it was told before a kill is all
it knows. What is asked again is counted by the endpoint's own ledger, as in `tests.e2e.cuts`.
"""

import argparse
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.e2e.cuts import Counts, check_files, journaled
from tests.e2e.running import PROGRAM, SPEC, environment, simulated, stats
from tests.e2e.serving import Served, served

JOBS = 3
WIDTH = 7
"""Of each job."""


def cut_daemon(folder: Path, cuts: int, seed: int) -> Counts:
    """Kill a daemon so many times, let its jobs finish, and check everything.

    Args:
        folder: where it runs.
        cuts: how many.
        seed: decides the moments.
    """
    rng, counts, jobs = random.Random(seed), Counts(), list[str]()
    items = 20 * cuts + 100
    with simulated("--latency", "0.05", "--latency-spread", "0.5", "--text-chars", "400") as base_url:
        while counts.cuts < cuts:
            if not jobs or rng.random() < 0.8:
                with served(folder, base_url) as daemon:
                    jobs = jobs or [_submit(daemon, number, items) for number in range(JOBS)]
                    _cut(daemon.process, rng.uniform(0.0, 0.4), base_url, counts)
            else:
                _cut_at_its_start(folder, base_url, rng, counts)
        counts.lost = stats(base_url)["admitted"] - sum(journaled(folder, job).answers for job in jobs)
        with served(folder, base_url) as daemon:
            ended = [daemon.until(job, lambda found: found["state"] == "finished") for job in jobs]
        ledger = stats(base_url)
    _check(folder, ended, items, ledger, counts, seed)
    return counts


def _submit(daemon: Served, number: int, items: int) -> str:
    space = {**SPEC["space"], "limit": items, "draws": -(-items // 1200)}
    step = {**SPEC["steps"][0], "prompt": f"Job {number}. {SPEC['steps'][0]['prompt']}"}
    spec = {**SPEC, "name": f"job{number}", "space": space, "steps": [step], "limits": {"concurrency": WIDTH}}
    return str(daemon.ask("POST", "/api/v1/jobs", spec)["id"])


def _cut_at_its_start(folder: Path, base_url: str, rng: random.Random, counts: Counts) -> None:
    """Kill a daemon that may not even be ready yet."""
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0"], cwd=folder, env=environment(base_url), stderr=subprocess.DEVNULL, text=True
    )
    _cut(process, rng.uniform(0.2, 1.5), base_url, counts)


def _cut(process: "subprocess.Popen[str]", seconds: float, base_url: str, counts: Counts) -> None:
    """Let it run for so long, ask the endpoint what is out, and kill it."""
    admitted = stats(base_url)["admitted"]
    time.sleep(seconds)
    process.send_signal(signal.SIGSTOP)
    ledger = stats(base_url)
    process.send_signal(signal.SIGKILL)
    process.wait()
    counts.cuts += 1
    counts.in_flight += ledger["in_flight"]
    counts.before_the_first_call += ledger["admitted"] == admitted


def _check(
    folder: Path, ended: list[dict[str, Any]], items: int, ledger: dict[str, Any], counts: Counts, seed: int
) -> None:
    """Every item of every job once, books that add up, and no more asked twice than was out or not synced."""
    counts.repeated = ledger["admitted"] - ledger["prompts_seen"]
    told = f"{counts} with seed {seed}"
    assert ledger["prompts_seen"] == JOBS * items, told
    assert counts.repeated == counts.lost, told
    unsynced = counts.cuts * sum(journaled(folder, job["id"]).unsynced_most for job in ended)
    assert counts.repeated <= counts.in_flight + unsynced, told
    for job in ended:
        calls = job["calls"]
        assert sum(job["outcomes"].values()) == job["items"] == items, told
        assert calls["sent"] == calls["answered"] + calls["rate_limited"] + calls["errors"], told
        check_files(folder, items, job["id"], job["name"])
    sent = sum(job["calls"]["sent"] for job in ended)
    assert JOBS * items <= sent <= ledger["admitted"] <= sent + counts.in_flight + unsynced, told


def main() -> None:
    """Kill, and print the counts."""
    parser = argparse.ArgumentParser(description="Kill a real daemon at seeded moments.")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="corpusmill-cuts-") as name:
        counts = cut_daemon(Path(name), options.kills, options.seed)
    print(f"kill -9 of the daemon with {JOBS} jobs: {counts}")  # noqa: T201 - output


if __name__ == "__main__":
    main()
