"""The purse of a run: a budget that workers wait at, and whose grants are durable before they are spent."""

from corpusmill.engine.bell import Bell
from corpusmill.engine.budget import Budget, Price, Room
from corpusmill.engine.halt import Halt, RunEndingError
from corpusmill.engine.writer import Writer
from corpusmill.journal.entry import Entry
from corpusmill.journal.records import Granted
from corpusmill.telemetry.events import BudgetSpent, Emit


class Purse:
    """Reserves what a call may cost, and ends the run where nothing is left.

    Args:
        job: whose budget it is, for events.
        budget: what may be spent.
        writer: makes grants durable.
        halt: ends the run when the budget is spent.
        emit: takes events.

    Attributes:
        is_bounded: whether there is any budget; without one nobody need ask.
    """

    def __init__(self, job: str, budget: Budget, writer: Writer, halt: Halt, emit: Emit) -> None:
        self._job, self._budget, self._writer, self._halt, self._emit = job, budget, writer, halt, emit
        self._settled = Bell()
        self._granting = False
        self.is_bounded = budget.is_bounded

    async def reserve(self, worst: Price) -> None:
        """Set the worst case of one call aside, covered by a durable grant; `settle` must follow.

        Raises:
            RunEndingError: the run ends; nothing is set aside.
        """
        while self._halt.ending is None:
            room = self._budget.reserve(worst)
            if room is Room.YES:
                await self._cover(worst)
                return
            if room is Room.NEVER:
                self._halt.stop("exhausted", "the budget is spent")
                break
            await self._settled.wait()
        raise RunEndingError

    def spares(self, worst: Price, times: int) -> bool:
        """Whether the budget has room for so many more calls, whatever those cost that are out."""
        return self._budget.spares(worst, times)

    def settle(self, worst: Price, spent: Price) -> None:
        """Turn a reservation into what the call cost."""
        self._budget.settle(worst, spent)
        self._settled.ring()

    def close(self) -> None:
        """At the end of a run, replace the last grant by what was really spent."""
        if self.is_bounded:
            spent = self._budget.spent
            self._writer.put(Entry.of(Granted(spent.calls, spent.picodollars)))
            self._tell()

    async def _cover(self, worst: Price) -> None:
        """Return when a durable grant covers what is reserved; one worker asks for it, the others wait."""
        try:
            while not self._budget.is_covered:
                if self._granting:
                    await self._settled.wait()
                else:
                    await self._grant()
        except BaseException:
            self.settle(worst, Price(0, 0))
            raise

    async def _grant(self) -> None:
        self._granting = True
        try:
            grant = self._budget.next_grant()
            await self._writer.put_durably(Entry.of(Granted(grant.calls, grant.picodollars)))
            self._budget.grant(grant)
            self._tell()
        finally:
            self._granting = False
            self._settled.ring()

    def _tell(self) -> None:
        budget, spent = self._budget, self._budget.spent
        self._emit(BudgetSpent(self._job, spent.calls, spent.picodollars, budget.calls, budget.picodollars))
