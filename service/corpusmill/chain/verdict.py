"""From a completion to a verdict: its text cleaned, judged, parsed and judged again.

Rule of this file: pure, and total: whatever a model answers, the outcome is a verdict.
"""

from typing import Literal

import msgspec

from corpusmill.chain.chain import CompiledStep, Values
from corpusmill.chain.completion import Choice, Completion, Prompt
from corpusmill.chain.filters import Rejection, Subject, first_rejection


class Verdict(msgspec.Struct, frozen=True):
    """How a step, and with the last one the item's chain, ended.

    Attributes:
        outcome: `kept` while nothing is known against it, else `rejected` or `failed`.
        reason, detail: why, unless kept.
        choices: which choices of the completion pass the step's filters.
    """

    outcome: Literal["kept", "rejected", "failed"]
    reason: str = ""
    detail: str = ""
    choices: tuple[int, ...] = (0,)


PASSED = Verdict("kept")


def judge(step: CompiledStep, completion: Completion, prompt: Prompt, values: Values) -> tuple[Verdict, list[Subject]]:
    """Judge each choice of a completion: those that pass are kept; if none does, the first one's fault counts."""
    judged = [judge_choice(step, choice, prompt, values) for choice in completion.choices]
    subjects = [subject for subject, _ in judged]
    passing = tuple([place for place, (_, rejection) in enumerate(judged) if rejection is None])
    if passing:
        return (PASSED if passing == (0,) else Verdict("kept", choices=passing)), subjects
    return _rejected(judged[0][1]), subjects


def judge_choice(
    step: CompiledStep, choice: Choice, prompt: Prompt, values: Values
) -> tuple[Subject, Rejection | None]:
    """Return a choice as later steps see it, and why it does not pass the step's filters, if it does not."""
    text = choice.text.strip()
    subject = Subject(text, choice.finish_reason, text, prompt, values)
    return subject, first_rejection(step.checks.of_text, subject)


def _rejected(rejection: Rejection | None) -> Verdict:
    if rejection is None:
        return Verdict("failed", "empty_choice")
    return Verdict("rejected", rejection.reason, rejection.detail)
