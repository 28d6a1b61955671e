"""Carries one item through all its steps, from values to an outcome.

Rules of this file: it reads top-down as the way of an item. What the journal already has of the item is used before
anything is asked again; what comes back is journaled as it came, before it counts. Nothing is waited for in an item's
conclusion, so the last completion goes to the writer as it is and is judged there, many in a row: that costs a third of
what it costs in between calls.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

import msgspec

from corpusmill.chain.chain import Chain, CompiledStep, Values
from corpusmill.chain.completion import Choice, Completion
from corpusmill.engine.caller import Caller, GaveUp
from corpusmill.engine.halt import RunEndingError
from corpusmill.engine.outcome import Liner, Novelty, Verdict, decide, judged
from corpusmill.engine.route import Tally, Worker
from corpusmill.engine.writer import Writer
from corpusmill.journal.entry import Entry, Lines
from corpusmill.journal.records import Decided, Paid, Tried
from corpusmill.space.item import Item
from corpusmill.spec.errors import RenderError
from corpusmill.telemetry.events import Emit, ItemBroken, ItemDecided

Decode = Callable[[str, Paid], Completion]
"""Reads a journaled completion again, given the interface it came through: chat or completions."""


class Trail:
    """What is known of an item on its way: the choices each step gave, and requests not yet accounted for."""

    def __init__(self, index: int, recalled: deque[Paid]) -> None:
        self.recalled = recalled
        self.answers: dict[str, list[Choice]] = {}
        self.tally = Tally(index)


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
        decided: told of every outcome.
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
        decided: Callable[[Decided], None],
        emit: Emit,
    ) -> None:
        self._chain, self._caller, self._writer = chain, caller, writer
        self._novelty, self._liner, self._decode = novelty, liner, decode
        self._examples, self._surplus, self._decided, self._emit = examples, surplus, decided, emit
        self._last = len(chain.steps) - 1

    async def carry(self, item: Item, paid: list[Paid], worker: Worker) -> None:
        """Bring an item to its outcome, or so far that only the writer's judgement of its last completion is left.

        Raises:
            RunEndingError: the run ends before there is an outcome.
        """
        trail = Trail(item.index, deque(paid))
        try:
            verdict = await self._walk(item, trail, worker)
        except (RunEndingError, asyncio.CancelledError):
            self._leave(item, trail)
            raise
        except Exception as error:  # noqa: BLE001 - outermost guard: one bad item never harms another
            self._writer.put(self._broken(item, trail, error))
        else:
            if verdict is not None:
                self._writer.put(self._conclude(item, trail, verdict))

    async def _walk(self, item: Item, trail: Trail, worker: Worker) -> Verdict | None:
        """Take the steps in order; stop at the first whose completions all fail its filters."""
        values = self._chain.values(item)
        verdict: Verdict | None = None
        for number, step in enumerate(self._chain.steps):
            verdict = await self._take_step(item, number, step, values, trail, worker)
            if verdict is None or verdict.outcome != "kept":
                break
            values[step.name] = trail.answers[step.name][verdict.choices[0]].text
        return verdict

    async def _take_step(
        self, item: Item, number: int, step: CompiledStep, values: Values, trail: Trail, worker: Worker
    ) -> Verdict | None:
        """Ask for completions until one passes the step's filters or its attempts are used up.

        Return the verdict; None if it is the writer's to find, as no further call depends on it.
        """
        verdict = Verdict("failed", "attempts")
        for attempt in range(step.attempts):
            completion = self._recall(number, attempt, step, trail)
            if completion is None:
                prompt = self._chain.prompt(step, values, attempt)
                answer = await self._caller.complete(step, prompt, trail.tally, worker)
                if isinstance(answer, GaveUp):
                    return Verdict("failed", answer.reason, answer.detail)
                completion = answer
                paid = partial(self._paid, item, number, attempt, step, completion, trail)
                if number == self._last and attempt == step.attempts - 1:
                    self._writer.put_later(partial(self._finish, item, trail, step, completion, paid), completion.body)
                    return None
                self._writer.put(paid())
            verdict = self._judge(step, completion, trail)
            if verdict.outcome == "kept":
                break
        return verdict

    def _recall(self, number: int, attempt: int, step: CompiledStep, trail: Trail) -> Completion | None:
        """Return the completion that an earlier run paid for at this place, if there is one."""
        if trail.recalled and (trail.recalled[0].step, trail.recalled[0].attempt) == (number, attempt):
            return self._decode(step.api, trail.recalled.popleft())
        return None

    def _finish(
        self, item: Item, trail: Trail, step: CompiledStep, completion: Completion, paid: Callable[[], Entry]
    ) -> tuple[Entry, Entry]:
        """Return what the last completion of an item comes to: itself, and the item's outcome."""
        entry = paid()
        try:
            return entry, self._conclude(item, trail, self._judge(step, completion, trail))
        except Exception as error:  # noqa: BLE001 - outermost guard: one bad item never harms another
            return entry, self._broken(item, trail, error)

    def _judge(self, step: CompiledStep, completion: Completion, trail: Trail) -> Verdict:
        choices = trail.answers[step.name] = self._chain.trimmed(completion)
        return judged(self._chain, step, choices)

    def _conclude(self, item: Item, trail: Trail, verdict: Verdict) -> Entry:
        """Give an item its outcome."""
        if verdict.outcome == "kept" and self._surplus():
            verdict = Verdict("rejected", "surplus", "the target was met before this answer came")
        tried = trail.tally.take()
        decided = decide(item.index, verdict, trail.answers, tried, novelty=self._novelty, examples=self._examples)
        lines = self._liner.lines(item, decided, trail.answers)
        self._novelty.remember(decided)
        return self._told(decided, lines)

    def _broken(self, item: Item, trail: Trail, error: Exception) -> Entry:
        """Fail an item by an error: its template's, or one of ours, which is told loudly."""
        reason, detail = "template", str(error)
        if not isinstance(error, RenderError):
            reason, detail = "internal", f"{type(error).__name__}: {error}"
            self._emit(ItemBroken(self._caller.job, item.index, detail))
        decided = Decided(item.index, "failed", reason, detail[:300], attempts=trail.tally.take())
        return self._told(decided, self._liner.lines(item, decided, trail.answers))

    def _told(self, decided: Decided, lines: Lines) -> Entry:
        """Tell everybody of an outcome, and return its entry."""
        self._decided(decided)
        self._emit(ItemDecided(self._caller.job, decided.index, decided.outcome, decided.reason, decided.records))
        return Entry.decided(decided, lines)

    def _leave(self, item: Item, trail: Trail) -> None:
        """Account for the requests of an item that stays without an outcome."""
        attempts = trail.tally.take()
        if attempts.sent:
            self._writer.put(Entry.of(Tried(item.index, attempts)))

    def _paid(
        self, item: Item, number: int, attempt: int, step: CompiledStep, completion: Completion, trail: Trail
    ) -> Entry:
        usage = completion.usage
        tokens = (usage.input_tokens, usage.cached_input_tokens, usage.output_tokens, usage.reasoning_tokens)
        return Entry.of(
            Paid(
                index=item.index,
                step=number,
                attempt=attempt,
                attempts=trail.tally.take(),
                model=self._caller.upstream(step),
                body=msgspec.Raw(completion.body),
                usage=tokens if completion.usage_known else None,
                cost_picodollars=self._caller.cost(step, completion),
            )
        )
