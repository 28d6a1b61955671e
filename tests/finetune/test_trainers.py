"""The folders of open trainers: their configuration names what their data has."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from corpusmill.finetune.lines import CHAT, PAIR, PREFERENCE
from corpusmill.finetune.trainers import TRAINERS
from tests.cli.harness import invoke
from tests.finetune.folders import FORMS, run_job, written


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
    apart = trainer in ("trl", "unsloth")
    expected = {
        CHAT: {"prompt", "completion"} if apart else {"messages"},
        PAIR: {"prompt", "completion"},
        PREFERENCE: {"prompt" if apart else "messages", "chosen", "rejected"},
    }
    assert set(line) == expected[form]
    question = line["prompt" if apart else "messages"] if form != PAIR else []
    assert all(set(message) == {"role", "content"} for message in question)


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


TURNS = [("user", "Where?"), ("assistant", "In {{ place }}."), ("user", "What?"), ("assistant", "{{ plot }}")]
ALONE = [("system", "You write."), ("assistant", "{{ plot }}")]


def chats(**named: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "messages": [{"role": role, "content": content} for role, content in turns]}
        for name, turns in named.items()
    ]


def test_of_a_long_chat_everything_from_the_first_answer_on_is_learnt(tmp_path: Path) -> None:
    data = run_job(tmp_path, chats(chat=TURNS))
    together = written(data, tmp_path / "axolotl", "axolotl", CHAT, options=("--allow-shared",))
    apart = written(data, tmp_path / "trl", "trl", CHAT, options=("--allow-shared",))
    assert [message["role"] for message in apart["prompt"]] == ["user"]
    assert [*apart["prompt"], *apart["completion"]] == together["messages"]
    assert [message["role"] for message in together["messages"]] == [role for role, _ in TURNS]


@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_chat_that_trainers_would_leave_out_is_refused_by_name(tmp_path: Path, trainer: str) -> None:
    data = run_job(tmp_path, chats(chat=ALONE))
    options = ("--for", trainer, "--model", "some/model", "--output", tmp_path / "out", "--allow-shared")
    result = invoke("finetune", "job", "--data", data, *options)
    assert "of example chat, is a chat of system, assistant" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_what_llama_factory_shall_take_as_plain_text_has_no_template(data: Path, tmp_path: Path) -> None:
    for form in FORMS:
        written(data, tmp_path / form, "llama-factory", form)
        config = yaml.safe_load((tmp_path / form / "llama_factory.yaml").read_text())
        assert config.get("template") == ("fewshot" if form == PAIR else None)
