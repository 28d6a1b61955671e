import asyncio
import contextlib
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import aiohttp
import pytest
from click.testing import CliRunner

from corpusmill.cli.simulate import simulate
from corpusmill.simulate import Fault
from tests.simulate.harness import chat_body

PROGRAM = "from corpusmill.cli.simulate import simulate; simulate()"


@contextlib.contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command as a process, and the base URL that its one line tells."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            told = re.fullmatch(r"simulated endpoint ready: (http://\S+/v1) .*\n", process.stderr.readline())
            assert told is not None
            yield process, told[1]
        finally:
            process.kill()


def ask(url: str) -> tuple[int, str]:
    async def scenario() -> tuple[int, str]:
        async with aiohttp.ClientSession() as client, client.post(url, data=chat_body(max_tokens=50)) as response:
            return response.status, await response.text()

    return asyncio.run(scenario())


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_tells_its_address_serves_and_ends_at_a_signal(number: signal.Signals, exit_code: int) -> None:
    with started("--port", "0", "--seed", "4", "--rpm", "100") as (process, base_url):
        status, text = ask(f"{base_url}/chat/completions")
        assert status == 200
        assert '"system_fingerprint":"simulated"' in text
        process.send_signal(number)
        assert process.wait(10) == exit_code
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read() + process.stderr.read() == ""


def test_a_hanging_client_does_not_keep_it_from_ending() -> None:
    with started("--port", "0", "--fault", "hang=1") as (process, base_url):
        host, port = base_url.removeprefix("http://").removesuffix("/v1").split(":")
        with socket.create_connection((host, int(port))) as connection:
            body = chat_body()
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--rpm", "0"], "--rpm: must lie between 1 and"),
        (["--latency", "-1"], "--latency: must lie between"),
        (["--faults", "http_500"], "--faults: 'http_500' is not of the form"),
        (["--faults", "all=0.1"], "--faults: the rates must not add up to more than 1"),
        (["--fault", "refusals=0.1"], "did you mean refusal?"),
        (["--models", "a,,b"], "--models: needs"),
    ],
)
def test_a_bad_value_is_one_clear_line_and_exit_2(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(simulate, arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_port_in_use_is_one_clear_line_and_exit_1() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(simulate, ["--port", str(port)])
    assert result.exit_code == 1
    assert f"port {port} on 127.0.0.1 is in use" in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_address_of_another_machine_is_one_clear_line_and_exit_1() -> None:
    result = CliRunner().invoke(simulate, ["--host", "203.0.113.1", "--port", "0"])
    assert result.exit_code == 1
    assert "cannot listen on 203.0.113.1" in result.stderr
    assert result.stderr.count("\n") == 1


def test_help_names_every_fault() -> None:
    text = re.sub(r"\s+", " ", CliRunner().invoke(simulate, ["--help"]).stdout)
    assert [str(fault) for fault in Fault if str(fault) not in text] == []


def test_importing_the_command_does_not_import_the_server() -> None:
    program = "import sys, corpusmill.cli.simulate; sys.exit('aiohttp' in sys.modules or 'uvloop' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
