"""Takes decided items through their chain again, with the completions that the journal has, to make their lines.

Rule of this file: what is decided stays decided. Where the journal shows whether a completion passed its filters, the
filters are not asked again: a later version may judge otherwise, and the tail of a large job may hold many of them.
"""

from collections.abc import Collection

from msgspec.structs import replace

from corpusmill.chain.asks import Ask, Known, Reply, replay
from corpusmill.chain.chain import Chain
from corpusmill.chain.completion import Completion, GaveUp, Usage
from corpusmill.chain.walk import Walk
from corpusmill.endpoint.wire import decode_choices
from corpusmill.engine.novelty import Marker
from corpusmill.engine.outcome import Liner
from corpusmill.journal.entry import Kept, Lines
from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.records import Decided, Paid
from corpusmill.space.space import Space
from corpusmill.spec.errors import DocumentError

Place = tuple[int, int, int]
"""Step, part and attempt."""

UNANSWERED = GaveUp("unanswered", "")
"""What a walk that is replayed is told where the journal has nothing: nothing came, and the item ended with that."""

NO_USAGE = Usage()


class Replay:
    """Reads journaled completions again, and makes the lines of decided items from them.

    Args:
        space: gives the items.
        chain: of the spec under which they were decided.
        liner: makes lines.
        marker: makes what is written down of kept texts again; None where nobody needs it.
        in_doubt: completions may be missing, so everything is judged again: what was rejected must not pass for what
            was kept because that is lost.
    """

    def __init__(
        self, space: Space, chain: Chain, liner: Liner, marker: Marker | None = None, *, in_doubt: bool = False
    ) -> None:
        self._space, self._chain, self._liner, self._marker = space, chain, liner, marker
        self._telling = frozenset() if in_doubt else telling_steps(chain)

    def completion(self, api: str, paid: Paid) -> Completion:
        """Decode what was paid for; it was decoded once before, when it came, and its usage stands in the journal."""
        body = bytes(paid.body)
        try:
            choices = decode_choices("chat" if api == "chat" else "completions", body)
        except (ValueError, RecursionError):
            raise CorruptionError(
                f"item {paid.index}, step {paid.step}: the journaled completion cannot be read"
            ) from None
        return Completion(choices, NO_USAGE, body, usage_known=False)

    def lines(self, decided: Decided, paid: list[Paid]) -> Lines:
        """Make a decision's lines again: the item's walk once more, with the completions it had."""
        walk = Walk(self._chain, self._space.item(decided.index))
        recalled = {each.place: each for each in paid}

        def reply(ask: Ask) -> Reply | Known:
            each = recalled.get(ask.place)
            if each is None:
                return UNANSWERED
            completion = self.completion(ask.step.api, each)
            passed = self._passed(ask, decided, recalled) if len(completion.choices) == 1 else None
            return completion if passed is None else Known(completion, passed)

        try:
            verdict = replay(walk.asks(), reply)
        except DocumentError as error:
            return self._without_document(walk, decided, error)
        except Exception:  # outermost guard: what broke the item once breaks it again
            if decided.outcome != "failed":
                raise
        else:
            if verdict.outcome != "kept" and decided.outcome in ("kept", "duplicate"):
                raise CorruptionError(
                    f"item {decided.index} was {decided.outcome}, but its journaled completions say otherwise"
                )
        try:
            return self._liner.lines(walk, decided, self._kept(walk, decided))
        except DocumentError as error:
            return self._without_document(walk, decided, error)

    def _passed(self, ask: Ask, decided: Decided, recalled: Collection[Place]) -> bool | None:
        """Whether a completion passed its filters when it came; None where that does not show.

        At a step that is visited once, one more is asked for only where this one was rejected, and a later step only
        where this one passed. At the last step of an item that was rejected it may have been either: that comes to the
        same, for a walk's verdict makes no lines.
        """
        number, part, attempt = ask.place
        if number not in self._telling:
            return None
        if (number, part, attempt + 1) in recalled:
            return False
        if decided.outcome in ("kept", "duplicate") or any(step > number for step, _, _ in recalled):
            return True
        ends = decided.outcome == "rejected" and number == len(self._chain.steps) - 1
        return True if ends else None

    def _kept(self, walk: Walk, decided: Decided) -> tuple[Kept, ...]:
        """Make again what is written down of the texts that a decision keeps."""
        if self._marker is None or self._marker.near is None or decided.outcome != "kept":
            return ()
        return self._marker.kept(self._marker.marks(walk, decided.choices or (0,)))

    def _without_document(self, walk: Walk, decided: Decided, error: DocumentError) -> Lines:
        """Fail an item that was kept, where its document is no longer there to write its lines from."""
        if decided.outcome != "kept":
            return self._liner.lines(walk, decided)
        failed = Decided(decided.index, "failed", "document", str(error)[:300], attempts=decided.attempts)
        return replace(self._liner.lines(walk, failed), instead=failed)


def telling_steps(chain: Chain) -> frozenset[int]:
    """Return the steps that are one prompt with one choice, and visited once: none at or before them goes back.

    How many completions there are of such a step tells which of them passed.
    """
    steps = chain.steps
    return frozenset(
        number
        for number, step in enumerate(steps)
        if step.form is None
        and step.choices == 1
        and all(later.back_to is None or later.back_to > number for later in steps[number:])
    )
