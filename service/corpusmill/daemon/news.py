"""News of jobs, for whoever watches: the last few of each job, and a bell.

Rules of this file: bounded in jobs and in news of each; a watcher who was away too long is told so, and looks at the
job itself. Numbers only rise, also from one daemon to the next.
"""

from collections import OrderedDict, deque

import msgspec

from corpusmill.engine.bell import Bell

KEPT = 64
"""News of one job that a watcher may have missed and still gets."""

JOBS = 512
"""Jobs whose news are kept; a job that is forgotten is told anew to its watchers."""


class Piece(msgspec.Struct, frozen=True):
    """One piece of news.

    Attributes:
        number: rises with time.
        event: `state`, when that has changed; else `progress`.
        job: the job's representation at that moment, JSON.
    """

    number: int
    event: str
    job: bytes


class News:
    """The news of all jobs.

    Args:
        first: the number of the first piece; above all that any earlier daemon gave.
    """

    def __init__(self, first: int) -> None:
        self.latest = first
        self._pieces: OrderedDict[str, deque[Piece]] = OrderedDict()
        self._bells: dict[str, Bell] = {}
        self._bell = Bell()

    def tell(self, job: str, event: str, representation: bytes) -> None:
        """Add a piece, and wake the job's watchers."""
        self.latest += 1
        pieces = self._pieces.setdefault(job, deque(maxlen=KEPT))
        pieces.append(Piece(self.latest, event, representation))
        self._pieces.move_to_end(job)
        if len(self._pieces) > JOBS:
            self._pieces.popitem(last=False)
        self.ring(job)

    def ring(self, job: str) -> None:
        """Wake the job's watchers: there may be something new to read."""
        if (bell := self._bells.pop(job, None)) is not None:
            bell.ring()
        self._bell.ring()

    def ring_all(self) -> None:
        """Wake everybody: the daemon is about to end."""
        for job in list(self._bells):
            self.ring(job)
        self._bell.ring()

    def since(self, job: str, number: int) -> list[Piece] | None:
        """Return what came after a number; None where that cannot be told any more."""
        pieces = self._pieces.get(job)
        if pieces is None:
            return [] if number == self.latest else None
        if number < pieces[0].number - 1:
            return None
        return [piece for piece in pieces if piece.number > number]

    def newest(self, number: int) -> list[Piece]:
        """Return the newest piece of each job that has any after a number, in their order."""
        newest = [pieces[-1] for pieces in self._pieces.values()]
        return sorted((piece for piece in newest if piece.number > number), key=lambda piece: piece.number)

    async def wait_for_any(self) -> None:
        """Return at the next news of whatever job."""
        await self._bell.wait()

    async def wait(self, job: str) -> None:
        """Return at the job's next news."""
        await self._bells.setdefault(job, Bell()).wait()
