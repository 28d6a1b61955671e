"""The command line as a person uses it: in this process, or in one of its own where exit codes and streams count."""

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from corpusmill.cli.main import cli

UNSET = ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL", "CORPUSMILL_CONFIG", "CORPUSMILL_DATA")


def environ(**variables: str) -> dict[str, str]:
    """The environment without what would change a command's mind, and with these variables."""
    return {name: value for name, value in os.environ.items() if name not in UNSET} | variables


def invoke(*arguments: str | Path, **variables: str) -> Result:
    """Run a command in this process; an error is in the result's `exception`."""
    unset: dict[str, str | None] = dict.fromkeys(UNSET)
    return CliRunner().invoke(cli, [str(each) for each in arguments], env={**unset, **variables}, standalone_mode=False)


def output(*arguments: str | Path, **variables: str) -> str:
    """Run a command in this process that must succeed; return what it prints on stdout."""
    result = invoke(*arguments, **variables)
    if result.exception is not None:
        raise result.exception
    return result.stdout


def process(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own."""
    command = [sys.executable, "-m", "corpusmill", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environ(**variables), timeout=60)


def refused(*arguments: str | Path, exit_code: int = 2, **variables: str) -> str:
    """Run a command that must fail as a process of its own: one line on stderr, nothing on stdout; return the line."""
    done = process(*arguments, **variables)
    assert (done.returncode, done.stdout) == (exit_code, ""), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.rstrip("\n")
