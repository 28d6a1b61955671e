"""The files that are uploaded: made of a job's sealed records, and checked while they are made.

Rules of this file: what a provider would refuse is refused here, by the record's id, before anything is uploaded; no
line is held in memory.
Tokens are estimated at four characters each, as every model counts in its own way.
"""

import hashlib
from array import array
from collections.abc import Iterable
from contextlib import ExitStack, closing
from functools import cached_property
from pathlib import Path

import msgspec

from corpusmill.dedup.exact import ExactIndex
from corpusmill.exports.errors import ExportError
from corpusmill.exports.formats import Convert, encode_line
from corpusmill.exports.output import appearing
from corpusmill.exports.record import Record
from corpusmill.exports.sinks import LinesFile
from corpusmill.finetune.errors import FinetuneError
from corpusmill.finetune.lines import CHAT, PAIR, PREFERENCE

CHARS_PER_TOKEN = 4
LEAST_EXAMPLES = 10
"""OpenAI's guide to fine-tuning asks for so many."""
MOST_BYTES = 512 * 2**20
"""What OpenAI's /files takes as one file."""
FORMATS = (CHAT, PAIR, PREFERENCE)
TRAINING, VALIDATION = "training", "validation"
MARK = "finetune"
"""In the names of files that are not whole yet; the folder is this process's alone."""


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


def write_material(
    records: Iterable[Record], convert: Convert, folder: Path, *, allow_shared: bool = False
) -> Material:
    """Write `training.jsonl` and, where records are split, `validation.jsonl`; neither, where one is refused.

    Lines go to the disk as they come; what is kept of each is its fingerprint and that of its question, some 46 bytes
    each at most.

    Args:
        records: of the corpus.
        convert: makes the lines.
        folder: where they are written.
        allow_shared: whether a question may be asked on both sides.

    Raises:
        FinetuneError: no provider would train on it, or the sides share a question.
        OutputError: they cannot be written.
    """
    questions = _Questions()
    with ExitStack() as stack:
        sides: dict[str, _Side] = {}
        for record in records:
            name = VALIDATION if record.split == "validation" else TRAINING
            if name not in sides:
                (path,) = stack.enter_context(appearing([folder / f"{name}.jsonl"], MARK, replace=True))
                sides[name] = stack.enter_context(closing(_Side(name, path, convert)))
            sides[name].add(_line(record, convert))
            questions.add(name, _question(record))
        if questions.shared and not allow_shared:
            raise FinetuneError(
                f"{questions.shared:,} questions of the validation side are asked on the training side too, so its "
                "figures would say nothing; split by document or axis, take one example with --example, or give "
                "--allow-shared"
            )
        parts = {name: side.finish() for name, side in sides.items()}
        examples = parts[TRAINING].examples if TRAINING in parts else 0
        if examples < LEAST_EXAMPLES:
            raise FinetuneError(f"{examples} examples are too few to train on; {LEAST_EXAMPLES} are asked for")
    return Material(parts[TRAINING], parts.get(VALIDATION), questions.shared)


class _Side:
    """One file while it is written."""

    def __init__(self, name: str, path: Path, convert: Convert) -> None:
        self._name, self._file, self._seen = name, LinesFile(path, convert), ExactIndex()
        self._examples = self._chars = self._bytes = self._repeated = 0

    def add(self, line: bytes) -> None:
        """Write a line.

        Raises:
            FinetuneError: it makes the file too large.
        """
        self._bytes += len(line)
        if self._bytes > MOST_BYTES:
            raise FinetuneError(
                f"the {self._name} file has more than {MOST_BYTES:,} bytes, which is what providers take"
            )
        self._file.append(line)
        self._repeated += not self._seen.add(_fingerprint(line), self._examples)
        self._chars += len(line.decode())
        self._examples += 1

    def finish(self) -> Part:
        """Make the file durable, and say what is in it."""
        receipt = self._file.finish()
        return Part(self._examples, self._chars // CHARS_PER_TOKEN, receipt.bytes, receipt.sha256, self._repeated)

    def close(self) -> None:
        """Release the file."""
        self._file.close()


class _Questions:
    """What is asked, on both sides, by fingerprints."""

    def __init__(self) -> None:
        self._training, self._validation = ExactIndex(), array("Q")

    def add(self, side: str, fingerprint: int) -> None:
        """Take note of a question."""
        if side == TRAINING:
            self._training.add(fingerprint, 0)
        else:
            self._validation.append(fingerprint)

    @cached_property
    def shared(self) -> int:
        """How many examples of the validation side ask what the training side asks; once all are there."""
        return sum(self._training.holder(each) is not None for each in self._validation)


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


def _question(record: Record) -> int:
    messages = record.messages or ()
    asked = [message.content for message in (messages if record.chosen is not None else messages[:-1])]
    asked = asked if record.messages else [record.prompt]
    return _fingerprint("\0".join(asked).encode())


def _fingerprint(content: bytes) -> int:
    """Return 64 bits of a hash, never 0, which the index keeps for itself."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest()) or 1
