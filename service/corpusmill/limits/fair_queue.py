"""Who is next: start-time fair queueing between jobs, strict classes above it, first come first served within a job.

Rule of this file: only the head may be served, however long it has to wait; so nothing ever starves. Costs are what a
request takes of the scarcest limit (dominant resource). Method: Goyal, Vin, Cheng, "Start-time Fair Queuing" (1996).
Every operation takes O(log jobs).
"""

import heapq
from collections import OrderedDict
from typing import Generic, TypeVar

from corpusmill.limits.claim import Claim

C = TypeVar("C", bound=Claim)
SWEEP_JOBS = 256
"""Idle jobs are forgotten when more than this many are known."""


class Lane(Generic[C]):
    """The waiting claims of one job and its place in virtual time."""

    __slots__ = ("correction", "finish", "is_kept", "is_queued", "priority", "start", "waiting", "weight")

    def __init__(self, weight: float = 1.0, priority: int = 0, is_kept: bool = False) -> None:
        self.waiting: OrderedDict[C, None] = OrderedDict()
        self.weight = weight
        self.priority = priority
        self.is_kept = is_kept
        self.is_queued = False
        self.start = self.finish = self.correction = 0.0


class FairQueue(Generic[C]):
    """Claims that wait, in the order they will be served."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane[C]] = {}
        self._heap: list[tuple[int, float, int, Lane[C]]] = []
        self._virtual_time: dict[int, float] = {}
        self._latest_finish: dict[int, float] = {}
        self._sequence = 0
        self._size = 0
        self._sweep_at = SWEEP_JOBS

    def __len__(self) -> int:
        return self._size

    def share(self, job: str, weight: float = 1.0, priority: int = 0) -> None:
        """Give a job a weight (its share relative to others) and a class (the lowest number is served first).

        It holds for claims that come from now on, and until `forget`.
        """
        if not weight > 0:
            raise ValueError(f"the weight of job {job!r} is {weight:g}; it must be above 0")
        lane = self._lanes.setdefault(job, Lane())
        lane.weight, lane.is_kept = weight, True
        if lane.priority != priority:
            lane.priority, lane.finish = priority, 0.0

    def forget(self, job: str) -> None:
        """Drop what is known of a job that is over; claims that still wait are served all the same."""
        lane = self._lanes.get(job)
        if lane is not None:
            lane.is_kept = False
            if not lane.waiting:
                del self._lanes[job]

    def push(self, claim: C, first: bool = False) -> None:
        """Queue a claim behind those of its job, or before them (a retry: its turn was already there)."""
        lane = self._lanes.get(claim.job)
        if lane is None:
            self._sweep()
            lane = self._lanes[claim.job] = Lane()
        lane.waiting[claim] = None
        if first:
            lane.waiting.move_to_end(claim, last=False)
        self._size += 1
        if not lane.is_queued:
            self._enter(lane)

    def head(self) -> C | None:
        """Return the claim to be served next, or None if nothing waits."""
        while self._heap:
            lane = self._heap[0][3]
            if lane.waiting:
                return next(iter(lane.waiting))
            heapq.heappop(self._heap)
            lane.is_queued = False
        return None

    def pop(self, cost: float) -> None:
        """Take the head away, which takes `cost` of its job's share."""
        priority, start, _, lane = heapq.heappop(self._heap)
        lane.waiting.popitem(last=False)
        self._size -= 1
        lane.is_queued = False
        self._virtual_time[priority] = start
        lane.finish = max(start, start + (cost + lane.correction) / lane.weight)
        lane.correction = 0.0
        self._latest_finish[priority] = max(self._latest_finish.get(priority, 0.0), lane.finish)
        if lane.waiting:
            self._enter(lane)
        elif self._size == 0:
            self._virtual_time.update(self._latest_finish)

    def discard(self, claim: C) -> None:
        """Take a claim that waits out of the queue, wherever it stands."""
        del self._lanes[claim.job].waiting[claim]
        self._size -= 1

    def waiting(self) -> list[C]:
        """Return all claims that wait, those of one job in their order."""
        return [claim for lane in self._lanes.values() for claim in lane.waiting]

    def correct(self, job: str, cost: float) -> None:
        """Charge a job later what its claims took more (or less, below zero) than they were served for."""
        lane = self._lanes.get(job)
        if lane is not None:
            lane.correction += cost

    def depths(self) -> dict[str, int]:
        """Return how many claims of each job wait."""
        return {job: len(lane.waiting) for job, lane in self._lanes.items() if lane.waiting}

    def _enter(self, lane: Lane[C]) -> None:
        lane.start = max(self._virtual_time.get(lane.priority, 0.0), lane.finish)
        lane.is_queued = True
        self._sequence += 1
        heapq.heappush(self._heap, (lane.priority, lane.start, self._sequence, lane))

    def _sweep(self) -> None:
        if len(self._lanes) < self._sweep_at:
            return
        past = self._virtual_time
        for job, lane in list(self._lanes.items()):
            if (
                not lane.waiting
                and not lane.is_queued
                and not lane.is_kept
                and lane.finish <= past.get(lane.priority, 0.0)
            ):
                del self._lanes[job]
        self._sweep_at = max(SWEEP_JOBS, 2 * len(self._lanes))
