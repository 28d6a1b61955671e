"""What the README shows is true: its spec is accepted and runs, its configuration loads, its commands exist."""

import re
from pathlib import Path

from corpusmill.cli.main import COMMANDS
from corpusmill.config import load_config
from corpusmill.spec.checks import check_spec
from corpusmill.spec.load import parse_spec
from tests.e2e.running import command

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")


def block(language: str) -> str:
    """The fenced block of a language that is marked as checked."""
    found = re.search(rf"<!-- checked by tests/test_readme.py -->\n```{language}\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_spec_is_accepted_and_runs(tmp_path: Path) -> None:
    check_spec(parse_spec(block("yaml").encode(), "yaml"))
    (tmp_path / "plots.yaml").write_text(block("yaml"))
    done = command("run", "plots.yaml", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    for shown in ("spec.json", "corpus/00001.jsonl", "journal", "manifest", "state"):
        assert (tmp_path / "data" / "jobs" / "plots" / shown).exists()
    export = ("export", "plots", "--format", "openai-chat", "--output", "train.jsonl", "--example", "chat")
    assert command(*export, folder=tmp_path).returncode == 0
    assert command("report", "plots", folder=tmp_path).returncode == 0


def test_the_configuration_loads(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(block("toml"))
    assert load_config(path).models["default"].name == "my-model"


def test_every_command_is_listed_and_nothing_else() -> None:
    listed = re.findall(r"^\| `(\w+)[^`]*` \|", README.partition("## Commands")[2].partition("## ")[0], re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (Path(__file__).parent.parent / "Makefile").read_text("utf-8")
    named = set(re.findall(r"make ([a-z-]+)", README))
    assert named <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)) | {"and"}
