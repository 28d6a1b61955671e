"""An item's way through its chain, as a generator: it asks for completions, and is told them.

Rules of this file: pure, and deterministic: the same item with the same completions takes the same way. So a run, the
replay of its journal after a crash, and a new fold of old calls all drive the same walk, each with completions from
where it has them. The place of an ask (step, part, attempt) names its completion in the journal.
"""

from corpusmill.chain.asks import Asking
from corpusmill.chain.filters import Subject
from corpusmill.chain.forms import take
from corpusmill.chain.step import CompiledStep
from corpusmill.chain.verdict import PASSED, Verdict, as_text
from corpusmill.chain.way import Way
from corpusmill.spec.steps import choices_name

MOST_ASKS = 10_000
"""Completions of steps that repeat after which an item goes back no more."""


class Walk(Way):
    """One item on its way through its chain."""

    __slots__ = ()

    def asks(self) -> Asking:
        """Take the steps in order; stop at the first that does not pass and goes back no more.

        Raises:
            RenderError: a template or an expression fails with what is there.
        """
        steps = self.chain.steps
        verdict, number = PASSED, 0
        while number < len(steps):
            step = steps[number]
            if step.when is not None and not step.when.evaluate(self.values):
                verdict = self._leave_out(step)
            elif step.form is not None:
                verdict = yield from take(self, number, step, step.form)
            else:
                ends = number == len(steps) - 1 and self.visits.get(number, 0) == step.visits - 1
                verdict, subjects = yield from self.passing(number, step, self.values, 0, ends)
                if subjects:
                    self.answers[step.name] = subjects
            if verdict.outcome == "kept":
                self._pass_on(step, verdict)
                number += 1
            elif (back_to := self._back_to(number, step, verdict)) is not None:
                number = back_to
            else:
                break
        return verdict

    def _leave_out(self, step: CompiledStep) -> Verdict:
        """Give the step the output that it has without a call."""
        output = step.otherwise(self.values)
        self.answers[step.name] = [Subject(as_text(output), "", output, None, self.values)]
        return PASSED

    def _pass_on(self, step: CompiledStep, verdict: Verdict) -> None:
        """Let later steps see what a step gave."""
        subjects = self.answers[step.name]
        self.values[step.name] = subjects[verdict.choices[0]].output
        if step.choices > 1:
            self.values[choices_name(step.name)] = [subjects[choice].output for choice in verdict.choices]
        if step.back_to is not None:
            self.sent_back = ("", "")

    def _back_to(self, number: int, step: CompiledStep, verdict: Verdict) -> int | None:
        """Return where the chain goes on after a rejection, None if it ends there."""
        if step.back_to is None or verdict.outcome != "rejected":
            return None
        visits = self.visits[number] = self.visits.get(number, 0) + 1
        if visits >= step.visits or self.asked >= MOST_ASKS:
            return None
        subjects = self.answers.get(step.name)
        self.sent_back = (verdict.detail, subjects[0].text if subjects else "")
        return step.back_to
