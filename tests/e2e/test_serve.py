"""The daemon as a process of its own: signals, kills, locks, its word to systemd."""

import json
import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import PROGRAM, SPEC, command, environment, simulated, stats
from tests.e2e.serving import BOUND_SECONDS, served


def test_jobs_survive_kills_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    with simulated("--latency", "0.1", "--faults", "http_500=0.05,refusal=0.05") as base_url:
        jobs: list[str] = []
        for kill in range(4):
            with served(tmp_path, base_url) as daemon:
                if not jobs:
                    specs = [{**SPEC, "name": f"job-{number}", "limits": {"concurrency": 4}} for number in range(3)]
                    jobs = [daemon.ask("POST", "/api/v1/jobs", spec)["id"] for spec in specs]
                if kill < 3:
                    goal = 40 * (kill + 1)
                    daemon.until(jobs[kill], lambda job, goal=goal: sum(job["outcomes"].values()) >= goal)
                    daemon.process.send_signal(signal.SIGKILL)
                    daemon.process.wait()
                    continue
                ended = [daemon.until(job, lambda job: job["state"] == "finished") for job in jobs]
        ledger = stats(base_url)
    for job in ended:
        assert sum(job["outcomes"].values()) == job["items"] == 200
        folder = tmp_path / "data" / "jobs" / job["id"]
        texts = [shard.read_text() for shard in sorted((folder / "corpus").glob("*.jsonl"))]
        lines = [json.loads(line) for text in texts for line in text.splitlines()]
        assert len(lines) == len({line["id"] for line in lines}) == job["records"] == job["outcomes"]["kept"]
        assert list((folder / "corpus").glob("*.part")) == []
    sent = sum(job["calls"]["sent"] for job in ended)
    assert 0 <= ledger["admitted"] - sent <= 3 * 20, "only what was out when it was killed is paid for again"


def test_sigterm_says_not_ready_first_lets_calls_come_back_and_ends_well(tmp_path: Path) -> None:
    with simulated("--latency", "1.0") as base_url, served(tmp_path, base_url) as daemon:
        job = daemon.ask("POST", "/api/v1/jobs", {**SPEC, "limits": {"concurrency": 4}})["id"]
        daemon.until(job, lambda found: found["in_flight"] == 4)
        assert daemon.status("/readyz") == 200
        daemon.process.send_signal(signal.SIGTERM)
        seen = set()
        while daemon.process.poll() is None:
            try:
                seen.add((daemon.status("/livez"), daemon.status("/readyz")))
            except (urllib.error.URLError, OSError):
                break
        assert (200, 503) in seen, "it answers, and says that it is not ready, until calls are back"
        assert daemon.process.wait(timeout=BOUND_SECONDS) == 0
        assert '"event":"daemon_stopping"' in daemon.log()
        assert stats(base_url)["in_flight"] == 0
    folder = tmp_path / "data" / "jobs" / job
    assert any((folder / "journal").iterdir())


def test_a_second_signal_does_not_wait_for_calls(tmp_path: Path) -> None:
    with simulated("--latency", "300") as base_url, served(tmp_path, base_url) as daemon:
        job = daemon.ask("POST", "/api/v1/jobs", SPEC)["id"]
        daemon.until(job, lambda found: found["in_flight"] > 0)
        daemon.process.send_signal(signal.SIGTERM)
        while daemon.status("/readyz") != 503:
            pass
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(timeout=20) == 0


