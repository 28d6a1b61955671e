"""A job's parts, put together on whatever disk, endpoints and clock are passed in.

Rule of this file: no I/O of its own and no globals, so that the same assembly runs for real and in a simulation.
"""

import random
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from corpusmill.bootstrap.replay import Replay
from corpusmill.chain.chain import Chain
from corpusmill.chain.records import RecordWriter
from corpusmill.chain.step import callees, max_tokens
from corpusmill.endpoint.prices import PICODOLLARS_PER_USD
from corpusmill.engine.budget import Budget, Price
from corpusmill.engine.caller import Caller, Conduct
from corpusmill.engine.carrier import Carrier
from corpusmill.engine.engine import Engine
from corpusmill.engine.halt import Ending, Halt
from corpusmill.engine.hedging import Hedging
from corpusmill.engine.holdings import Holdings
from corpusmill.engine.novelty import Marker, Novelty
from corpusmill.engine.outcome import Liner
from corpusmill.engine.purse import Purse
from corpusmill.engine.retry import TRIES
from corpusmill.engine.route import Route
from corpusmill.engine.schedule import Schedule
from corpusmill.engine.search import Search
from corpusmill.engine.writer import LOW_BYTES, Blocking, Writer
from corpusmill.jobs.generations import generation_path
from corpusmill.jobs.summary import Summary, summarise
from corpusmill.journal.files import Files
from corpusmill.journal.records import Granted
from corpusmill.journal.sidecars import read_sidecars
from corpusmill.journal.store import JobStore
from corpusmill.limits.width import WIDTH_MOST
from corpusmill.space.space import NO_DOCUMENTS, Space, build_space
from corpusmill.space.tree import DocumentValues
from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import JobSpec
from corpusmill.spec.steps import aliases
from corpusmill.spec.template import compile_expression
from corpusmill.telemetry.events import Emit

WIDTH_AT_START = 8
"""Workers to begin with, where there are more as soon as there is room for them."""


def space_of(spec: JobSpec, documents: Mapping[str, DocumentValues] = NO_DOCUMENTS) -> Space:
    """Return the space of a spec whose axis files are inlined, and whose documents are opened."""
    where = compile_expression(spec.space.where).evaluate if spec.space.where is not None else None
    return build_space(spec.space, spec.seed, where, documents)


def items_of(spec: JobSpec, space: Space) -> int | None:
    """Return how many items a job has, None where that is only known in the end (a target, or an estimate)."""
    count = space.count()
    if spec.target is not None or not count.exact:
        return None
    return min(count.kept, spec.space.limit or count.kept)


async def check_budget(spec: JobSpec, routes: dict[str, Route]) -> None:
    """Refuse a dollar budget where a call's cost has no known bound.

    Raises:
        SpecError: a step's model has no price, or the step sets no bound on its completion.
    """
    if spec.budget.usd is None:
        return
    for place, step in enumerate(spec.steps):
        for route in [routes[alias] for alias in aliases([step])]:
            if await route.known_prices() is None:
                raise SpecError(
                    "budget.usd",
                    f"the price of model {route.upstream!r} is unknown; configure it, or budget calls instead",
                )
        if max_tokens(step.parameters) is None:
            raise SpecError(
                f"steps[{place}].parameters",
                "a dollar budget needs max_tokens here; without it a call's cost has no bound",
            )


