"""The client's wheel, installed alone: it needs nothing of the service."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
USE = """
import importlib.util, json, sys
from importlib.metadata import requires
from corpusmill_client import Patience, SyncClient, UnreachableError
with SyncClient("http://127.0.0.1:9", "a-key-0123456789abcdef", patience=Patience(seconds=0)) as client:
    try:
        client.submit({"name": "tales"})
    except UnreachableError as error:
        told = str(error)
service = importlib.util.find_spec("corpusmill")
print(json.dumps({"told": told, "service": service is not None, "requires": requires("corpusmill-client")}))
"""


def built(project: Path, folder: Path) -> Path:
    """The wheel of a project."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=60)
    return next(folder.glob("*.whl"))


def test_both_wheels_hold_their_own_package_and_its_types(tmp_path: Path) -> None:
    for project, package, other in (
        (CHECKOUT / "clients", "corpusmill_client", "corpusmill"),
        (CHECKOUT, "corpusmill", "corpusmill_client"),
    ):
        with zipfile.ZipFile(built(project, tmp_path / package)) as wheel:
            names = wheel.namelist()
        assert f"{package}/py.typed" in names
        assert not [name for name in names if name.startswith(f"{other}/")]


def test_the_client_works_where_the_service_is_not(tmp_path: Path) -> None:
    wheel = built(CHECKOUT / "clients", tmp_path / "wheel")
    venv.create(tmp_path / "alone", with_pip=True, symlinks=True)
    python = tmp_path / "alone" / "bin" / "python"
    install = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--retries",
        "1",
        str(wheel),
    ]
    done = subprocess.run(install, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode != 0 and "CI" not in os.environ:
        pytest.skip(f"what the client needs cannot be installed: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    used = subprocess.run(
        [str(python), "-W", "error", "-c", USE], capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False
    )
    assert used.returncode == 0, used.stderr
    found = json.loads(used.stdout)
    assert "127.0.0.1:9 does not answer" in found["told"]
    assert not found["service"]
    assert sorted(need.partition(">")[0].partition("<")[0] for need in found["requires"]) == ["aiohttp", "msgspec"]