def test_a_data_directory_has_one_daemon(tmp_path: Path) -> None:
    with simulated() as base_url, served(tmp_path, base_url) as daemon:
        second = subprocess.run(
            [*PROGRAM, "serve", "--port", "0"],
            cwd=tmp_path,
            env=environment(base_url),
            capture_output=True,
            text=True,
            timeout=BOUND_SECONDS,
            check=False,
        )
        assert second.returncode == 1
        assert second.stderr == f"corpusmill: another daemon serves data, in process {daemon.process.pid}\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--host", "0.0.0.0"], "server.host: 0.0.0.0 is open to others, and no key is configured"),
        (["--config", "none.toml"], "none.toml: cannot be read"),
        (["--host", "203.0.113.1"], "server.host: 203.0.113.1 is open to others"),
        (["--config", "keyless.toml"], "endpoints.far.api_key_env: the variable NOT_SET is not set"),
    ],
)
def test_what_cannot_be_served_is_told_in_one_line(tmp_path: Path, options: list[str], told: str) -> None:
    (tmp_path / "keyless.toml").write_text(
        '[endpoints.far]\nbase_url = "http://127.0.0.1:9/v1"\napi_key_env = "NOT_SET"\n'
        '[models.m]\nendpoint = "far"\nname = "m"\n'
    )
    done = subprocess.run(
        [*PROGRAM, "serve", "--port", "0", *options],
        cwd=tmp_path,
        env=environment("http://127.0.0.1:9/v1"),
        capture_output=True,
        text=True,
        timeout=BOUND_SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_systemd_is_told_when_it_is_ready_alive_and_about_to_end(tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(address))
        listening.settimeout(BOUND_SECONDS)
        more = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "200000"}
        with simulated() as base_url, served(tmp_path, base_url, **more) as daemon:
            words = {listening.recv(100) for _ in range(4)}
            assert words == {b"READY=1", b"WATCHDOG=1"}
            daemon.process.send_signal(signal.SIGTERM)
            while listening.recv(100) != b"STOPPING=1":
                pass
            assert daemon.process.wait(timeout=BOUND_SECONDS) == 0


CONFIGURED = """
data = "data"
[endpoints.local]
base_url = "{base_url}"
requests_per_minute = {rpm}
[models.default]
endpoint = "local"
name = "simulated"
prices = {{input = 0, output = {output}}}
"""


def test_limits_and_prices_are_reloaded_while_a_job_runs_and_a_mistake_changes_nothing(tmp_path: Path) -> None:
    """At 60 calls a minute the job would take more than three; a token costs a thousand times more after the reload."""
    path = tmp_path / "corpusmill.toml"
    dollars = {"old": Decimal(1) / 10**6, "new": Decimal(1000) / 10**6}

    def told(job: dict[str, Any]) -> tuple[int, Decimal]:
        return job["tokens"]["output"], Decimal(str(job["cost_usd"]))

    with simulated() as base_url:
        path.write_text(CONFIGURED.format(base_url=base_url, rpm=60, output=1))
        with served(tmp_path, base_url, "--config", str(path)) as daemon:
            job = daemon.ask("POST", "/api/v1/jobs", SPEC)["id"]
            first = daemon.until(job, lambda found: found["calls"]["answered"] > 0)
            assert told(first)[1] == told(first)[0] * dollars["old"]
            mistakes = ("[server]\nprot = 1", "no TOML", CONFIGURED.format(base_url=base_url, rpm=0, output=7))
            for count, mistake in enumerate(mistakes, 1):
                path.write_text(mistake)
                daemon.process.send_signal(signal.SIGHUP)
                daemon.until_logged("config_reloaded", count)
            limits = [
                bucket["limit"] for bucket in daemon.ask("GET", "/api/v1/service")["endpoints"]["local"]["buckets"]
            ]
            assert limits == [60]
            sent = first["calls"]["answered"]
            second = daemon.until(job, lambda found: found["calls"]["answered"] > sent + 1)
            assert told(second)[1] == told(second)[0] * dollars["old"]
            path.write_text(CONFIGURED.format(base_url=base_url, rpm=60_000, output=1000))
            daemon.process.send_signal(signal.SIGHUP)
            lines = daemon.until_logged("config_reloaded", 4)
            limits = [
                bucket["limit"] for bucket in daemon.ask("GET", "/api/v1/service")["endpoints"]["local"]["buckets"]
            ]
            assert limits == [60_000]
            third = daemon.ask("GET", f"/api/v1/jobs/{job}")
            done = daemon.until(job, lambda found: found["state"] == "finished")
            tokens, cost = told(done)
            assert cost >= told(second)[1] + (tokens - told(third)[0]) * dollars["new"]
            assert cost <= told(second)[1] + (tokens - told(second)[0]) * dollars["new"]
    assert "unknown key" in lines[0]["error"]
    assert "corpusmill.toml: " in lines[1]["error"]
    assert "requests_per_minute" in lines[2]["error"]
    assert "error" not in lines[3]


