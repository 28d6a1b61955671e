"""An item on its way: what it has gathered, and how a step is asked once or until it passes.

Rules of this file: pure, and deterministic: the same item with the same completions takes the same way. What happens in
one part of a step changes nothing that another part reads, so parts may be taken side by side.
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any

from corpusmill.chain.asks import Ask, Branch, Known, Reply
from corpusmill.chain.chain import Chain
from corpusmill.chain.completion import GaveUp, Prompt
from corpusmill.chain.filters import Subject
from corpusmill.chain.step import CompiledStep, Values
from corpusmill.chain.verdict import PASSED, failed, judge, judge_again
from corpusmill.space.item import Item

Address = Callable[[Prompt], Prompt]


class Way:
    """What an item has gathered.

    Attributes:
        item: which.
        chain: its steps.
        values: what templates see by now: axis values, the outputs of the steps that are done, `nonce`.
        answers: by step name, what each step gave by now, whether it passed or not.
        visits: by step number, how often its filters have rejected; only of steps from which the chain goes back.
        sent_back: why a later step sent the chain back, and that step's text.
    """

    __slots__ = ("_asked", "answers", "chain", "item", "sent_back", "values", "visits")

    def __init__(self, chain: Chain, item: Item) -> None:
        self.chain, self.item = chain, item
        self.values: Values = chain.values(item)
        self.answers: dict[str, list[Subject]] = {}
        self.visits: dict[int, int] = {}
        self.sent_back = ("", "")
        self._asked: dict[tuple[int, int], int] = {}

    @property
    def asked(self) -> int:
        """Completions asked for at steps that may repeat."""
        return sum(self._asked.values())

    def passing(self, number: int, step: CompiledStep, values: Values, part: int = 0, ends: bool = False) -> Branch:
        """Ask until a completion passes the step's filters or its tries are used up.

        Args:
            number: the step's.
            step: the step.
            values: what its templates see; not shared with another part.
            part: which part of the step.
            ends: whether the item has its outcome where the last try does not pass, and also where one does.
        """
        begin = self._asked.get((number, part), 0) if step.repeats else 0
        last = begin + step.tries - 1
        verdict, subjects = PASSED, list[Subject]()
        for attempt in range(begin, last + 1):
            if step.repeats:
                self._tell_past(step, values, attempt, verdict.detail, subjects)
            prompt = self.chain.prompt(step, values, attempt, part)
            reply: Reply | Known = yield Ask(step, (number, part, attempt), prompt, ends and attempt == last)
            if step.repeats:
                self._asked[number, part] = attempt + 1
            if isinstance(reply, GaveUp):
                return failed(reply), subjects
            if isinstance(reply, Known):
                verdict, subjects = judge_again(step, reply.completion, prompt, values, passed=reply.passed)
            else:
                verdict, subjects = judge(step, reply, prompt, values)
            if verdict.outcome == "kept":
                break
        return verdict, subjects

    def once(
        self, number: int, step: CompiledStep, values: Values, part: int, address: Address | None = None
    ) -> Generator[Ask, Any, tuple[Prompt, Reply]]:
        """Ask for one completion, which is judged with others; `address` makes the prompt of what was rendered."""
        attempt = self._asked.get((number, part), 0) if step.repeats else 0
        if step.repeats:
            self._tell_past(step, values, attempt, "", ())
        prompt = self.chain.prompt(step, values, attempt, part)
        if address is not None:
            prompt = address(prompt)
        reply = yield Ask(step, (number, part, attempt), prompt)
        if step.repeats:
            self._asked[number, part] = attempt + 1
        return prompt, reply

    def _tell_past(
        self, step: CompiledStep, values: Values, attempt: int, rejection: str, rejected: Sequence[Subject]
    ) -> None:
        """Let a step that may repeat see what came of it before."""
        detail, critique = self.sent_back
        past = rejected or self.answers.get(step.name)
        values["attempt"] = attempt
        values["rejection"] = rejection or detail
        values["rejected"] = past[0].text if past else ""
        values["critique"] = critique
