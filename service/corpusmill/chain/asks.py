"""What a walk asks for, and what it is told.

Rule of this file: values only, and the one loop that answers a walk from what is there already.
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeAlias, TypeVar

import msgspec

from corpusmill.chain.completion import Completion, GaveUp, Prompt
from corpusmill.chain.filters import Subject
from corpusmill.chain.step import CompiledStep
from corpusmill.chain.verdict import Verdict

ResultT = TypeVar("ResultT")


class Ask(msgspec.Struct, frozen=True):
    """One completion that is asked for; the reply to it is the completion, or why there is none.

    Attributes:
        step: whom to ask, and how.
        place: the step's number, which of its parts, the how many-th completion asked for there; each from 0.
        final: whatever is answered, no further ask follows.
    """

    step: CompiledStep
    place: tuple[int, int, int]
    prompt: Prompt
    final: bool = False


class Fork(msgspec.Struct, frozen=True):
    """Branches that may be taken side by side; the reply to it is what each of them came to, in order.

    Attributes:
        branches: not begun yet.
        all_needed: once one of them does not pass, those that are not begun need not be; they come to None.
    """

    branches: "Sequence[Branch]"
    all_needed: bool


class Known(msgspec.Struct, frozen=True):
    """A reply in a replay: a completion of one choice, and whether it passed when it was judged."""

    completion: Completion
    passed: bool


Reply: TypeAlias = Completion | GaveUp
Judged: TypeAlias = tuple[Verdict, list[Subject]]
Asking: TypeAlias = Generator[Ask | Fork, Any, Verdict]
"""A walk: sent the reply to each ask, and the results of each fork; returns how the item's chain ended."""
Branch: TypeAlias = Generator[Ask, Any, Judged]
"""A part of a walk that stands for itself."""


def replay(
    asking: Generator[Ask | Fork, Any, ResultT] | Generator[Ask, Any, ResultT], reply: Callable[[Ask], Reply | Known]
) -> ResultT:
    """Take a walk to its end, with replies that are there already.

    Raises:
        RenderError: as the walk.
    """
    try:
        wanted = next(asking)
        while True:
            if isinstance(wanted, Ask):
                wanted = asking.send(reply(wanted))
            else:
                wanted = asking.send([replay(branch, reply) for branch in wanted.branches])
    except StopIteration as end:
        result: ResultT = end.value
        return result
