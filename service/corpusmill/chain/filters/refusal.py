"""Recognise answers that decline the task.

Rule of this file: only how an answer opens counts, because a story may well have somebody say that he cannot help. The
patterns are plain statements by the model about itself; a false alarm costs a paid completion, so none is a guess.
"""

import re2

HEAD_CHARS = 300
"""How much of an answer is looked at."""

_DECLINE = "can ?not|can'?t|could not|won'?t|will not|am unable to|am not able to|must decline to|have to decline"
_TASK = "help (?:you|with)|assist|comply|fulfill?|provide|create|generate|produce|write|continue with|engage"
_RULES = "guidelines|polic(?:y|ies)|programming|rules"

_OPENINGS = (
    r"^.{0,20}\b(?:i ?'?a?m|we are) (?:very |so |really |truly )?(?:sorry|afraid),? (?:but )?(?:i|we|as an?)\b",
    rf"^.{{0,60}}\bi (?:{_DECLINE})\b[^.]{{0,40}}\b(?:{_TASK})\b",
    r"^.{0,60}\bi'?m (?:unable|not able|not allowed|not permitted) to\b",
    r"\b(?:as|being) an? (?:ai|artificial intelligence|large language model|language model)\b",
    rf"\b(?:against|violates?) (?:my|our|openai'?s) (?:content |usage |use |safety )?(?:{_RULES})\b",
)

_pattern = re2.compile("(?is)" + "|".join(f"(?:{opening})" for opening in _OPENINGS))


_CUES = (
    "sorry", "afraid", "cannot", "can not", "n't", "not a", "not p", "will not", "unable", "decline", "an ai",
    "artificial", "language model", "against", "violat",
)  # fmt: skip
"""No pattern matches where none of these occurs; looking for them first spares most answers the patterns."""


def is_refusal(text: str) -> bool:
    """Whether the answer opens by declining the task."""
    head = text[:HEAD_CHARS].lower()
    if not head.isascii():
        head = head.replace("\u2019", "'")
    return any(cue in head for cue in _CUES) and _pattern.search(head) is not None
