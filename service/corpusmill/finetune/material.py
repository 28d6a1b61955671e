"""The files that are uploaded: made of a job's sealed records, and checked while they are made.

Rule of this file: what a provider would refuse is refused here, by the record's id, before anything is uploaded.
Tokens are estimated at four characters each, as every model counts in its own way.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from corpusmill.exports.errors import ExportError
from corpusmill.exports.formats import Convert, encode_line
from corpusmill.exports.record import Message, Record, preference_of
from corpusmill.finetune.errors import FinetuneError
from corpusmill.journal.files import Files
from corpusmill.journal.shard import write_durably

CHARS_PER_TOKEN = 4
LEAST_EXAMPLES = 10
"""OpenAI's guide to fine-tuning asks for so many."""
MOST_BYTES = 512 * 2**20
"""What OpenAI's /files takes as one file."""
FORMATS = ("openai-chat", "prompt-completion", "openai-preference")
TRAINING, VALIDATION = "training", "validation"


class Part(msgspec.Struct, frozen=True):
    """One file: what is in it.

    Attributes:
        tokens: estimated.
        repeated: examples that stand in it before, word for word.
    """

    examples: int
    tokens: int
    bytes: int
    sha256: str
    repeated: int


class Material(msgspec.Struct, frozen=True):
    """Both files.

    Attributes:
        shared: examples of the validation file whose question is asked in the training file too.
    """

    training: Part
    validation: Part | None
    shared: int


def message_preference(record: Record) -> Mapping[str, Any]:
    """Return a preference as axolotl and LLaMA-Factory read it: the question's messages, and two more of them."""
    preference = preference_of(record)
    asked = (Message("user", preference.asked),) if isinstance(preference.asked, str) else preference.asked
    chosen, rejected = (Message("assistant", text) for text in (preference.chosen, preference.rejected))
    return {"messages": asked, "chosen": chosen, "rejected": rejected}


def write_material(
    records: Iterable[Record], convert: Convert, files: Files, folder: Path, *, allow_shared: bool = False
) -> Material:
    """Write `training.jsonl` and, where records are split, `validation.jsonl`.

    Args:
        records: of the corpus.
        convert: makes the lines.
        files: the disk.
        folder: where they are written.
        allow_shared: whether a question may be asked on both sides.

    Raises:
        FinetuneError: no provider would train on it, or the sides share a question.
    """
    sides: dict[str, list[bytes]] = {TRAINING: [], VALIDATION: []}
    asked: dict[str, list[bytes]] = {TRAINING: [], VALIDATION: []}
    for record in records:
        side = VALIDATION if record.split == "validation" else TRAINING
        sides[side].append(_line(record, convert))
        asked[side].append(_question(record))
    shared = len(_repeats(asked[TRAINING], asked[VALIDATION]))
    if shared and not allow_shared:
        raise FinetuneError(
            f"{shared:,} questions of the validation side are asked on the training side too, so its figures would say "
            "nothing; split by document or axis, take one example with --example, or give --allow-shared"
        )
    training = _part(sides[TRAINING])
    if training.examples < LEAST_EXAMPLES:
        raise FinetuneError(f"{training.examples} examples are too few to train on; {LEAST_EXAMPLES} are asked for")
    validation = _part(sides[VALIDATION]) if sides[VALIDATION] else None
    for name, part in ((TRAINING, training), (VALIDATION, validation)):
        if part is not None and part.bytes > MOST_BYTES:
            raise FinetuneError(f"the {name} file has {part.bytes:,} bytes; {MOST_BYTES:,} is what providers take")
        if part is not None:
            write_durably(files, folder / f"{name}.jsonl", b"".join(sides[name]))
    files.sync_folder(folder)
    return Material(training, validation, shared)


def _line(record: Record, convert: Convert) -> bytes:
    try:
        line = convert(record)
    except ExportError as error:
        raise FinetuneError(str(error)) from None
    if record.chosen is not None:
        answers = [record.chosen, record.rejected or ""]
    elif record.messages:
        answers = [record.messages[-1].content]
    else:
        answers = [record.completion]
    if record.chosen is None and record.messages and record.messages[-1].role != "assistant":
        raise FinetuneError(f"record {record.id} does not end with the assistant, so there is nothing to learn from it")
    if not all(answer.strip() for answer in answers):
        raise FinetuneError(f"record {record.id} has an empty answer; filter such items, or take another --example")
    return encode_line(line) + b"\n"


def _question(record: Record) -> bytes:
    messages = record.messages or ()
    asked = [message.content for message in (messages if record.chosen is not None else messages[:-1])]
    asked = asked if record.messages else [record.prompt]
    return hashlib.blake2b("\0".join(asked).encode(), digest_size=16).digest()


def _repeats(ones: list[bytes], others: list[bytes]) -> list[bytes]:
    known = set(ones)
    return [other for other in others if other in known]


def _part(lines: list[bytes]) -> Part:
    chars = sum(len(line.decode()) for line in lines)
    content = b"".join(lines)
    return Part(
        examples=len(lines),
        tokens=chars // CHARS_PER_TOKEN,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        repeated=len(lines) - len(set(lines)),
    )
