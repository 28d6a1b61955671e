"""The commands that ask a daemon, against a real one in this process."""

import asyncio
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace
from rich.console import Console

from corpusmill.cli.remote.job_text import job_text
from corpusmill.cli.remote.screen import screen
from corpusmill_client import Budget, Client, Gate, Job, Rate
from corpusmill_client.objects import Bucket
from tests.cli.harness import environ
from tests.web.harness import LONG, SPEC, daemon, spec

KEY = "a-key-of-the-tests-0123456789"


class Shell:
    """A person at a terminal who asks one daemon."""

    def __init__(self, url: str, folder: Path) -> None:
        self._variables = {"CORPUSMILL_URL": url, "CORPUSMILL_API_KEY": KEY}
        self._folder = folder

    def process(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "corpusmill", *arguments],
            cwd=self._folder,
            env=environ(**{**self._variables, **variables}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def text(self, *arguments: str) -> str:
        """What a command that must succeed prints."""
        done = self.process(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def interrupted(self, *arguments: str) -> int:
        """Start a command, interrupt it at its first line; return its exit code."""
        command = [sys.executable, "-m", "corpusmill", *arguments]
        variables = environ(**self._variables)
        pipe = subprocess.PIPE
        with subprocess.Popen(command, cwd=self._folder, env=variables, stdout=pipe, stderr=pipe) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=60)
            assert b"Traceback" not in told
        return process.returncode

    def left(self, *arguments: str) -> tuple[int, str]:
        """Run a command whose output nobody reads any more; return its exit code and what it says."""
        reading, writing = os.pipe()
        command = [sys.executable, "-m", "corpusmill", *arguments]
        variables, pipe = environ(**self._variables), subprocess.PIPE
        os.close(reading)
        with subprocess.Popen(command, cwd=self._folder, env=variables, stdout=writing, stderr=pipe) as process:
            os.close(writing)
            _, told = process.communicate(timeout=60)
        return process.returncode, told.decode()

    def json(self, *arguments: str) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.text(*arguments, "--json"))

    def terminal(self, *arguments: str) -> tuple[int, str]:
        """Run a command on a terminal; return its exit code and what was drawn."""
        leader, follower = pty.openpty()
        command = [sys.executable, "-m", "corpusmill", *arguments]
        variables = environ(**self._variables, TERM="xterm", COLUMNS="160", LINES="40")
        with subprocess.Popen(command, cwd=self._folder, env=variables, stdout=follower, stderr=follower) as process:
            os.close(follower)
            drawn = bytearray()
            try:
                while chunk := os.read(leader, 65536):
                    drawn += chunk
            except OSError:
                pass  # the other side of the terminal is closed
            os.close(leader)
        return process.returncode, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn.decode())


def at_a_daemon(folder: Path, story: Callable[[Shell], None]) -> None:
    """Tell a story beside a daemon that has a key."""

    async def served() -> None:
        environment = {"CORPUSMILL_SERVER_KEY": KEY}
        async with daemon(folder / "data", environ=environment, key=KEY) as running:
            await asyncio.to_thread(story, Shell(running.url, folder))

    asyncio.run(served())


def write(folder: Path, document: dict[str, Any]) -> str:
    """Write a spec; return its name."""
    (folder / "spec.yaml").write_text(yaml.safe_dump(document))
    return "spec.yaml"


def test_a_spec_with_an_axis_file_goes_to_a_daemon_and_its_corpus_comes_back(tmp_path: Path) -> None:
    (tmp_path / "genres.txt").write_text("noir\nwestern\n")
    name = write(tmp_path, spec(space={"axes": {"genre": {"file": "genres.txt"}, "n": [*range(9)]}, "limit": 12}))

    def story(shell: Shell) -> None:
        job = shell.text("submit", name, "--priority", "low", "--weight", "1", "--idempotency-key", "k").strip()
        assert shell.json("submit", name, "--priority", "low", "--weight", "1", "--idempotency-key", "k")["id"] == job
        events = [json.loads(line) for line in shell.text("watch", job).splitlines()]
        done = events[-1]["job"]
        assert (done["state"], sum(done["outcomes"].values())) == ("finished", 12)
        assert shell.json("show", job) == done
        assert f"{job}: finished, 12 of 12 items done" in shell.text("show", job)
        assert [each["id"] for each in shell.json("jobs")["items"]] == [job]
        assert re.search(rf"^{job} +finished +12 of 12", shell.text("jobs"), re.MULTILINE)
        files = shell.text("download", job, "corpus").splitlines()
        assert sum((tmp_path / file).read_text().count("\n") for file in files) == done["records"]
        assert shell.json("download", job, "corpus")["files"] == files

    at_a_daemon(tmp_path, story)


def test_a_job_is_paused_resumed_and_cancelled(tmp_path: Path) -> None:
    name = write(tmp_path, spec(space={**SPEC["space"], "limit": None, "draws": 10}))

    def story(shell: Shell) -> None:
        job = shell.json("submit", name)["id"]
        assert shell.text("pause", job).startswith(f"{job}: paused")
        assert shell.json("resume", job)["state"] in {"queued", "running"}
        assert shell.interrupted("watch", job) == 130
        assert shell.json("show", job)["state"] == "running", "who stops watching stops nothing else"
        assert shell.json("cancel", job)["state"] == "cancelled"
        assert shell.process("watch", job).returncode == 1
        refused = shell.process("resume", job)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == "corpusmill: a job that is cancelled cannot be resumed; that is final\n"

    at_a_daemon(tmp_path, story)


