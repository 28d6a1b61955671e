"""What a kept item contributes to the corpus."""

from typing import Annotated, Literal

from msgspec import Meta

from corpusmill.spec.schema.words import Identifier, Share, Strict

Role = Literal["system", "user", "assistant"]
ExampleText = Annotated[str, Meta(max_length=1_000_000)]
"""A template that may be empty."""
Telling = Annotated[str, Meta(min_length=1, max_length=1_000_000)]
ExpressionText = Annotated[str, Meta(min_length=1, max_length=10_000)]
"""An expression of the template language, without braces around it."""


class Message(Strict, frozen=True):
    """One message of a chat example."""

    role: Role
    content: Telling


class Format(Strict, frozen=True):
    r"""The marks around prompt and completion, which then need none of their own.

    The defaults are those of OpenAI's guide to the fine-tuning of base models (2020 to 2023): a separator that stands
    nowhere else, a space before the first token of a completion, one stop sequence behind its last.

    Attributes:
        separator: ends each prompt; white space at the prompt's own end is taken off.
        leading_space: whether a space begins each completion; other white space around it is taken off.
        stop: ends each completion; "" for none.
    """

    separator: Annotated[str, Meta(min_length=1, max_length=100)] = "\n\n###\n\n"
    leading_space: bool = True
    stop: Annotated[str, Meta(max_length=100)] = " END"


class Pairs(Strict, frozen=True):
    """Texts of one step, paired by their scores: the best with the worst, the second best with the second worst.

    Attributes:
        of: an expression that gives a list of texts, such as `draft_choices`.
        by: an expression that gives a list of as many numbers, such as the output of a judge with `each`.
        margin: the better one's score is more than the worse one's, by so much at least.
        most: so many pairs of an item, at most.
    """

    of: ExpressionText
    by: ExpressionText
    margin: Annotated[float, Meta(ge=0)] = 1
    most: Annotated[int, Meta(ge=1, le=500)] = 1


class Example(Strict, frozen=True):
    """What a kept item contributes under one name: a record, or with `each` and `pairs` any number of them.

    It has one of three forms: `prompt` and `completion`; `messages`; or a preference, `chosen` and `rejected` after a
    `prompt` or `messages`.

    Attributes:
        when: an expression; where it is false there is no record.
        each: an expression that gives a list; there is a record for each `element` of it, at its `position` from 0.
        pairs: there is a record for each pair of a `better` and a `worse` text.
        keep: of the records of this example a share, chosen by chance and for good: it thins a class out.
        forms: templates that take turns from item to item; the others read the one whose turn it is as `form`. Without
            a `prompt` or `messages`, it is the prompt.
        prompt, completion: templates.
        messages: of a chat.
        conversation: an expression that gives the messages between the system's and the other `messages`: a list of
            `{role, content}`, or of `{speaker, text}` as `parse: dialogue` and `rounds` give it.
        roles: speaker -> role, for a conversation of speakers.
        chosen, rejected: templates; where they come to the same text, there is no record.
        format: marks of prompt and completion; a completion that holds one of them is rejected as `format`.
    """

    name: Identifier
    prompt: ExampleText | None = None
    completion: Telling | None = None
    messages: Annotated[list[Message], Meta(min_length=1, max_length=1_000)] | None = None
    conversation: ExpressionText | None = None
    roles: Annotated[dict[str, Role], Meta(min_length=1, max_length=100)] | None = None
    chosen: Telling | None = None
    rejected: Telling | None = None
    when: ExpressionText | None = None
    each: ExpressionText | None = None
    pairs: Pairs | None = None
    forms: Annotated[list[Telling], Meta(min_length=2, max_length=100)] | None = None
    keep: Share | None = None
    format: Format | None = None


class Split(Strict, frozen=True):
    """Mark a share of the corpus as validation; items that agree on `by` never lie on both sides.

    Attributes:
        validation: the share of groups, between 0 and 1.
        by: `item`, or the name of an axis; of documents that are cut into chunks, the whole document.
    """

    validation: Share
    by: str = "item"
