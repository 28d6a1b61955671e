"""What a completion must be like, and that it is new."""

from typing import Annotated, Literal

from msgspec import Meta

from corpusmill.spec.schema.words import Identifier, Natural, Strict


class Filter(Strict, frozen=True):
    """What a step's completion must be like; the first condition that fails, in the order below, names the reason.

    Attributes:
        of: the step whose completion is judged.
        finish_reason: the finish reasons that are accepted.
        min_chars, max_chars, min_words, max_words: inclusive bounds.
        matching, not_matching: a linear-time regular expression (RE2 syntax) that must, must not, be found in the text.
        no_refusal: reject answers that decline the task.
    """

    of: Identifier
    finish_reason: Annotated[list[str], Meta(min_length=1)] | None = None
    min_chars: Natural | None = None
    max_chars: Natural | None = None
    min_words: Natural | None = None
    max_words: Natural | None = None
    matching: Annotated[str, Meta(min_length=1, max_length=10_000)] | None = None
    not_matching: Annotated[str, Meta(min_length=1, max_length=10_000)] | None = None
    no_refusal: bool = False


class Dedup(Strict, frozen=True):
    """Reject a completion of step `of` whose text, but for case, spacing and punctuation, was kept before."""

    of: Identifier
    exact: Literal[True] = True
