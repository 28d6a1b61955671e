"""How far an active job is, from its events."""

from collections import deque

from corpusmill.telemetry.events import BudgetSpent, JobStarted

SAMPLE_SECONDS = 1.0
SAMPLES_KEPT = 120
"""A job's rate is that of its last two minutes."""


class JobCounts:
    """One active job.

    Attributes:
        budget: what was last told of its budget.
    """

    __slots__ = ("_goal", "_kept_counts", "_reached", "_sampled_at", "_samples", "budget")

    def __init__(self, started: JobStarted, now: float) -> None:
        self._kept_counts = started.target is not None
        self._goal = started.target if started.target is not None else started.items
        self._reached = started.kept if self._kept_counts else started.done
        self._samples: deque[tuple[float, int]] = deque([(now, self._reached)], SAMPLES_KEPT)
        self._sampled_at = now
        self.budget: BudgetSpent | None = None

    def decided(self, outcome: str, now: float) -> None:
        """Take note of an item's outcome."""
        if outcome == "kept" or not self._kept_counts:
            self._reached += 1
        if now - self._sampled_at >= SAMPLE_SECONDS:
            self._samples.append((now, self._reached))
            self._sampled_at = now

    @property
    def progress(self) -> float | None:
        """The share that is done; None while the job's size is unknown."""
        return min(self._reached / self._goal, 1.0) if self._goal else None

    def eta_seconds(self, now: float) -> float | None:
        """How long it takes at the present rate; None where that is unknown."""
        (then, before) = self._samples[0]
        gained = self._reached - before
        if not self._goal or gained <= 0 or now <= then:
            return None
        return (self._goal - self._reached) * (now - then) / gained

    @property
    def budget_remaining_picodollars(self) -> int | None:
        """What is left in pico-dollars; None without such a budget."""
        budget = self.budget
        if budget is None or budget.of_picodollars is None:
            return None
        return budget.of_picodollars - budget.picodollars

    @property
    def budget_spent_ratio(self) -> float | None:
        """The share that is spent of the budget that is nearer to its end; None without one."""
        if self.budget is None:
            return None
        pairs = ((self.budget.calls, self.budget.of_calls), (self.budget.picodollars, self.budget.of_picodollars))
        return max((spent / whole for spent, whole in pairs if whole), default=None)
