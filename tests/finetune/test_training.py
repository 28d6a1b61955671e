"""TRL itself, on what `finetune --for trl` writes: a tiny model is trained on the CPU (`make trainers`)."""

import json
import math
import os
import re
import subprocess
from pathlib import Path

import pytest

from corpusmill.finetune.lines import CHAT, PAIR, PREFERENCE
from tests.finetune.folders import FORMS, written

ENVIRONMENT = Path(__file__).parents[2] / ".venv-trainers"
SCRIPTS = Path(__file__).parent
END = "<|end|>"

pytestmark = pytest.mark.skipif(
    not (ENVIRONMENT / ".ready").exists(),
    reason=f"{ENVIRONMENT.name} is not there; `make trainers` makes it and runs this",
)


def ran(folder: Path, program: str, *arguments: str | Path) -> str:
    """Run a program of the trainers' environment, with no hub in reach; return its stdout."""
    done = subprocess.run(
        [ENVIRONMENT / "bin" / program, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "cache"), "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="session")
def model(data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a model that knows nothing yet."""
    folder = tmp_path_factory.mktemp("model")
    ran(folder, "python", SCRIPTS / "tiny_model.py", data / "jobs" / "job" / "corpus", folder / "tiny")
    return str(folder / "tiny")


@pytest.mark.parametrize("form", FORMS)
def test_trl_trains_on_the_folder_as_it_is(data: Path, model: str, tmp_path: Path, form: str) -> None:
    folder = tmp_path / "folder"
    written(data, folder, "trl", form, model, options=("--epochs", "1"))
    way = "dpo" if form == PREFERENCE else "sft"
    # What a machine without a GPU needs, and every step in the log.
    told = ran(folder, "trl", way, "--config", "trl.yaml", "--use_cpu", "true", "--logging_steps", "1")
    (end,) = (folder / "out").glob("checkpoint-*")
    state = json.loads((end / "trainer_state.json").read_text())
    steps = [entry for entry in state["log_history"] if "loss" in entry]
    assert [entry["step"] for entry in steps] == list(range(1, state["max_steps"] + 1))
    assert all(math.isfinite(entry["loss"]) and entry["grad_norm"] > 0 for entry in steps)
    # The last checkpoint is saved before the epoch's validation, which is told on stdout alone.
    assert re.search(r"'eval_loss': '?\d+\.\d", told), "never validated"
    adapter = json.loads((folder / "out" / "adapter_config.json").read_text())
    assert (adapter["r"], adapter["lora_alpha"], adapter["base_model_name_or_path"]) == (16, 32, model)
    taught = {str(name).rsplit(".", 1)[-1] for name in adapter["target_modules"]}
    assert taught == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


@pytest.mark.parametrize("form", [CHAT, PAIR])
def test_trl_learns_the_answer_to_its_end_and_nothing_of_the_question(
    data: Path, model: str, tmp_path: Path, form: str
) -> None:
    line = written(data, tmp_path / "folder", "trl", form, model)
    answer = line["completion"] if form == PAIR else line["completion"][0]["content"]
    assert ran(tmp_path / "folder", "python", SCRIPTS / "learnt.py", model).rstrip("\n") == f"{answer}{END}"
