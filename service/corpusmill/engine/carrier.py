"""Carries one item through all its steps, from values to an outcome.

Rules of this file: which completions an item needs is said by its walk (`chain.walk`); here they are got. What the
journal already has of the item is used before anything is asked again; what comes back is journaled as it came, before
it counts. Nothing is waited for in an item's conclusion, so the last completion goes to the writer as it is and is
judged there, many in a row: that costs a third of what it costs in between calls.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

import msgspec

from corpusmill.chain.asks import Ask, Asking, Branch, Fork, Judged, Reply
from corpusmill.chain.chain import Chain
from corpusmill.chain.completion import Completion, GaveUp
from corpusmill.chain.verdict import Verdict
from corpusmill.chain.walk import Walk
from corpusmill.engine.caller import Caller
from corpusmill.engine.halt import RunEndingError
from corpusmill.engine.novelty import Novelty
from corpusmill.engine.outcome import SURPLUS, Liner, decide
from corpusmill.engine.route import Tally, Worker
from corpusmill.engine.writer import Writer
from corpusmill.journal.entry import Entry, Lines
from corpusmill.journal.records import Decided, Paid, Tried
from corpusmill.space.item import Item
from corpusmill.spec.errors import DocumentError, RenderError
from corpusmill.telemetry.events import Emit, ItemBroken, ItemDecided

Decode = Callable[[str, Paid], Completion]
"""Reads a journaled completion again, given the interface it came through: chat or completions."""

HANDS = 16
"""Branches of one item that are taken at once."""

DETAIL_CHARS = 300
"""Of an error that breaks an item: it may quote a text of any length."""


class Trail:
    """What is known of an item on its way: its walk, what earlier runs paid for, and requests not yet accounted for."""

    __slots__ = ("recalled", "tally", "walk")

    def __init__(self, walk: Walk, paid: Iterable[Paid]) -> None:
        self.walk = walk
        self.recalled = {each.place: each for each in paid}
        self.tally = Tally(walk.item.index)


class Carrier:
    """Carries items.

    Args:
        chain: the steps.
        caller: gets completions.
        writer: makes durable what they bring.
        novelty: what was kept before.
        liner: makes the lines of decisions.
        decode: reads journaled completions.
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
        surplus: Callable[[], bool],
        decided: Callable[[Decided], None],
        emit: Emit,
    ) -> None:
        self._chain, self._caller, self._writer = chain, caller, writer
        self._novelty, self._liner, self._decode = novelty, liner, decode
        self._surplus, self._decided, self._emit = surplus, decided, emit

    async def carry(self, item: Item, paid: list[Paid], worker: Worker) -> None:
        """Bring an item to its outcome, or so far that only the writer's judgement of its last completion is left.

        Raises:
            RunEndingError: the run ends before there is an outcome.
        """
        trail = Trail(Walk(self._chain, item), paid)
        try:
            verdict = await self._follow(trail, worker)
        except (RunEndingError, asyncio.CancelledError):
            self._leave(trail)
            raise
        except Exception as error:  # noqa: BLE001 - outermost guard: one bad item never harms another
            self._writer.put(self._broken(trail, error))
        else:
            if verdict is not None:
                self._writer.put_later(partial(self._concluded, trail, verdict), b"")

    def close(self) -> None:
        """Note at the end of a run what it learnt."""
        self._caller.close()

    async def _follow(self, trail: Trail, worker: Worker) -> Verdict | None:
        """Get the walk what it asks for, to its end; None if the end is the writer's to find."""
        asking = trail.walk.asks()
        try:
            wanted = next(asking)
            while True:
                if isinstance(wanted, Fork):
                    wanted = asking.send(await self._branch_out(trail, wanted, worker))
                elif wanted.final and wanted.place not in trail.recalled:
                    return await self._finish(trail, asking, wanted, worker)
                else:
                    wanted = asking.send(await self._reply(trail, wanted, worker))
        except StopIteration as end:
            return _verdict_of(end)

    async def _branch_out(self, trail: Trail, fork: Fork, worker: Worker) -> list[Judged | None]:
        """Take branches side by side, so many at once; an error waits until the calls that are out are back.

        Raises:
            RunEndingError: the run ends before all of them are taken.
        """
        results: list[Judged | None] = [None] * len(fork.branches)
        left = deque(enumerate(fork.branches))
        errors: list[Exception] = []

        async def work(hand: Worker) -> bool:
            while left:
                place, branch = left.popleft()
                try:
                    results[place] = taken = await self._take(trail, branch, hand)
                except RunEndingError:
                    return False
                except Exception as error:  # noqa: BLE001 - raised again below, when no call is out any more
                    errors.append(error)
                    left.clear()
                else:
                    if fork.all_needed and taken[0].outcome != "kept":
                        left.clear()
            return True

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(len(left), HANDS)):
                    hand = Worker()
                    worker.hands[group.create_task(work(hand))] = hand
            if not all(not task.cancelled() and task.result() for task in worker.hands):
                raise RunEndingError
        finally:
            worker.hands.clear()
        if errors:
            raise errors[0]
        return results

    async def _take(self, trail: Trail, branch: Branch, worker: Worker) -> Judged:
        """Get one branch what it asks for, to its end."""
        try:
            wanted = next(branch)
            while True:
                wanted = branch.send(await self._reply(trail, wanted, worker))
        except StopIteration as end:
            judged: Judged = end.value
            return judged

    async def _reply(self, trail: Trail, ask: Ask, worker: Worker) -> Reply:
        """Return the completion that an earlier run paid for, or else call."""
        if (recalled := trail.recalled.get(ask.place)) is not None:
            return self._decode(ask.step.api, recalled)
        reply = await self._caller.complete(ask.step, ask.prompt, trail.tally, worker)
        if isinstance(reply, Completion):
            self._writer.put(self._paid(trail, ask, reply))
        return reply

    async def _finish(self, trail: Trail, asking: Asking, ask: Ask, worker: Worker) -> Verdict | None:
        """Get the last completion, and leave it to the writer to judge."""
        reply = await self._caller.complete(ask.step, ask.prompt, trail.tally, worker)
        if isinstance(reply, GaveUp):
            return _told(asking, reply)
        self._writer.put_later(partial(self._finished, trail, asking, ask, reply), reply.body)
        return None

    def _finished(self, trail: Trail, asking: Asking, ask: Ask, completion: Completion) -> tuple[Entry, Entry]:
        """Return what the last completion of an item comes to: itself, and the item's outcome."""
        entry = self._paid(trail, ask, completion)
        try:
            return entry, self._conclude(trail, _told(asking, completion))
        except Exception as error:  # noqa: BLE001 - outermost guard: one bad item never harms another
            return entry, self._broken(trail, error)

    def _concluded(self, trail: Trail, verdict: Verdict) -> tuple[Entry]:
        """Return the outcome of an item that ended otherwise; made by the writer, for decisions have one order."""
        try:
            return (self._conclude(trail, verdict),)
        except Exception as error:  # noqa: BLE001 - outermost guard: one bad item never harms another
            return (self._broken(trail, error),)

    def _conclude(self, trail: Trail, verdict: Verdict) -> Entry:
        """Give an item its outcome."""
        if verdict.outcome == "kept" and self._surplus():
            verdict = Verdict("rejected", SURPLUS, "the target was met before this answer came")
        novelty, tried = self._novelty, trail.tally.take()
        decided, marks = decide(trail.walk, verdict, tried, novelty=novelty, records=self._liner.records)
        lines = self._liner.lines(trail.walk, decided, novelty.marker.kept(marks))
        novelty.remember(decided.index, marks)
        return self._told(decided, lines)

    def _broken(self, trail: Trail, error: Exception) -> Entry:
        """Fail an item by an error: its template's, or one of ours, which is told loudly."""
        reason, detail = "document" if isinstance(error, DocumentError) else "template", str(error)[:DETAIL_CHARS]
        if not isinstance(error, RenderError):
            reason, detail = "internal", f"{type(error).__name__}: {error}"[:DETAIL_CHARS]
            self._emit(ItemBroken(self._caller.job, trail.walk.item.index, detail))
        decided = Decided(trail.walk.item.index, "failed", reason, detail, attempts=trail.tally.take())
        return self._told(decided, self._liner.lines(trail.walk, decided))

    def _told(self, decided: Decided, lines: Lines) -> Entry:
        """Tell everybody of an outcome, and return its entry."""
        self._decided(decided)
        self._emit(ItemDecided(self._caller.job, decided.index, decided.outcome, decided.reason, decided.records))
        return Entry.decided(decided, lines)

    def _leave(self, trail: Trail) -> None:
        """Account for the requests of an item that stays without an outcome."""
        attempts = trail.tally.take()
        if attempts.sent:
            self._writer.put(Entry.of(Tried(trail.walk.item.index, attempts)))

    def _paid(self, trail: Trail, ask: Ask, completion: Completion) -> Entry:
        usage = completion.usage
        tokens = (usage.input_tokens, usage.cached_input_tokens, usage.output_tokens, usage.reasoning_tokens)
        step, part, attempt = ask.place
        return Entry.of(
            Paid(
                index=trail.walk.item.index,
                step=step,
                part=part,
                attempt=attempt,
                attempts=trail.tally.take(),
                model=self._caller.upstream(ask.step),
                body=msgspec.Raw(completion.body),
                usage=tokens if completion.usage_known else None,
                cost_picodollars=self._caller.cost(ask.step, completion),
                request_id=completion.request_id,
            )
        )


def _told(asking: Asking, last: Reply) -> Verdict:
    """Tell a walk the last thing it asked for."""
    try:
        asking.send(last)
    except StopIteration as end:
        return _verdict_of(end)
    raise AssertionError("a walk went on after its final ask")


def _verdict_of(end: StopIteration) -> Verdict:
    verdict: Verdict = end.value
    return verdict
