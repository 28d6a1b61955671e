"""No template takes unbounded time or memory, or reaches what is closed.

All are tried in one process of its own, with a bound on its memory: there, a template that is not stopped in time ends
in a MemoryError or keeps the process from ending, and the test fails either way.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.spec.attacks import ATTACKS

TIMEOUT_SECONDS = 60


@pytest.fixture(scope="module")
def outcomes() -> dict[str, str]:
    program = [sys.executable, "-m", "tests.spec.attacks"]
    root = Path(__file__).parents[2]
    done = subprocess.run(program, cwd=root, capture_output=True, timeout=TIMEOUT_SECONDS, check=True)
    outcomes: dict[str, str] = json.loads(done.stdout)
    return outcomes


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused(name: str, outcomes: dict[str, str]) -> None:
    assert outcomes[name] in ("TemplateError", "RenderError")
