"""From a completion to a verdict: its text cleaned, judged, parsed and judged again.

Rule of this file: pure. Whatever a model answers, the outcome is a verdict; only a `clean` that makes a text too long
is an error.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from corpusmill.chain.completion import Choice, Completion, GaveUp, Prompt
from corpusmill.chain.filters import Rejection, Subject, both, edited, first_rejection
from corpusmill.chain.parsers import ParseError
from corpusmill.chain.step import CompiledStep
from corpusmill.spec.errors import RenderError
from corpusmill.text.clean import OverlongTextError

PARSE = "parse"
"""The reason for which a text that does not say what was asked for is rejected."""


class Verdict(msgspec.Struct, frozen=True):
    """How a step, and with the last one the item's chain, ended.

    Attributes:
        outcome: `kept` while nothing is known against it, else `rejected` or `failed`.
        reason, detail: why, unless kept.
        also: of a sampled item, the reasons of other conditions that fail.
        choices: which choices of the completion pass the step's filters.
    """

    outcome: Literal["kept", "rejected", "failed"]
    reason: str = ""
    detail: str = ""
    choices: tuple[int, ...] = (0,)
    also: tuple[str, ...] = ()


PASSED = Verdict("kept")


def judge(
    step: CompiledStep, completion: Completion, prompt: Prompt, values: Mapping[str, Any]
) -> tuple[Verdict, list[Subject]]:
    """Judge each choice of a completion: those that pass are kept; if none does, the first one's fault counts."""
    if len(completion.choices) == 1:
        subject, rejection = _judge_choice(step, completion.choices[0], prompt, values)
        return PASSED if rejection is None else rejected(rejection), [subject]
    judged = [_judge_choice(step, choice, prompt, values) for choice in completion.choices]
    subjects = [subject for subject, _ in judged]
    passing = tuple([place for place, (_, rejection) in enumerate(judged) if rejection is None])
    if passing:
        return (PASSED if passing == (0,) else Verdict("kept", choices=passing)), subjects
    return rejected(judged[0][1]), subjects


def judge_again(
    step: CompiledStep, completion: Completion, prompt: Prompt, values: Mapping[str, Any], *, passed: bool
) -> tuple[Verdict, list[Subject]]:
    """As `judge`, where it is known whether the one choice passed: the filters have no say in that any more.

    So what was kept is not lost to filters that a later version sharpened, and recovery does not wait for them.
    """
    if not passed:
        verdict, subjects = judge(step, completion, prompt, values)
        return (Verdict("rejected") if verdict.outcome == "kept" else verdict), subjects
    choice = completion.choices[0]
    text = cleaned(step, choice)
    subject = Subject(text, choice.finish_reason, text, prompt, values)
    if step.parse is not None:
        try:
            subject = msgspec.structs.replace(subject, output=step.parse(text))
        except ParseError as error:
            return rejected(Rejection(PARSE, str(error))), [subject]
    return PASSED, [edited(step.checks, subject)]


def judge_whole(step: CompiledStep, subject: Subject) -> tuple[Verdict, list[Subject]]:
    """Judge what a step made of several completions, its output included."""
    rejection = first_rejection(step.checks.of_text, subject)
    if rejection is None or subject.is_sampled:
        subject = edited(step.checks, subject)
        rejection = both(rejection, first_rejection(step.checks.of_output, subject))
    return PASSED if rejection is None else rejected(rejection), [subject]


def cleaned(step: CompiledStep, choice: Choice) -> str:
    """Return a choice's text without white space around it, and without what the step's `clean` takes off.

    Raises:
        RenderError: cleaning makes it too long.
    """
    text = choice.text.strip()
    if step.clean is None:
        return text
    try:
        return step.clean(text).strip()
    except OverlongTextError as error:
        raise RenderError(f"`clean`: {error}") from None


def failed(reply: GaveUp) -> Verdict:
    """Return the verdict on an item one of whose calls was given up."""
    return Verdict("failed", reply.reason, reply.detail)


def rejected(rejection: Rejection | None) -> Verdict:
    """Return the verdict on what does not pass; without a rejection there was nothing to judge."""
    if rejection is None:
        return Verdict("failed", "empty_choice")
    return Verdict("rejected", rejection.reason, rejection.detail, also=rejection.also)


def as_text(output: object) -> str:
    """Return an output that was no text as one: a list as its elements, one a line, anything else as JSON."""
    if isinstance(output, str):
        return output
    if isinstance(output, list | tuple):
        return "\n".join(map(as_text, output))
    return msgspec.json.encode(output).decode()


def joined_finish_reason(subjects: Sequence[Subject]) -> str:
    """Return the first finish reason that tells of trouble, of several texts that are one."""
    reasons = [subject.finish_reason for subject in subjects]
    return next((reason for reason in reasons if reason != "stop"), "stop")


def _judge_choice(
    step: CompiledStep, choice: Choice, prompt: Prompt, values: Mapping[str, Any]
) -> tuple[Subject, Rejection | None]:
    """Return a choice as later steps see it, and why it does not pass the step's filters, if it does not."""
    text = cleaned(step, choice)
    subject = Subject(text, choice.finish_reason, text, prompt, values)
    rejection = first_rejection(step.checks.of_text, subject)
    if rejection is not None and not subject.is_sampled:
        return subject, rejection
    if step.parse is not None:
        try:
            subject = msgspec.structs.replace(subject, output=step.parse(text))
        except ParseError as error:
            return subject, both(rejection, Rejection(PARSE, str(error)))
    subject = edited(step.checks, subject)
    return subject, both(rejection, first_rejection(step.checks.of_output, subject))
