"""Recognise answers that repeat what they were asked: the nonce, or a stretch of the prompt.

Rule of this file: a prompt's lines are looked for in pieces of a fixed length, so a repeated stretch of twice that
length is always found, and a shorter one if it holds a whole piece. Of a long prompt, its beginning and its end count,
which is where tasks stand; what lies between is material, and answers may well quote it.
"""

from corpusmill.chain.filters.subject import Check, Rejection, Subject
from corpusmill.spec.schema import Filter

PIECE_CHARS = 80
"""The length of a piece, where the spec does not say."""

HEAD_CHARS = TAIL_CHARS = 4000
"""How much of a prompt's beginning and end is looked for."""

NONCE_CHARS = 6
"""A shorter nonce may stand in a text by chance."""


def echo(spec: Filter) -> Check | None:
    """The answer repeats neither the nonce nor a stretch of the prompt."""
    if spec.no_echo is False:
        return None
    length = PIECE_CHARS if spec.no_echo is True else spec.no_echo

    def check(subject: Subject) -> Rejection | None:
        if subject.prompt is None:
            return None
        nonce, text = subject.values.get("nonce"), subject.text
        if isinstance(nonce, str) and len(nonce) >= NONCE_CHARS and nonce in text:
            return Rejection("no_echo", "the nonce is repeated")
        for piece in _pieces(subject.prompt.text, length):
            if piece in text:
                return Rejection("no_echo", f"the prompt is repeated: {piece!r}")
        return None

    return check


def _pieces(prompt: str, length: int) -> list[str]:
    if len(prompt) > HEAD_CHARS + TAIL_CHARS:
        prompt = f"{prompt[:HEAD_CHARS]}\n{prompt[-TAIL_CHARS:]}"
    lines = (line.strip() for line in prompt.split("\n") if len(line) >= length)
    return [line[start : start + length] for line in lines for start in range(0, len(line) - length + 1, length)]
