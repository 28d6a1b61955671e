"""A job with a chat, a pair and a preference for each item, and the folders that open trainers get of it."""

import json
from pathlib import Path
from typing import Any

from corpusmill.finetune.lines import CHAT, PAIR, PREFERENCE
from tests.cli.harness import invoke
from tests.e2e.running import command, write_spec

STEPS = [{"name": "plot", "prompt": "Imagine a plot for a {{ genre }} film set in {{ place }}."}]
SPACE = {"axes": {"genre": ["noir", "western"], "place": [f"the town {n}" for n in range(30)]}}
ASKED = "{{ genre }} in {{ place }}:"
EXAMPLES: list[dict[str, Any]] = [
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


def run_job(folder: Path, examples: list[dict[str, Any]] = EXAMPLES) -> Path:
    """Run the job; return its data directory."""
    split = {"validation": 0.2, "by": "place"}
    spec = write_spec(folder, space=SPACE, steps=STEPS, examples=examples, split=split, filters=[])
    done = command("run", spec, "--quiet", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder / "data"


def written(
    data: Path, output: Path, trainer: str, form: str, model: str = "some/model", options: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Write a folder; return the first line of its data."""
    folder = ("--for", trainer, "--model", model, "--output", output, "--format", form)
    result = invoke("finetune", "job", "--data", data, "--example", FORMS[form], *folder, *options)
    assert result.exception is None, result.exception
    assert (output / "data" / "validation.jsonl").stat().st_size > 0
    line: dict[str, Any] = json.loads((output / "data" / "training.jsonl").read_text().splitlines()[0])
    return line
