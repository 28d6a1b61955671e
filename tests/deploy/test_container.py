"""The container image: what its Dockerfile says, and what comes of its steps, acted out without an engine."""

import fnmatch
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.dockerfile import Tree, environment, stages, words
from tests.deploy.names import ROOT

BUILD, FINAL = stages(ROOT / "Dockerfile")
STRANGER = 10001
"""The user of the image."""

acted_out = pytest.mark.skipif(
    not {"CI", "CONTAINER"} & set(os.environ), reason="installs packages for a minute; `make container` runs it"
)


def test_both_stages_stand_on_the_same_pinned_interpreter() -> None:
    assert BUILD.base == FINAL.base
    assert re.fullmatch(r"python:3\.1[1-3]-slim", FINAL.base)


def test_what_runs_is_no_root_and_gets_signals_itself() -> None:
    assert [step.rest for step in FINAL.of("USER")] == [f"{STRANGER}:{STRANGER}"]
    assert [step.word for step in FINAL.steps[-2:]] == ["ENTRYPOINT", "CMD"]
    assert FINAL.of("ENTRYPOINT")[0].argv == ["corpusmill"]
    assert FINAL.of("STOPSIGNAL")[0].rest == "SIGTERM"


def test_what_runs_has_only_what_was_built() -> None:
    (copy,) = FINAL.of("COPY")
    assert copy.rest.startswith(f"--from={BUILD.name} ")
    assert all("pip" not in step.rest and "apt" not in step.rest for step in FINAL.of("RUN"))


def test_everything_from_an_index_has_a_hash_and_nothing_else_is_asked_of_it() -> None:
    installs = [step.rest for step in BUILD.of("RUN") if re.search(r"pip .*(install|wheel)", step.rest)]
    assert len(installs) == 4
    for install in installs:
        options = words(install)
        assert "--require-hashes" in options or "--no-deps" in options
        assert "--no-deps" not in options or {"--no-index", "--no-build-isolation"} & set(options)


def test_the_build_sees_what_it_copies_and_no_more() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    seen = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {source for step in BUILD.of("COPY") for source in step.rest.split()[:-1]}
    assert rules[0] == "*"
    assert copied == seen
    assert not [source for source in copied if fnmatch.fnmatch(source, "*secret*")]


def test_the_health_check_asks_the_port_that_is_served() -> None:
    (check,) = FINAL.of("HEALTHCHECK")
    assert f"http://127.0.0.1:{FINAL.of('EXPOSE')[0].rest}/livez" in check.argv[-1]


@pytest.fixture(scope="module")
def image() -> Iterator[Tree]:
    """What the build stage makes, where the image has it; writable for nobody but its builder."""
    root = Path(tempfile.mkdtemp(prefix="corpusmill-image-"))
    root.chmod(0o755)
    try:
        tree = Tree(root, ROOT, _python())
        tree.build(BUILD)
        (root / "etc" / "corpusmill").mkdir(parents=True)
        (root / "etc" / "corpusmill" / "corpusmill.toml").touch()
        _data(tree).mkdir(parents=True)
        subprocess.run(["chmod", "-R", "a+rX,a-w", str(root)], check=True)
        _data(tree).chmod(0o755)
        if os.getuid() == 0:
            os.chown(_data(tree), STRANGER, STRANGER)
        yield tree
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(root)], check=True)
        shutil.rmtree(root)


@acted_out
def test_the_image_has_the_program_and_the_client_and_no_pip(image: Tree) -> None:
    shown = _run(image, [_binary(image, "corpusmill"), "--version"])
    assert re.fullmatch(r"corpusmill, version \d+\.\d+\.\d+\n", shown.stdout)
    python = _binary(image, "python")
    assert _run(image, [python, "-c", "import corpusmill_client, pyarrow, py3langid"]).stderr == ""
    assert "No module named pip" in _run(image, [python, "-m", "pip"]).stderr


@acted_out
def test_it_refuses_to_serve_everybody_without_a_key(image: Tree) -> None:
    done = _run(image, _command(image))
    assert done.returncode == 2, done.stderr
    assert "no key is configured" in done.stderr


@acted_out
def test_it_serves_from_a_read_only_tree_is_healthy_and_ends_when_told(image: Tree) -> None:
    port = FINAL.of("EXPOSE")[0].rest
    command = [*_command(image), "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **_place(image)) as daemon:
        try:
            assert daemon.stderr is not None
            told = (re.search(r"http://([\d.]+:\d+)(?!.*/v1)", line) for line in daemon.stderr)
            address = next(found for found in told if found is not None)
            check = [word.replace(f"127.0.0.1:{port}", address.group(1)) for word in FINAL.of("HEALTHCHECK")[0].argv]
            check[0] = _binary(image, check[0])
            assert _run(image, check).returncode == 0
            daemon.send_signal(getattr(signal, FINAL.of("STOPSIGNAL")[0].rest))
            daemon.communicate(timeout=30)
            assert daemon.returncode == 0
            assert _run(image, check).returncode != 0
        finally:
            daemon.kill()


def _python() -> str:
    """An interpreter that other users may run too, if there is one."""
    for python in ("/usr/local/bin/python3", "/usr/bin/python3"):
        if Path(python).exists():
            code = "import sys, venv, pip, ensurepip; sys.exit(sys.version_info < (3, 11))"
            if subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0:
                return python
    return sys.executable


def _binary(image: Tree, name: str) -> str:
    return str(image.root / "opt" / "corpusmill" / "bin" / name)


def _data(image: Tree) -> Path:
    return image.root / "var" / "lib" / "corpusmill"


def _place(image: Tree) -> Any:
    """Where, as whom and with which environment a process of the container runs."""
    user = {"user": STRANGER, "group": STRANGER, "extra_groups": []} if os.getuid() == 0 else {}
    environ = environment(image.root / "opt" / "corpusmill" / "bin", _data(image), {})
    return {"cwd": _data(image), "env": {**environ, "PYTHONDONTWRITEBYTECODE": "1"}, **user}


def _run(image: Tree, command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, **_place(image), capture_output=True, text=True, check=False, timeout=60)


def _command(image: Tree) -> list[str]:
    """What the container runs."""
    argv = FINAL.of("ENTRYPOINT")[0].argv + FINAL.of("CMD")[0].argv
    return [_binary(image, argv[0]), *(image.below(word) for word in argv[1:])]
