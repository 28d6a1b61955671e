"""An item's way through its chain, as a generator: it asks for completions, and is told them.

Rules of this file: pure, and deterministic: the same item with the same completions takes the same way. So a run, the
replay of its journal after a crash, and a new fold of old calls all drive the same walk, each with completions from
where it has them. The place of an ask (step, part, attempt) names its completion in the journal.
"""

from collections.abc import Callable, Generator
from typing import TypeAlias

import msgspec

from corpusmill.chain.chain import Chain, CompiledStep, Values
from corpusmill.chain.completion import Completion, GaveUp, Prompt
from corpusmill.chain.filters import Subject
from corpusmill.chain.verdict import PASSED, Verdict, judge
from corpusmill.space.item import Item


class Ask(msgspec.Struct, frozen=True):
    """One completion that is asked for.

    Attributes:
        step: whom to ask, and how.
        place: the step's number, which of its parts, the how many-th completion asked for there; each from 0.
        final: whatever is answered, no further ask follows.
    """

    step: CompiledStep
    place: tuple[int, int, int]
    prompt: Prompt
    final: bool


Reply: TypeAlias = "Completion | GaveUp"
Asking: TypeAlias = "Generator[Ask, Reply, Verdict]"


class Walk:
    """One item on its way.

    Attributes:
        item: which.
        values: what templates see by now: axis values, the outputs of the steps that are done, `nonce`.
        answers: by step name, what each step gave by now, whether it passed or not.
    """

    __slots__ = ("_chain", "answers", "item", "values")

    def __init__(self, chain: Chain, item: Item) -> None:
        self._chain, self.item = chain, item
        self.values: Values = chain.values(item)
        self.answers: dict[str, list[Subject]] = {}

    def asks(self) -> Asking:
        """Take the steps in order; stop at the first whose completions all fail its filters.

        Raises:
            RenderError: a prompt cannot be rendered with what is there.
        """
        steps = self._chain.steps
        verdict = PASSED
        for number, step in enumerate(steps):
            verdict = yield from self._take(number, step, last=number == len(steps) - 1)
            if verdict.outcome != "kept":
                break
            self.values[step.name] = self.answers[step.name][verdict.choices[0]].output
        return verdict

    def _take(self, number: int, step: CompiledStep, *, last: bool) -> Asking:
        """Ask until a completion passes the step's filters or its attempts are used up."""
        verdict = PASSED
        for attempt in range(step.attempts):
            prompt = self._chain.prompt(step, self.values, attempt)
            reply = yield Ask(step, (number, 0, attempt), prompt, last and attempt == step.attempts - 1)
            if isinstance(reply, GaveUp):
                return Verdict("failed", reply.reason, reply.detail)
            verdict, self.answers[step.name] = judge(step, reply, prompt, self.values)
            if verdict.outcome == "kept":
                break
        return verdict


def replay(asking: Asking, reply: Callable[[Ask], Reply]) -> Verdict:
    """Take a walk to its end, with replies that are there already.

    Raises:
        RenderError: as the walk.
    """
    try:
        ask = next(asking)
        while True:
            ask = asking.send(reply(ask))
    except StopIteration as end:
        verdict: Verdict = end.value
        return verdict