def test_config_check_says_what_is_wrong_and_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "corpusmill.toml"

    def check(text: str) -> "subprocess.CompletedProcess[str]":
        path.write_text(text)
        return subprocess.run(
            [*PROGRAM, "config", "check", "--config", str(path)],
            env={**environment(None), "LANG": os.environ.get("LANG", "C")},
            capture_output=True,
            text=True,
            timeout=BOUND_SECONDS,
            check=False,
        )

    good = check(CONFIGURED.format(base_url="http://localhost:1/v1", rpm=60, output=1))
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.startswith("the configuration can be used: 1 endpoints, 1 models, 0 keys")
    bad = check('[keys.a]\nkey_env = "NOT_SET"\n')
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr == "corpusmill: keys.a.key_env: the variable NOT_SET is not set\n"


def test_what_a_refold_made_of_a_job_is_what_the_daemon_serves(tmp_path: Path) -> None:
    with simulated("--text-chars", "400") as base_url, served(tmp_path, base_url) as daemon:
        job = daemon.ask("POST", "/api/v1/jobs", SPEC)["id"]
        daemon.until(job, lambda found: found["state"] == "finished")
        path = f"/api/v1/jobs/{job}"
        before = daemon.ask("GET", path + "/report")
        lengths = sorted(len(json.loads(line)["completion"]) for line in daemon.read(path + "/records").splitlines())
        spec = tmp_path / "spec.json"
        spec.write_text(json.dumps({**SPEC, "filters": [{"of": "plot", "min_chars": lengths[100] - 5}]}))
        done = command("refold", job, "--spec", spec, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        report, shards = daemon.ask("GET", path + "/report"), daemon.ask("GET", path + "/shards")["items"]
        records, shard = daemon.read(path + "/records"), daemon.read(f"{path}/shards/{shards[0]['name']}")
    made = tmp_path / "data" / "jobs" / job / "generations" / "0002" / "corpus"
    assert 0 < report["outcomes"]["kept"] < before["outcomes"]["kept"]
    assert len(records.splitlines()) == report["outcomes"]["kept"] == sum(each["records"] for each in shards)
    assert shard == (made / shards[0]["name"]).read_bytes()


def test_a_job_that_the_daemon_runs_is_not_repaired_folded_or_purged(tmp_path: Path) -> None:
    with simulated("--latency", "0.2") as base_url, served(tmp_path, base_url) as daemon:
        job = daemon.ask("POST", "/api/v1/jobs", {**SPEC, "limits": {"concurrency": 2}})["id"]
        daemon.until(job, lambda found: found["calls"]["answered"] > 0)
        spec = tmp_path / "spec.json"
        spec.write_text(json.dumps(SPEC))
        for arguments in (["fsck", job, "--repair"], ["refold", job, "--spec", spec]):
            refused = command(*arguments, folder=tmp_path)
            assert (refused.returncode, refused.stdout) == (1, "")
            assert refused.stderr.endswith(f"is running already, in process {daemon.process.pid}\n")
        refused = command("purge", job, "--yes", folder=tmp_path)
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
        assert "its journal is needed" in refused.stderr
        folder = tmp_path / "data" / "jobs" / job
        assert any((folder / "journal").iterdir())
        assert not (folder / "generations").exists()
