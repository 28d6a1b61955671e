"""How a text is cleaned: a document before it is used, or a completion before it is judged."""

from typing import Annotated, Literal

from msgspec import Meta

from corpusmill.spec.schema.words import Strict

Pattern = Annotated[str, Meta(min_length=1, max_length=10_000)]
"""A linear-time regular expression (RE2 syntax)."""
Replacement = Annotated[str, Meta(max_length=10_000)]


class Clean(Strict, frozen=True):
    """What is taken off or put right, in the order below; a list of these is applied one after the other.

    Attributes:
        begin_after: only what stands behind the first match is kept; without a match, all.
        cut_at: only what stands before the first match is kept; without a match, all.
        remove: every match of any of these is deleted.
        replace: pattern -> literal text that every match becomes, in the order given.
        keep_lines: lines in which nothing matches are dropped.
        drop_lines: lines in which something matches are dropped.
        collapse: `true`: every run of white space becomes one space. `lines`: runs of spaces within a line become one
            space, spaces at the ends of lines go, and at most one blank line stays between two others.
        lower: capitals become small letters.
        strip: white space at both ends goes.
    """

    begin_after: Pattern | None = None
    cut_at: Pattern | None = None
    remove: Pattern | Annotated[list[Pattern], Meta(min_length=1, max_length=100)] | None = None
    replace: Annotated[dict[Pattern, Replacement], Meta(min_length=1, max_length=100)] | None = None
    keep_lines: Pattern | None = None
    drop_lines: Pattern | None = None
    collapse: bool | Literal["lines"] = False
    lower: bool = False
    strip: bool = False


Cleaning = Clean | Annotated[list[Clean], Meta(min_length=1, max_length=100)]
"""One cleaning, or several that are applied one after the other."""
