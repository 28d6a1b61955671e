"""Carries one item through all its steps, from values to an outcome.

Rule of this file: it reads top-down as the way of an item. What the journal already has of the item is used before
anything is asked again; what comes back is journaled as it came before it is judged.
"""

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec

from corpusmill.chain.chain import Chain, CompiledStep, Values
from corpusmill.chain.completion import Choice, Completion
from corpusmill.engine.caller import Caller, GaveUp, RunEndingError
from corpusmill.engine.outcome import Liner, Novelty, Verdict, decide, judged
from corpusmill.engine.route import Tally, Worker
from corpusmill.engine.writer import Writer
from corpusmill.journal.entry import Entry, Lines
from corpusmill.journal.records import Decided, Paid, Tried
from corpusmill.space.item import Item
from corpusmill.spec.errors import RenderError
from corpusmill.telemetry.events import Emit, ItemDecided

Decode = Callable[[str, Paid], Completion]
"""Reads a journaled completion again, given the interface it came through: chat or completions."""


class Trail:
    """What is known of an item on its way: the choices each step gave, and requests not yet accounted for."""

    def __init__(self, recalled: deque[Paid]) -> None:
        self.recalled = recalled
        self.answers: dict[str, list[Choice]] = {}
        self.tally = Tally()


class Carrier:
    """Carries items.

    Args:
        chain: the steps.
        caller: gets completions.
        writer: makes durable what they bring.
        novelty: what was kept before.
        liner: makes the lines of decisions.
        decode: reads journaled completions.
        examples: records that one kept choice contributes.
        surplus: whether one more kept item would be one too many.
        emit: takes events.
    """

    def __init__(
        self,
        chain: Chain,
        caller: Caller,
        writer: Writer,
        *,
        novelty: Novelty,
        liner: Liner,
        decode: Decode,
        examples: int,
        surplus: Callable[[], bool],
        emit: Emit,
    ) -> None:
        self._chain, self._caller, self._writer = chain, caller, writer
        self._novelty, self._liner, self._decode = novelty, liner, decode
        self._examples, self._surplus, self._emit = examples, surplus, emit

    async def carry(self, item: Item, paid: list[Paid], worker: Worker) -> Decided:
        """Bring an item to its outcome, and hand that to the writer.

        Raises:
            RunEndingError: the run ends before there is an outcome.
        """
        trail = Trail(deque(paid))
        try:
            verdict = await self._walk(item, trail, worker)
            decided = self._decide(item, verdict, trail)
            lines = self._liner.lines(item, decided, trail.answers)
        except RenderError as error:
            return self.fail(item, trail, "template", str(error))
        except (RunEndingError, asyncio.CancelledError):
            self._leave(item, trail)
            raise
        self._novelty.remember(decided)
        return self._hand_over(decided, lines)

    def fail(self, item: Item, trail: Trail, reason: str, detail: str) -> Decided:
        """Give an item the outcome failed."""
        decided = Decided(item.index, "failed", reason, detail, attempts=trail.tally.take())
        return self._hand_over(decided, self._liner.lines(item, decided, trail.answers))

    def _leave(self, item: Item, trail: Trail) -> None:
        """Account for the requests of an item that stays without an outcome."""
        attempts = trail.tally.take()
        if attempts.sent:
            self._writer.put(Entry.of(Tried(item.index, attempts)))

    async def _walk(self, item: Item, trail: Trail, worker: Worker) -> Verdict:
        """Take the steps in order; stop at the first whose completions all fail its filters."""
        values = self._chain.values(item)
        verdict = Verdict("kept")
        for number, step in enumerate(self._chain.steps):
            verdict = await self._take_step(number, step, values, trail, worker)
            if verdict.outcome != "kept":
                break
            values[step.name] = trail.answers[step.name][verdict.choices[0]].text
        return verdict

    async def _take_step(
        self, number: int, step: CompiledStep, values: Values, trail: Trail, worker: Worker
    ) -> Verdict:
        """Ask for completions until one passes the step's filters or its attempts are used up."""
        verdict = Verdict("failed", "attempts")
        for attempt in range(step.attempts):
            completion = self._recall(number, attempt, step, trail)
            if completion is None:
                prompt = self._chain.prompt(step, values, attempt)
                answer = await self._caller.complete(step, prompt, trail.tally, worker)
                if isinstance(answer, GaveUp):
                    return Verdict("failed", answer.reason, answer.detail)
                completion = answer
                self._writer.put(self._paid(values["index"], number, attempt, step, completion, trail))
            choices = trail.answers[step.name] = self._chain.trimmed(completion)
            verdict = judged(self._chain, step, choices)
            if verdict.outcome == "kept":
                break
        return verdict

    def _recall(self, number: int, attempt: int, step: CompiledStep, trail: Trail) -> Completion | None:
        """Return the completion that an earlier run paid for at this place, if there is one."""
        if trail.recalled and (trail.recalled[0].step, trail.recalled[0].attempt) == (number, attempt):
            return self._decode(step.api, trail.recalled.popleft())
        return None

    def _paid(
        self, index: int, number: int, attempt: int, step: CompiledStep, completion: Completion, trail: Trail
    ) -> Entry:
        usage = completion.usage
        tokens = (usage.input_tokens, usage.cached_input_tokens, usage.output_tokens, usage.reasoning_tokens)
        return Entry.of(
            Paid(
                index=index,
                step=number,
                attempt=attempt,
                attempts=trail.tally.take(),
                model=self._caller.upstream(step),
                body=msgspec.Raw(completion.body),
                usage=tokens if completion.usage_known else None,
                cost_picodollars=self._caller.cost(step, completion),
            )
        )

    def _decide(self, item: Item, verdict: Verdict, trail: Trail) -> Decided:
        if verdict.outcome == "kept" and self._surplus():
            verdict = Verdict("rejected", "surplus", "the target was met before this answer came")
        return decide(
            item.index,
            verdict,
            trail.answers,
            trail.tally.take(),
            novelty=self._novelty,
            examples=self._examples,
        )

    def _hand_over(self, decided: Decided, lines: Lines) -> Decided:
        self._writer.put(Entry.decided(decided, lines))
        self._emit(ItemDecided(decided.index, decided.outcome, decided.reason, decided.records))
        return decided
