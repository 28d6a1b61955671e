"""What the client's README shows runs, against a real daemon."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import corpusmill_client
from corpusmill_client import CorpusmillError
from tests.web.harness import SPEC, daemon

README = (Path(__file__).parents[2] / "clients" / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SHOWN = ["finished", "noir", "space missing"]


@pytest.mark.parametrize(("example", "shown"), [*zip(EXAMPLES, SHOWN, strict=True)])
def test_each_example_runs(tmp_path: Path, example: str, shown: str) -> None:
    (tmp_path / "tales.yaml").write_text(yaml.safe_dump(SPEC))

    def run(url: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", example],
            cwd=tmp_path,
            env={"CORPUSMILL_URL": url},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    async def served() -> "subprocess.CompletedProcess[str]":
        async with daemon(tmp_path / "data") as running:
            return await asyncio.to_thread(run, running.url)

    done = asyncio.run(served())
    assert (done.returncode, done.stderr) == (0, "")
    assert shown in done.stdout


def test_every_error_is_described() -> None:
    errors = [getattr(corpusmill_client, name) for name in corpusmill_client.__all__ if name.endswith("Error")]
    described = set(re.findall(r"`(\w+Error)`", README))
    assert {error.__name__ for error in errors} - {"ApiError"} == described
    assert all(issubclass(error, CorpusmillError) for error in errors)
