"""Everything an open trainer needs beside the data: one ready configuration for each trainer and form.

Rules of this file: pure; a configuration is a starting point that runs as it is on one GPU (LoRA), not tuning advice.
Keys are those of the trainers' own documentation: axolotl's dataset formats, LLaMA-Factory's data/README.md, TRL's
command line and dataset formats, Unsloth's FastLanguageModel.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import yaml

from corpusmill.exports.formats import Convert
from corpusmill.finetune.lines import APART, CHAT, PAIR, PREFERENCE, TOGETHER

SEED = 0
EPOCHS = 3
CUTOFF_TOKENS = 4096
DPO_LEARNING_RATE, SFT_LEARNING_RATE = 5e-6, 2e-4
TRAIN_FILE, VALIDATION_FILE = "data/training.jsonl", "data/validation.jsonl"


class Setup(msgspec.Struct, frozen=True):
    """What a configuration is for.

    Attributes:
        model: the base model, by its name on a hub or its folder.
        form: one of the forms above.
        validated: whether there is a validation file.
        epochs: how often the data is gone through.
    """

    model: str
    form: str
    validated: bool
    epochs: int = EPOCHS

    @property
    def learning_rate(self) -> float:
        """The usual one of LoRA for the form."""
        return DPO_LEARNING_RATE if self.form == PREFERENCE else SFT_LEARNING_RATE


def axolotl(setup: Setup) -> dict[str, str]:
    """Return `axolotl.yaml`, for `axolotl train axolotl.yaml`."""
    kinds: dict[str, dict[str, Any]] = {
        CHAT: {"type": "chat_template", "field_messages": "messages", "roles_to_train": ["assistant"]},
        PAIR: {
            "type": {
                "system_prompt": "",
                "field_instruction": "prompt",
                "field_output": "completion",
                "format": "{instruction}",
                "no_input_format": "{instruction}",
            }
        },
        PREFERENCE: {
            "type": "chat_template.default",
            "field_messages": "messages",
            "field_chosen": "chosen",
            "field_rejected": "rejected",
        },
    }
    source = {"ds_type": "json", "split": "train", **kinds[setup.form]}
    config: dict[str, Any] = {
        "base_model": setup.model,
        **({"rl": "dpo"} if setup.form == PREFERENCE else {}),
        "datasets": [{"path": TRAIN_FILE, **source}],
        **(
            {"test_datasets": [{"path": VALIDATION_FILE, **source}], "eval_strategy": "epoch"}
            if setup.validated
            else {}
        ),
        "train_on_inputs": False,
        "adapter": "lora",
        "lora_r": 16,
        "lora_alpha": 32,
        "lora_target_linear": True,
        "sequence_len": CUTOFF_TOKENS,
        "micro_batch_size": 2,
        "gradient_accumulation_steps": 4,
        "gradient_checkpointing": True,
        "num_epochs": setup.epochs,
        "learning_rate": setup.learning_rate,
        "lr_scheduler": "cosine",
        "optimizer": "adamw_torch",
        "bf16": "auto",
        "seed": SEED,
        "output_dir": "out",
    }
    return {"axolotl.yaml": _yaml(config)}


def trl(setup: Setup) -> dict[str, str]:
    """Return `trl.yaml`, for `trl sft --config trl.yaml`, or `trl dpo` for preferences."""
    checked = {"dataset_test_split": "validation", "eval_strategy": "epoch"} if setup.validated else {}
    config = {
        "model_name_or_path": setup.model,
        "dataset_name": "./data",
        "dataset_train_split": "train",
        **checked,
        "use_peft": True,
        "lora_r": 16,
        "lora_alpha": 32,
        "lora_target_modules": "all-linear",
        "max_length": CUTOFF_TOKENS,
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 4,
        "num_train_epochs": setup.epochs,
        "learning_rate": setup.learning_rate,
        "lr_scheduler_type": "cosine",
        "seed": SEED,
        "output_dir": "out",
    }
    return {"trl.yaml": _yaml(config)}


def llama_factory(setup: Setup) -> dict[str, str]:
    """Return `llama_factory.yaml`, for `llamafactory-cli train`, and the `dataset_info.json` that names the files."""
    roles = ("role", "content", "user", "assistant", "system")
    tags = {f"{each}_tag": each for each in roles}
    kinds: dict[str, dict[str, Any]] = {
        CHAT: {"formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": tags},
        PAIR: {"formatting": "alpaca", "columns": {"prompt": "prompt", "response": "completion"}},
        PREFERENCE: {
            "formatting": "sharegpt",
            "ranking": True,
            "columns": {each: each for each in ("messages", "chosen", "rejected")},
            "tags": tags,
        },
    }
    sides = ["training", *(["validation"] if setup.validated else [])]
    named = {f"corpus_{side}": {"file_name": f"{side}.jsonl", **kinds[setup.form]} for side in sides}
    config = {
        "model_name_or_path": setup.model,
        "stage": "dpo" if setup.form == PREFERENCE else "sft",
        "do_train": True,
        "finetuning_type": "lora",
        "lora_rank": 16,
        "lora_target": "all",
        "dataset_dir": "data",
        "dataset": "corpus_training",
        **({"eval_dataset": "corpus_validation", "eval_strategy": "epoch"} if setup.validated else {}),
        # Without one it takes the model's own; this is the one of plain text whose end is learnt.
        **({"template": "fewshot"} if setup.form == PAIR else {}),
        "cutoff_len": CUTOFF_TOKENS,
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 4,
        "num_train_epochs": float(setup.epochs),
        "learning_rate": setup.learning_rate,
        "lr_scheduler_type": "cosine",
        "bf16": True,
        "seed": SEED,
        "output_dir": "out",
    }
    return {"llama_factory.yaml": _yaml(config), "data/dataset_info.json": _json(named)}


def unsloth(setup: Setup) -> dict[str, str]:
    """Return `train.py`, as Unsloth is a library: it loads the model, and TRL's trainer takes TRL's settings."""
    kind = "DPO" if setup.form == PREFERENCE else "SFT"
    checked = 'eval_dataset=data["validation"], ' if setup.validated else ""
    when = "epoch" if setup.validated else "no"
    lines = [
        '"""Trains a model with Unsloth: python train.py"""',
        "",
        "from unsloth import FastLanguageModel  # first, as it changes what TRL is",
        "",
        "from datasets import load_dataset",
        f"from trl import {kind}Config, {kind}Trainer",
        "",
        "model, tokenizer = FastLanguageModel.from_pretrained(",
        f"    model_name={setup.model!r}, max_seq_length={CUTOFF_TOKENS}, load_in_4bit=True",
        ")",
        f"model = FastLanguageModel.get_peft_model(model, r=16, lora_alpha=32, random_state={SEED})",
        'data = load_dataset("./data")',
        f"settings = {kind}Config(",
        f"    num_train_epochs={setup.epochs}, learning_rate={setup.learning_rate}, seed={SEED},",
        "    per_device_train_batch_size=2, gradient_accumulation_steps=4, lr_scheduler_type='cosine',",
        f"    max_length={CUTOFF_TOKENS}, eval_strategy={when!r}, output_dir='out',",
        ")",
        f"trainer = {kind}Trainer(",
        f'    model=model, processing_class=tokenizer, train_dataset=data["train"], {checked}args=settings',
        ")",
        "trainer.train()",
        'model.save_pretrained("out/adapter")',
        'tokenizer.save_pretrained("out/adapter")',
    ]
    return {"train.py": "\n".join(lines) + "\n"}


class Trainer(msgspec.Struct, frozen=True):
    """An open trainer.

    Attributes:
        configure: makes its configuration: file name, relative to the folder, -> content.
        lines: form -> what makes the lines of its data.
    """

    configure: Callable[[Setup], dict[str, str]]
    lines: Mapping[str, Convert]


TRAINERS = {
    "axolotl": Trainer(axolotl, TOGETHER),
    "trl": Trainer(trl, APART),
    "llama-factory": Trainer(llama_factory, TOGETHER),
    "unsloth": Trainer(unsloth, APART),
}


def _yaml(config: dict[str, Any]) -> str:
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
