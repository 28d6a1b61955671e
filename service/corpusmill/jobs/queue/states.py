"""The states of a job, and which change leads from one to which.

Rule of this file: the table is the whole truth; a change that is not in it does not happen.
"""

from enum import StrEnum


class State(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXHAUSTED = "exhausted"


class Change(StrEnum):
    """What may happen to a job: the first four at somebody's word, the others by what its run comes to."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    REQUEUE = "requeue"
    START = "start"
    FINISH = "finish"
    FAIL = "fail"
    EXHAUST = "exhaust"
    DELETE = "delete"


TABLE: dict[State, dict[Change, State]] = {
    State.QUEUED: {
        Change.START: State.RUNNING,
        Change.PAUSE: State.PAUSED,
        Change.CANCEL: State.CANCELLED,
        Change.FAIL: State.FAILED,
    },
    State.RUNNING: {
        Change.FINISH: State.FINISHED,
        Change.FAIL: State.FAILED,
        Change.EXHAUST: State.EXHAUSTED,
        Change.PAUSE: State.PAUSED,
        Change.CANCEL: State.CANCELLED,
        Change.REQUEUE: State.QUEUED,
    },
    State.PAUSED: {Change.RESUME: State.QUEUED, Change.CANCEL: State.CANCELLED},
    State.FAILED: {Change.RESUME: State.QUEUED},
    State.FINISHED: {},
    State.CANCELLED: {},
    State.EXHAUSTED: {},
}
"""A failed job may be resumed: what made it fail (a key, a disk) can be mended, and nothing it had is lost."""

ENDED = frozenset({State.FINISHED, State.FAILED, State.CANCELLED, State.EXHAUSTED})
"""States in which a job has no run to come by itself; its `finished_at` is set."""


class IllegalChangeError(Exception):
    """The job's state does not allow this change: the state, the change, and what is allowed instead."""

    def __init__(self, state: State, change: Change) -> None:
        allowed = [each.value for each in TABLE[state] if each in (Change.PAUSE, Change.RESUME, Change.CANCEL)]
        instead = f"it can be {' or '.join(_PARTICIPLES[each] for each in allowed)}" if allowed else "that is final"
        super().__init__(f"a job that is {state.value} cannot be {_PARTICIPLES[change]}; {instead}")
        self.state, self.change = state, change


def after(state: State, change: Change) -> State:
    """Return the state that a change leads to.

    Raises:
        IllegalChangeError: it leads nowhere.
    """
    following = TABLE[state].get(change)
    if following is None:
        raise IllegalChangeError(state, change)
    return following


_PARTICIPLES: dict[str, str] = {
    Change.PAUSE: "paused",
    Change.RESUME: "resumed",
    Change.CANCEL: "cancelled",
    Change.REQUEUE: "queued again",
    Change.START: "started",
    Change.FINISH: "finished",
    Change.FAIL: "failed",
    Change.EXHAUST: "exhausted",
    Change.DELETE: "deleted",
}
