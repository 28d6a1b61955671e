"""A soak: a real daemon with three jobs, an endpoint with faults, and kill -9 again and again.

`python -m tests.soak` (`make soak`). Everything goes through the client: it submits, follows the records of each job
through all kills, waits, downloads, and compares; then fsck looks at the files, and the endpoint's own ledger tells
what was paid for twice: no more than what was out, or not yet acknowledged, when a daemon was killed.
"""

import argparse
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from corpusmill_client import Job, Patience, Record, SyncClient
from tests.e2e.running import command, simulated, stats
from tests.e2e.serving import BOUND_SECONDS, served
from tests.soak.books import check_books, read_shards
from tests.soak.jobs import WIDTH, soaking

FAULTS = "all=0.01,hang=0,http_500=0.03,refusal=0.05,exact_duplicate=0.03"
"""All but `hang`, which would take longer than the soak."""

PATIENCE = Patience(seconds=60, most_seconds=1)
UNSYNCED = 12
"""Calls whose end may have come and not be durable yet, at each kill and of each job."""


class Soak(msgspec.Struct):
    """What a soak came to."""

    seconds: float
    kills: int
    jobs: list[Job]
    requests: int
    lost: int

    def __str__(self) -> str:
        lines = [
            f"{job.name:<8} {job.state}: {job.outcomes.kept} kept, {job.outcomes.rejected} rejected, "
            f"{job.outcomes.duplicate} duplicate, {job.outcomes.failed} failed = {job.items} items; "
            f"{job.records} records, {job.calls.sent} calls"
            for job in self.jobs
        ]
        total = (
            f"{self.kills} kills in {self.seconds:.0f} s; the endpoint saw {self.requests} requests, {self.lost} "
            f"of them lost with a daemon ({self.lost / max(self.requests, 1):.2%})"
        )
        return "\n".join([*lines, total])


def soak(folder: Path, seconds: int, kills: int) -> Soak:
    """Soak a daemon, and check its books; raises AssertionError where they do not add up."""
    began = time.monotonic()
    options = ("--latency", "0.1", "--latency-spread", "0.5", "--text-chars", "400", "--faults", FAULTS)
    with simulated(*options) as base_url, ThreadPoolExecutor(3) as threads:
        done = _carried(folder, base_url, seconds, kills, threads)
        ledger = stats(base_url)
    for job in done:
        checked = command("fsck", job.id, folder=folder)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    lost = ledger["requests"] - sum(job.calls.sent for job in done)
    assert 0 <= lost <= kills * len(done) * (WIDTH + UNSYNCED), f"{lost} requests were lost in {kills} kills"
    return Soak(time.monotonic() - began, kills, done, ledger["requests"], lost)


def _carried(folder: Path, base_url: str, seconds: int, kills: int, threads: ThreadPoolExecutor) -> list[Job]:
    """Carry the jobs through all kills to their ends; return them, their books checked."""
    with ExitStack() as stack:
        daemon = stack.enter_context(served(folder, base_url))
        client = stack.enter_context(SyncClient(daemon.url, "", patience=PATIENCE))
        port = str(urlsplit(daemon.url).port)
        jobs = [client.submit(spec) for spec in soaking(seconds)]
        followers = [threads.submit(_followed, client, job.id) for job in jobs]
        for kill in range(1, kills + 1):
            goal = soaking(seconds)[0]["space"]["limit"] * kill // (kills + 1)
            reached = client.wait(jobs[0].id, until=lambda job, goal=goal: job.outcomes.total >= goal)  # type: ignore[misc] # a default binds it
            assert not reached.is_over, "the job is over before its daemon was killed: make it longer"
            daemon.process.send_signal(signal.SIGKILL)
            daemon.process.wait()
            daemon = stack.enter_context(served(folder, base_url, "--port", port))
        done = [client.wait(job.id, timeout_seconds=BOUND_SECONDS + 3 * seconds) for job in jobs]
        for job, follower in zip(done, followers, strict=True):
            followed = follower.result(timeout=BOUND_SECONDS)
            corpus = client.download(job.id, folder / job.name)
            rejects = client.download(job.id, folder / job.name / "rejects", "rejects")
            check_books(job, followed, read_shards(corpus), read_shards(rejects))
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(timeout=BOUND_SECONDS) == 0
    return done


def _followed(client: SyncClient, job: str) -> list[Record]:
    return list(client.records(job, follow=True))


def main() -> None:
    """Soak, and print the books."""
    parser = argparse.ArgumentParser(description="Kill a daemon with three jobs again and again, and check its books.")
    parser.add_argument(
        "--seconds", type=int, default=40, help="how long the jobs take at their limits; kills and faults come on top"
    )
    parser.add_argument("--kills", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="corpusmill-soak-") as name:
        print(soak(Path(name), max(options.seconds, 10), options.kills))  # noqa: T201 - output


if __name__ == "__main__":
    main()
