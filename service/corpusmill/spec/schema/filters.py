"""What a completion must be like, and that it is new."""

from typing import Annotated, Literal

from msgspec import Meta

from corpusmill.spec.schema.words import Identifier, JobName, Natural, Strict


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


RECORD = "record"
"""As the `of` of a deduplication: the texts of the item's records, prompts and completions."""


class Dedup(Strict, frozen=True):
    """Reject what was kept before.

    Attributes:
        of: the step whose texts are compared; `record` for the whole of what the item contributes.
        exact: texts that differ in case, spacing and punctuation only; always looked for.
        near: texts that share this much of their word triples or more (Jaccard similarity), None for no such search.
        across: jobs of the same data directory, whose kept texts count as kept; as they are when the run begins.
    """

    of: Identifier
    exact: Literal[True] = True
    near: Annotated[float, Meta(ge=0.5, le=0.95)] | None = None
    across: Annotated[list[JobName], Meta(min_length=1, max_length=16)] | None = None
