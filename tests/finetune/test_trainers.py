"""The folders of open trainers: their configuration names what their data has."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from corpusmill.finetune.trainers import CHAT, PAIR, PREFERENCE, TRAINERS
from tests.cli.harness import invoke
from tests.e2e.running import command, write_spec

STEPS = [{"name": "plot", "prompt": "Imagine a plot for a {{ genre }} film set in {{ place }}."}]
SPACE = {"axes": {"genre": ["noir", "western"], "place": [f"the town {n}" for n in range(30)]}}
ASKED = "{{ genre }} in {{ place }}:"
EXAMPLES = [
    {"name": "pair", "prompt": ASKED, "completion": " {{ plot }} END"},
    {
        "name": "chat",
        "messages": [
            {"role": "system", "content": "You write."},
            {"role": "user", "content": ASKED},
            {"role": "assistant", "content": "{{ plot }}"},
        ],
    },
    {"name": "better", "prompt": ASKED, "chosen": "{{ plot }}", "rejected": "No idea: {{ index }}"},
]
FORMS = {CHAT: "chat", PAIR: "pair", PREFERENCE: "better"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a job with all three forms."""
    folder = tmp_path_factory.mktemp("trainers")
    split = {"validation": 0.2, "by": "place"}
    spec = write_spec(folder, space=SPACE, steps=STEPS, examples=EXAMPLES, split=split, filters=[])
    done = command("run", spec, "--quiet", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder / "data"


def written(data: Path, output: Path, trainer: str, form: str) -> dict[str, Any]:
    """Write a folder; return the first line of its data."""
    options = ("--for", trainer, "--model", "some/model", "--output", output, "--format", form)
    result = invoke("finetune", "job", "--data", data, "--example", FORMS[form], *options)
    assert result.exception is None, result.exception
    assert (output / "data" / "validation.jsonl").stat().st_size > 0
    line: dict[str, Any] = json.loads((output / "data" / "training.jsonl").read_text().splitlines()[0])
    return line


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("trainer", TRAINERS)
def test_every_trainer_has_a_folder_for_every_form(data: Path, tmp_path: Path, trainer: str, form: str) -> None:
    output = tmp_path / "out"
    line = written(data, output, trainer, form)
    for path in output.rglob("*.yaml"):
        config = yaml.safe_load(path.read_text())
        assert "some/model" in config.values()
    for path in output.rglob("*.py"):
        ast.parse(path.read_text())
    expected = {CHAT: {"messages"}, PAIR: {"prompt", "completion"}}
    asked = "prompt" if trainer in ("trl", "unsloth") else "messages"
    assert set(line) == expected.get(form, {asked, "chosen", "rejected"})


def test_the_fields_that_axolotl_is_told_of_are_there(data: Path, tmp_path: Path) -> None:
    for form in FORMS:
        output = tmp_path / form
        line = written(data, output, "axolotl", form)
        config = yaml.safe_load((output / "axolotl.yaml").read_text())
        source = {**config["datasets"][0], **(config["datasets"][0]["type"] if form == PAIR else {})}
        assert {value for key, value in source.items() if key.startswith("field_")} == set(line)
        assert (output / source["path"]).exists()
        assert (output / config["test_datasets"][0]["path"]).exists()
        assert config.get("rl") == ("dpo" if form == PREFERENCE else None)


def test_the_files_and_columns_that_llama_factory_is_told_of_are_there(data: Path, tmp_path: Path) -> None:
    for form in FORMS:
        output = tmp_path / form
        line = written(data, output, "llama-factory", form)
        config = yaml.safe_load((output / "llama_factory.yaml").read_text())
        named = json.loads((output / "data" / "dataset_info.json").read_text())
        for key in ("dataset", "eval_dataset"):
            entry = named[config[key]]
            assert (output / config["dataset_dir"] / entry["file_name"]).exists()
            assert set(entry["columns"].values()) == set(line)


def test_nothing_is_left_of_a_folder_that_cannot_be_written(data: Path, tmp_path: Path) -> None:
    options = ("--for", "trl", "--model", "some/model", "--output", tmp_path / "out", "--format", PREFERENCE)
    result = invoke("finetune", "job", "--data", data, "--example", "chat", *options)
    assert result.exception is not None
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    again = invoke("finetune", "job", "--data", data, "--example", "better", *options)
    assert "is there already" in str(again.exception)
