"""What is asked of a model, step by step, and what is made of its answers."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from corpusmill.spec.schema.clean import Cleaning
from corpusmill.spec.schema.words import Identifier, Scalar, Strict

ModelAlias = Annotated[str, Meta(min_length=1, max_length=200)]
Prompt = Annotated[str, Meta(min_length=1, max_length=1_000_000)]
System = Annotated[str, Meta(max_length=1_000_000)]
ExpressionText = Annotated[str, Meta(min_length=1, max_length=10_000)]
"""An expression of the template language, without braces around it."""


class TopUp(Strict, frozen=True):
    """Ask again until a list is long enough.

    Attributes:
        items: so many different items are wanted at least.
        calls: so many calls are made for them at most.
    """

    items: Annotated[int, Meta(ge=1, le=1_000)]
    calls: Annotated[int, Meta(ge=1, le=100)]


class Speaker(Strict, frozen=True):
    """One side of a dialogue.

    Attributes:
        name: what it is called in the dialogue.
        system: its own system message; without one, the step's.
        model: its own model; without one, the step's.
    """

    name: Annotated[str, Meta(min_length=1, max_length=63)]
    system: System | None = None
    model: ModelAlias | None = None


class Rounds(Strict, frozen=True):
    """A dialogue: speakers take turns, and each turn is a call that sees the turns before it.

    Attributes:
        turns: of all speakers together, at most.
        speakers: in the order in which they speak.
        until: an expression over `history`, asked after each turn; where it is true the dialogue ends.
    """

    turns: Annotated[int, Meta(ge=1, le=1_000)]
    speakers: Annotated[list[Speaker], Meta(min_length=2, max_length=10)]
    until: ExpressionText | None = None


class Step(Strict, frozen=True):
    """One step of the chain; most are one prompt and one call.

    Attributes:
        model: a model alias.
        api: which of the two completion interfaces of the endpoint is called.
        parameters: sampling parameters, sent as they are.
        conversation: an expression that gives the messages between `system` and `prompt`: a list of mappings with
            `role`, `user` or `assistant`, and `content`.
        clean: what is taken off an answer before anything else sees it.
        parse: what later steps and examples see of it; an answer that cannot be parsed is rejected as `parse`.
        schema: for `json`, the JSON Schema that the answer follows.
        structured: whether the endpoint is sent the schema as `response_format`.
        between: for `number`, the least and the greatest that is taken.
        when: an expression; where it is false the step makes no call, and its output is `otherwise`.
        otherwise: text is a template.
        each: an expression that gives a list; the step is asked for each `element` of it, and its output is a list.
        require: whether `any` element must pass the step's filters, the others being left out, or `all` of them.
        fold: an expression that gives a list; the step is asked for one `element` after the other, and sees what it
            gave for the one before as `previous`. Its output is the list of what it gave.
        top_up: for a list, how often it is asked for more.
        rounds: the step is a dialogue.
        attempts: how many completions are asked for at most, until one passes the step's filters.
        back_to: an earlier step from which the chain goes on again where this step's filters reject, `attempts` times
            in all.
    """

    name: Identifier
    prompt: Prompt
    model: ModelAlias = "default"
    system: System | None = None
    api: Literal["chat", "completions"] = "chat"
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    conversation: ExpressionText | None = None
    clean: Cleaning | None = None
    parse: Literal["text", "lines", "list", "json", "yes_no", "number", "dialogue"] = "text"
    schema: dict[str, Any] | None = None
    structured: bool = True
    between: Annotated[list[float], Meta(min_length=2, max_length=2)] | None = None
    when: ExpressionText | None = None
    otherwise: Scalar | list[Any] | dict[str, Any] = ""
    each: ExpressionText | None = None
    require: Literal["any", "all"] = "any"
    fold: ExpressionText | None = None
    top_up: TopUp | None = None
    rounds: Rounds | None = None
    attempts: Annotated[int, Meta(ge=1, le=100)] = 1
    back_to: Identifier | None = None
