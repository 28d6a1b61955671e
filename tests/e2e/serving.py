"""Starts the daemon, as a process of its own."""

import json
import re
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.running import PROGRAM, environment

BOUND_SECONDS = 60


class Served:
    """A daemon that runs."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self.process, self.url = process, url
        assert process.stderr is not None
        self._log: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=[process.stderr], daemon=True)
        self._reader.start()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the API; return its JSON."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, content, headers, method=method)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def read(self, path: str) -> bytes:
        """The content of a GET."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:  # noqa: S310 - loopback
            return bytes(answer.read())

    def status(self, path: str) -> int:
        """The status of a GET."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:  # noqa: S310 - loopback
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def until(self, job: str, reached: Any) -> dict[str, Any]:
        """Read a job's events until one is as wanted."""
        request = f"{self.url}/api/v1/jobs/{job}/events"
        with urllib.request.urlopen(request, timeout=BOUND_SECONDS) as stream:  # noqa: S310 - loopback
            for line in stream:
                if line.startswith(b"data: "):
                    found: dict[str, Any] = json.loads(line[6:])
                    if reached(found):
                        return found
        raise AssertionError("the job ended before")

    def until_logged(self, event: str, times: int) -> list[dict[str, Any]]:
        """Return the lines of an event as soon as there are so many."""

        def found() -> list[dict[str, Any]]:
            lines = [json.loads(line) for line in self._log if line.startswith("{")]
            return [line for line in lines if line["event"] == event]

        with self._news:
            assert self._news.wait_for(lambda: len(found()) >= times, BOUND_SECONDS), self._log
            return found()

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            with self._news:
                self._log.append(line)
                self._news.notify_all()

    def log(self) -> str:
        """What it wrote, once it has ended."""
        self._reader.join(timeout=10)
        return "".join(self._log)


@contextmanager
def served(folder: Path, base_url: str | None, *options: str, **more: str) -> Iterator[Served]:
    """A daemon over `folder`/data; it is killed in the end if it has not ended by then."""
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0", *options],
        cwd=folder,
        env=environment(base_url, **more),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        lines = [process.stderr.readline()]
        while lines[-1] and "corpusmill ready" not in lines[-1]:
            lines.append(process.stderr.readline())
        ready = re.search(r"corpusmill ready: (\S+)", lines[-1])
        assert ready is not None, lines
        daemon = Served(process, ready.group(1))
        try:
            yield daemon
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
            daemon.log()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        if process.stderr is not None:
            process.stderr.close()
