"""Reads a Dockerfile, and acts out its steps without a container engine.

Rules of this file: paths of the image are below a folder; what an engine would give beyond files, users and commands
(namespaces, layers, the base image) is not here. It reads what our Dockerfile uses, and refuses the rest.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

INSTRUCTIONS = frozenset(
    "FROM RUN COPY ENV USER WORKDIR VOLUME EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD".split()  # noqa: SIM905 - reads as a list
)
STEP_SECONDS = 240


class Instruction(msgspec.Struct, frozen=True):
    """One line: its word, and what follows."""

    word: str
    rest: str

    @property
    def argv(self) -> list[str]:
        """Its JSON array, the form in which no shell stands between."""
        found: list[str] = json.loads(self.rest[self.rest.index("[") :])
        return found


class Stage(msgspec.Struct, frozen=True):
    """A stage: its base image, its name and its instructions."""

    base: str
    name: str
    steps: list[Instruction]

    def of(self, word: str) -> list[Instruction]:
        """Its instructions of one kind."""
        return [step for step in self.steps if step.word == word]


def stages(path: Path) -> list[Stage]:
    """Read a Dockerfile."""
    found: list[Stage] = []
    for line in re.sub(r"\\\n", " ", path.read_text()).splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        assert word in INSTRUCTIONS, line
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base, name, []))
        else:
            found[-1].steps.append(Instruction(word, rest))
    return found


class Tree:
    """The file system of an image, below a folder.

    Args:
        root: the folder.
        context: what the build sees.
        python: stands for the base image's `python`.
    """

    def __init__(self, root: Path, context: Path, python: str) -> None:
        self.root, self._context = root, context
        self._bin = root / "usr" / "local" / "bin"
        self._bin.mkdir(parents=True)
        (self._bin / "python").symlink_to(python)
        self.folder = root

    def build(self, stage: Stage) -> None:
        """Act out WORKDIR, COPY from the context, and RUN."""
        for step in stage.steps:
            if step.word == "WORKDIR":
                self.folder = self.root / step.rest.lstrip("/")
                self.folder.mkdir(parents=True, exist_ok=True)
            elif step.word == "COPY":
                self._copy(step.rest.split())
            elif step.word == "RUN":
                self._run(step.rest)

    def below(self, text: str) -> str:
        """Text with each absolute path put below the root."""
        return re.sub(r"(?<![\w.:/}>])/(?=(opt|src|wheels|var|etc)\b)", f"{self.root}/", text)

    def _copy(self, words: list[str]) -> None:
        *sources, target = words
        for source in sources:
            found, place = self._context / source, self.folder / target
            if found.is_dir():
                shutil.copytree(found, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(found, place)

    def _run(self, command: str) -> None:
        done = subprocess.run(
            ["/bin/sh", "-ec", self.below(command)],
            cwd=self.folder,
            env=environment(self._bin, Path.home()),
            capture_output=True,
            text=True,
            check=False,
            timeout=STEP_SECONDS,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr[-2000:]}"


def environment(first: Path, home: Path, more: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a container: a path and a home, and how packages are reached from here."""
    kept = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE")
    passed = {name: value for name, value in more.items() if name.startswith(kept)}
    return {"PATH": f"{first}:/usr/bin:/bin", "HOME": str(home), **passed}


def words(text: str) -> list[str]:
    """The words of a shell command."""
    return shlex.split(text)
