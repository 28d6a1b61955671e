"""Decontamination: what a model is evaluated on must not stand in what it learns from.

Rules of this file: the evaluation file is read once, when a spec is accepted, and its runs of words become part of the
spec as numbers; so the job stays the same whatever becomes of the file. Numbers have 64 bits: among a million runs and
a million texts, about 1 in 50 jobs rejects one text by chance.
"""

import base64
from collections.abc import Iterable, Iterator

import msgspec
import numpy as np
import numpy.typing as npt

from corpusmill.chain.filters.subject import Check, Rejection, Subject
from corpusmill.chain.words import run_numbers, word_numbers, words_between
from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import Evaluation, Filter
from corpusmill.spec.wording import quoted

MOST_RUNS = 1_000_000
"""Runs of an evaluation file at most: 11 MB in the spec."""

SHOWN_CHARS = 200


class TooManyRunsError(ValueError):
    """The file has more runs of words than a spec can hold."""


def decontaminate(spec: Filter) -> Check | None:
    """No run of so many words stands in the evaluation file as well."""
    if spec.decontaminate is None:
        return None
    asked = spec.decontaminate
    known = unpacked(asked)

    def check(subject: Subject) -> Rejection | None:
        runs = run_numbers(word_numbers(subject.text), asked.ngram)
        if not len(runs) or not len(known):
            return None
        places = np.minimum(np.searchsorted(known, runs), len(known) - 1)
        found = (known[places] == runs).nonzero()[0]
        if not len(found):
            return None
        shared = words_between(subject.text, int(found[0]), asked.ngram)[:SHOWN_CHARS]
        return Rejection("decontaminate", f"in {asked.file}: {shared!r}")

    return check


def packed(texts: Iterable[str], ngram: int) -> str:
    """Return the runs of words of some texts, as they stand in a spec.

    Raises:
        TooManyRunsError: there are more than a spec can hold.
    """
    found: set[int] = set()
    for text in texts:
        found.update(run_numbers(word_numbers(text), ngram).tolist())
        if len(found) > MOST_RUNS:
            raise TooManyRunsError
    return base64.b64encode(np.sort(np.array(list(found), "<u8")).tobytes()).decode()


def unpacked(asked: Evaluation) -> npt.NDArray[np.uint64]:
    """Return the runs that a spec holds, sorted.

    Raises:
        SpecError: its file was not read.
    """
    if asked.runs is None:
        raise SpecError("", f"the evaluation file {quoted(asked.file)} was not read when the spec was accepted")
    return np.sort(np.frombuffer(base64.b64decode(asked.runs), "<u8"))


def texts_of(name: str, content: str) -> Iterator[str]:
    """Yield the texts of an evaluation file: each string in a `.jsonl` file, else each line.

    Raises:
        ValueError: a line of a `.jsonl` file is not JSON; the message says which.
    """
    for number, line in enumerate(content.splitlines(), start=1):
        if not name.endswith(".jsonl"):
            yield line
        elif line.strip():
            try:
                yield from _strings(msgspec.json.decode(line))
            except (msgspec.DecodeError, RecursionError) as error:
                raise ValueError(f"line {number}: not JSON: {error}") from None


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)
