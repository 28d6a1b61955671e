"""The words all structs of a spec are made of: names, counts, shares, and the strict struct itself."""

from typing import Annotated

import msgspec
from msgspec import Meta

# `$` alone would let a trailing newline through.
IDENTIFIER_PATTERN = r"^[A-Za-z][A-Za-z0-9_]{0,62}$(?!\n)"
JOB_NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$(?!\n)"

DIGEST_PATTERN = r"^[0-9a-f]{32}$(?!\n)"

JobName = Annotated[str, Meta(pattern=JOB_NAME_PATTERN)]
"""A job's name, which is also its folder's name."""
Identifier = Annotated[str, Meta(pattern=IDENTIFIER_PATTERN)]
"""The name of an axis, a step or an example: usable as a template variable."""
Positive = Annotated[int, Meta(ge=1)]
Concurrency = Annotated[int, Meta(ge=1, le=100_000)]
Natural = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(gt=0, lt=1)]
Scalar = str | int | float | bool
"""One value of an axis. A string "label: definition" also offers `.label` and `.definition` to templates."""


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A frozen struct that refuses keys it does not know."""
