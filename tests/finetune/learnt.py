"""Prints what TRL would have a model learn of the first line: python learnt.py MODEL, in a folder of `--for trl`."""

import sys

from datasets import load_dataset
from transformers import AutoTokenizer
from trl import SFTConfig, SFTTrainer


def learnt(model: str) -> str:
    """Return the text of the tokens that have a label."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    data = load_dataset("./data")
    settings = SFTConfig(use_cpu=True, max_length=4096, output_dir="out")
    trainer = SFTTrainer(model=model, args=settings, train_dataset=data["train"], processing_class=tokenizer)
    batch = trainer.data_collator([trainer.train_dataset[0]])
    return str(tokenizer.decode([token for token in batch["labels"][0].tolist() if token >= 0]))


if __name__ == "__main__":
    sys.stdout.write(learnt(sys.argv[1]))
