"""What is asked of a model, step by step."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from corpusmill.spec.schema.words import Identifier, Strict


class Step(Strict, frozen=True):
    """One prompt of the chain.

    Attributes:
        model: a model alias.
        api: which of the two completion interfaces of the endpoint is called.
        parameters: sampling parameters, sent as they are.
        attempts: how many completions are asked for at most, until one passes the step's filters.
    """

    name: Identifier
    prompt: Annotated[str, Meta(min_length=1, max_length=1_000_000)]
    model: Annotated[str, Meta(min_length=1, max_length=200)] = "default"
    system: Annotated[str, Meta(max_length=1_000_000)] | None = None
    api: Literal["chat", "completions"] = "chat"
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    attempts: Annotated[int, Meta(ge=1, le=100)] = 1
