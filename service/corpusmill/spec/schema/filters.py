"""What a completion must be like, and that it is new."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from corpusmill.spec.schema.words import Identifier, JobName, Natural, Strict

PersonalKind = Literal["email", "phone", "ssn", "card", "ip"]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}$(?!\n)")]
"""A code of ISO 639, such as `en`."""


class Repetition(Strict, frozen=True):
    """What a text may repeat of itself, at most.

    Attributes:
        lines, paragraphs: share of its characters that stand in lines, paragraphs that came before.
        runs: share of its runs of five words that came before.
    """

    lines: Fraction = 0.3
    paragraphs: Fraction = 0.3
    runs: Fraction = 0.3


class Evaluation(Strict, frozen=True):
    """A file of texts that must not stand in the corpus.

    Attributes:
        file: UTF-8 text beside the spec, one text a line; or `.jsonl`, where each string is a text.
        ngram: how many words in a row must not be shared.
        runs: what the file holds of those, filled in when the spec is accepted.
    """

    file: Annotated[str, Meta(min_length=1)]
    ngram: Annotated[int, Meta(ge=5, le=50)] = 13
    runs: str | None = None


class Grounding(Strict, frozen=True):
    """Where the items of an output must occur.

    Attributes:
        document: an axis, a document or an earlier step.
        drop: take items that do not occur out of the list, and reject only where none is left.
        similarity: percent; an item that does not occur as it is may occur so nearly (rapidfuzz's `partial_ratio`).
    """

    document: Identifier
    drop: bool = False
    similarity: Annotated[float, Meta(ge=50, le=100)] | None = None


class Filter(Strict, frozen=True):
    """What a step's completion must be like; the first condition that fails, in the order below, names the reason.

    Attributes:
        of: the step whose completion is judged.
        finish_reason: the finish reasons that are accepted.
        min_chars, max_chars, min_bytes, max_bytes, min_words, max_words: inclusive bounds; bytes are UTF-8's.
        matching, not_matching: a linear-time regular expression (RE2 syntax) that must, must not, be found in the text.
        no_refusal: reject answers that decline the task.
        no_echo: reject answers that repeat the nonce, or a piece of the prompt's lines of 80 or so many characters.
        no_pii: reject answers that hold an address or number of a person; all kinds, or these.
        no_repetition: reject answers that repeat themselves; with the usual bounds, or these.
        decontaminate: reject answers that share a run of words with an evaluation file.
        language: the languages that are accepted; needs the extra `language`.
        min_items, max_items: inclusive bounds of the parsed list's length.
        min_value, max_value: inclusive bounds of the parsed number, such as a judge's grade.
        json_schema: a JSON Schema that the parsed value, or the text as JSON, must follow.
        grounded_in: a document, an axis or an earlier step, in whose text each item of the output must occur.
    """

    of: Identifier
    finish_reason: Annotated[list[str], Meta(min_length=1)] | None = None
    min_chars: Natural | None = None
    max_chars: Natural | None = None
    min_bytes: Natural | None = None
    max_bytes: Natural | None = None
    min_words: Natural | None = None
    max_words: Natural | None = None
    matching: Annotated[str, Meta(min_length=1, max_length=10_000)] | None = None
    not_matching: Annotated[str, Meta(min_length=1, max_length=10_000)] | None = None
    no_refusal: bool = False
    no_echo: bool | Annotated[int, Meta(ge=20, le=1000)] = False
    no_pii: bool | Annotated[list[PersonalKind], Meta(min_length=1)] = False
    no_repetition: bool | Repetition = False
    decontaminate: Evaluation | None = None
    language: Annotated[list[Language], Meta(min_length=1, max_length=100)] | None = None
    min_items: Natural | None = None
    max_items: Natural | None = None
    min_value: float | None = None
    max_value: float | None = None
    json_schema: dict[str, Any] | None = None
    grounded_in: Identifier | Grounding | None = None


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