def test_a_terminal_shows_a_job_live_and_then_what_it_came_to(tmp_path: Path) -> None:
    name = write(tmp_path, spec(space={**SPEC["space"], "limit": 100}, budget={"calls": 500}))

    def story(shell: Shell) -> None:
        code, drawn = shell.terminal("submit", name, "--watch")
        assert code == 0, drawn
        assert re.search(r"running.*of 100", drawn, re.DOTALL)
        assert "of 500 calls" in drawn
        assert re.search(r"simulated +\d+ of [\d,]+ calls out", drawn)
        assert re.search(r"finished, 100 of 100 items done", drawn)

    at_a_daemon(tmp_path, story)


def test_what_is_wrong_is_told_in_one_line_and_the_key_is_not(tmp_path: Path) -> None:
    name = write(tmp_path, spec(steps=[{"name": "plot", "model": "nowhere", "prompt": "{{ gnere }}"}]))

    def story(shell: Shell) -> None:
        for arguments, code, told, variables in (
            (("submit", name), 2, "steps[0].prompt", {}),
            (("submit", "none.yaml"), 2, "none.yaml: cannot be read", {}),
            (("show", "none"), 1, "no job 'none'", {}),
            (("jobs",), 1, "this API key is unknown", {"CORPUSMILL_API_KEY": "another-key-0123456789"}),
            (("jobs",), 1, "is the daemon running", {"CORPUSMILL_URL": "http://127.0.0.1:9"}),
            (
                ("jobs",),
                2,
                "CORPUSMILL_URL or --url: the daemon's address is an http or https URL",
                {"CORPUSMILL_URL": "nowhere"},
            ),
            (("jobs",), 2, "characters that no key has", {"CORPUSMILL_API_KEY": f"{KEY} {KEY}"}),
            (("jobs",), 2, "cannot be read", {"CORPUSMILL_API_KEY_FILE": "none.key"}),
        ):
            done = shell.process(*arguments, **variables)
            assert (done.returncode, done.stdout) == (code, ""), done.stderr
            assert told in done.stderr
            assert done.stderr.count("\n") == 1
            assert KEY not in done.stderr
        assert shell.json("jobs")["items"] == []

    at_a_daemon(tmp_path, story)


@pytest.mark.parametrize(
    "arguments", [("watch",), ("watch", "--json"), ("show",), ("show", "--json"), ("jobs",), ("jobs", "--json")]
)
def test_who_reads_the_output_may_leave(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """As `corpusmill watch JOB | head -1` does."""
    name = write(tmp_path, LONG)

    def story(shell: Shell) -> None:
        job = shell.json("submit", name)["id"]
        named = [*arguments[:1], *([job] if arguments[0] != "jobs" else []), *arguments[1:]]
        assert shell.left(*named) == (1, ""), "no traceback; click ends a command so whose output nobody reads"
        assert shell.json("show", job)["state"] in {"queued", "running"}

    at_a_daemon(tmp_path, story)


def test_a_key_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "daemon.key").write_text(f"{KEY}\n")

    def story(shell: Shell) -> None:
        done = shell.process("jobs", "--json", CORPUSMILL_API_KEY="", CORPUSMILL_API_KEY_FILE="daemon.key")
        assert (done.returncode, json.loads(done.stdout)["items"]) == (0, [])

    at_a_daemon(tmp_path, story)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job as a daemon tells it."""

    async def submitted() -> Job:
        async with daemon(tmp_path) as running, Client(running.url, "") as client:
            return await client.wait((await client.submit(SPEC)).id)

    return asyncio.run(submitted())


def test_the_screen_and_the_text_show_what_a_job_waits_for_and_take_no_orders(job: Job) -> None:
    hostile = replace(
        job,
        state="running",
        error="the disk is full\x1b[2J [red]",
        rejected_by={"too_short": 3, "\x1b]0;title": 9},
        budget=Budget(usd=5.0),
        rate=Rate(12.5, 3725),
    )
    gate = Gate(
        buckets=[Bucket("requests_per_minute", 3000, 10, 2800)],
        queue_depth=7,
        in_flight=40,
        width=64,
        held_by="requests_per_minute",
    )
    console = Console(width=200, file=io.StringIO(), force_terminal=False)
    with console.capture() as captured:
        console.print(screen(hostile, {"local": gate, "spare": replace(gate, paused_by="quota", paused_seconds=60.0)}))
    drawn = captured.get()
    for shown in (
        "the disk is full",
        "about 1:02:05 left",
        "12.5/s",
        "of $5.00",
        "too_short 3",
        "40 of 64 calls out, 7 wait",
        "requests per minute 2,800/min of 3,000",
        "held by requests per minute",
        "paused for 60 s: quota",
    ):
        assert shown in drawn
    assert "\x1b" not in drawn
    assert "\x1b" not in job_text(hostile)