class Assembly:
    """One job, ready to run.

    Args:
        spec: checked, with axis files inlined.
        folder: the job's folder, or that of one of its generations.
        files: the disk.
        now: wall clock, ISO 8601.
        documents: those of each axis of documents.
        job: its name, by default the folder's.
    """

    def __init__(
        self,
        spec: JobSpec,
        folder: Path,
        files: Files,
        now: Callable[[], str],
        documents: Mapping[str, DocumentValues] = NO_DOCUMENTS,
        job: str | None = None,
    ) -> None:
        self.spec, self.job, self._folder, self._files = spec, job or folder.name, folder, files
        self.space = space_of(spec, documents)
        self.items = items_of(spec, self.space)
        self.chain = Chain(spec)
        records = RecordWriter(spec)
        self.liner = Liner(self.chain, records)
        self._marker = Marker(spec.dedup, self.chain, records)
        self._replay = Replay(self.space, self.chain, self.liner, self._marker)
        self.store = JobStore(files, folder, spec.shards, render=self._replay.lines, now=now)
        self.novelty = self._novelty_of(self.store)
        self.store.fingerprints.clear()
        self.halt = Halt()

    def engine(
        self,
        routes: dict[str, Route],
        *,
        blocking: Blocking,
        jitter: random.Random,
        emit: Emit,
        low_bytes: int = LOW_BYTES,
        most: int = WIDTH_MOST,
    ) -> Engine:
        """Return the engine that runs what is left of the job, `most` items at once at most."""
        spec, store = self.spec, self.store
        self.schedule = Schedule(
            self.space.size,
            store.done,
            horizon=store.horizon,
            kept=store.figures.outcomes.kept,
            keeps=self._keeps if spec.space.where is not None else None,
            limit=spec.space.limit,
            target=spec.target.kept if spec.target else None,
        )
        self.writer = Writer(
            self.job,
            store,
            blocking=blocking,
            free_bytes=partial(self._files.free_bytes, self._folder),
            horizon=lambda: self.schedule.horizon,
            emit=emit,
            low_bytes=low_bytes,
        )
        purse = Purse(self.job, self._budget(), self.writer, self.halt, emit)
        left, concurrency = max(self.space.size - len(store.done), 1), spec.limits.concurrency
        engine = Engine(
            space=self.space,
            schedule=self.schedule,
            unfinished=store.unfinished,
            purse=purse,
            writer=self.writer,
            halt=self.halt,
            search=Search(self.job, emit),
            width=min(concurrency or WIDTH_AT_START, left),
            most=min(concurrency or most, left),
        )
        self.caller = Caller(
            self.job,
            callees(self.chain.steps),
            routes,
            writer=self.writer,
            purse=purse,
            halt=self.halt,
            conduct=Conduct(
                waits_for_quota=spec.limits.on_quota == "pause",
                hedging=Hedging(self.schedule) if spec.limits.hedge else None,
                tries=spec.limits.tries or TRIES,
            ),
            room=engine.widen,
            jitter=jitter,
            emit=emit,
        )
        self.carrier = Carrier(
            self.chain,
            self.caller,
            self.writer,
            novelty=self.novelty,
            liner=self.liner,
            decode=self._replay.completion,
            surplus=self._surplus,
            decided=engine.decided,
            emit=emit,
        )
        return engine

    def summary(self, ending: Ending, *, seconds: float) -> Summary:
        """Return what the job came to so far."""
        summary = summarise(self.job, ending.state, self.store.figures, items=self.items, seconds=seconds)
        return replace(summary, reason=ending.reason, cause=ending.cause)

    def _novelty_of(self, store: JobStore) -> Novelty:
        marker, sketches, size = self._marker, store.sketches, self.space.size
        target = self.spec.target.kept if self.spec.target is not None else size
        expected = min(size, self.spec.space.limit or size, target)
        own = Holdings(
            marker.near.rows(expected=expected, read=sketches.read, readable=lambda: sketches.readable)
            if marker.near is not None
            else None
        )
        own.load(store.fingerprints)
        across = self.spec.dedup.across if self.spec.dedup is not None else None
        return Novelty(marker, own, {job: self._holdings_of(job) for job in across or ()})

    def _holdings_of(self, job: str) -> Holdings:
        """Read what another job has sealed."""
        home = next(each for each in (self._folder, *self._folder.parents) if each.name == self.job)
        try:
            sidecars = read_sidecars(self._files, generation_path(home.parent / job))
        except FileNotFoundError:
            raise SpecError("dedup.across", f"there is no job {job!r} in the data directory") from None
        rows = sum(len(covered.fingerprints) for covered in sidecars.kept)
        near = self._marker.near
        holdings = Holdings(near.rows(expected=rows, read=sidecars.sketches.read) if near is not None else None)
        holdings.load(sidecars.kept)
        return holdings

    def _keeps(self, index: int) -> bool:
        return self.space.keeps(self.space.item(index))

    def _surplus(self) -> bool:
        return self.schedule.target_met

    def _budget(self) -> Budget:
        spec, figures = self.spec.budget, self.store.figures
        bound = int(Decimal(str(spec.usd)) * PICODOLLARS_PER_USD) if spec.usd is not None else None
        granted = figures.granted or Granted(0, 0)
        spent = Price(max(figures.calls.sent, granted.calls), max(figures.cost_picodollars, granted.picodollars))
        return Budget(spec.calls, bound, spent)
