"""What each filter costs on a text of about 470 words, and all base filters together."""

import time
from collections.abc import Iterator
from typing import Any

import msgspec

from benchmarks.prose import invented_texts
from benchmarks.sizes import Sizes
from benchmarks.table import Row
from corpusmill.chain.completion import Prompt
from corpusmill.chain.filters import Checks, Subject, compile_checks, first_rejection
from corpusmill.chain.words import word_numbers
from corpusmill.spec.schema import Filter

CHARS = 2600
TEXTS = 200
ROUNDS = 20
BAR_MICROSECONDS = 120

BASE: dict[str, dict[str, Any]] = {
    "finish_reason": {"finish_reason": ["stop"]},
    "chars, bytes, words": {"min_chars": 10, "max_bytes": 10**6, "min_words": 10},
    "not_matching": {"not_matching": "(?i)as an ai"},
    "no_refusal": {"no_refusal": True},
    "no_echo": {"no_echo": True},
    "no_pii": {"no_pii": True},
    "no_repetition": {"no_repetition": True},
}
OTHERS: dict[str, dict[str, Any]] = {
    "decontaminate": {"decontaminate": {"file": "eval.txt", "runs": "AAAAAAAAAAE="}},
    "language": {"language": ["en", "la", "eo", "id", "it", "ms", "sq", "tl", "nl", "de", "fr", "et", "ht"]},
    "grounded_in, ten items": {"grounded_in": "note"},
}


def filters(sizes: Sizes) -> Iterator[Row]:  # noqa: ARG001 - the same at all sizes
    """Measure each filter, and the base filters together."""
    texts = [text.replace("  ", " ") for text in invented_texts(TEXTS, CHARS)]
    for name, conditions in {**BASE, **OTHERS}.items():
        yield _row(name, texts, [conditions])
    yield _row("all base filters together", texts, list(BASE.values()), bar=True)


def _row(name: str, texts: list[str], conditions: list[dict[str, Any]], *, bar: bool = False) -> Row:
    checks = compile_checks([msgspec.convert({"of": "plot", **each}, Filter) for each in conditions], "plot")
    prompt = Prompt("chat", "Imagine a detailed plot outline for a film. " * 20)
    subjects = [
        Subject(text, "stop", text.split()[:10], prompt, {"nonce": "k3j9x81q", "index": 1, "note": text})
        for text in texts
    ]
    microseconds = min(_seconds(checks, subjects) for _ in range(ROUNDS)) * 1e6 / len(texts)
    ratio = microseconds / BAR_MICROSECONDS
    against = f"{BAR_MICROSECONDS} us CPU"
    told = f"<= {BAR_MICROSECONDS} us" if bar else ""
    return Row(f"filter: {name}", f"{microseconds:.1f} us", against, ratio, told, ratio <= 1)


def _seconds(checks: Checks, subjects: list[Subject]) -> float:
    word_numbers.cache_clear()
    began = time.process_time()
    for subject in subjects:
        first_rejection(checks.of_text, subject)
        first_rejection(checks.of_output, subject)
    return time.process_time() - began
