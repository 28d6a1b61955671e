"""Everything that the journal holds of one item: each call with what was asked and what was answered, and the outcome.

Rules of this file: the journal is read through once and nothing of it is kept but this item's lines. A prompt is not in
the journal; it is rendered again by the item's walk, which is how it was made.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from corpusmill.chain.asks import Ask, Reply, replay
from corpusmill.chain.chain import Chain
from corpusmill.chain.completion import Completion, GaveUp, Prompt
from corpusmill.chain.walk import Walk
from corpusmill.endpoint.prices import PICODOLLARS_PER_USD
from corpusmill.jobs.folder import PURGED, JobFolderError
from corpusmill.jobs.snapshot import Snapshot, journal_lines
from corpusmill.journal.records import Attempts, Decided, Paid, Record, Tried, decode_record
from corpusmill.space.item import Item
from corpusmill.space.space import Space
from corpusmill.spec.errors import RenderError

Decode = Callable[[str, Paid], Completion]
"""Reads a journaled completion again, given the interface it came through: chat or completions."""

NOT_YET = GaveUp("unanswered", "")


class Message(msgspec.Struct, frozen=True):
    """One message of a prompt as it was sent."""

    role: Literal["system", "user", "assistant"]
    content: str


class CallTokens(msgspec.Struct, frozen=True):
    """What the endpoint said a call took; the cached tokens are part of the input, those of reasoning of the output."""

    input: int
    cached_input: int
    output: int
    reasoning: int


class Requests(msgspec.Struct, frozen=True):
    """Requests sent, and how many of them were refused for rate or failed."""

    sent: int
    rate_limited: int
    errors: int


class Exchange(msgspec.Struct, frozen=True):
    """One call that was answered.

    Attributes:
        step: its name; of a dialogue's speaker, `step/speaker`.
        part, attempt: which of the step's parts, and the how many-th completion asked for there, from 0.
        model: the upstream name.
        request_id: by which the provider knows the call; None where it told none.
        requests: what it took since the item's last answer, this call included.
        tokens: None where the endpoint did not say.
        cost_usd: None where the price is unknown.
        prompt: a chat's messages, or a legacy completion's text; None where it cannot be rendered any more.
        parameters: what the step sends with it; None together with `prompt`.
        answers: the text of each choice.
        finish_reasons: of each choice.
    """

    step: str
    part: int
    attempt: int
    model: str
    request_id: str | None
    requests: Requests
    tokens: CallTokens | None
    cost_usd: float | None
    prompt: tuple[Message, ...] | str | None
    parameters: dict[str, Any] | None
    answers: tuple[str, ...]
    finish_reasons: tuple[str, ...]


class Told(msgspec.Struct, frozen=True):
    """An item's outcome as it was journaled; `of` is the index of what it duplicates."""

    outcome: str
    reason: str
    detail: str
    of: int | None
    records: int


class ItemTrace(msgspec.Struct, frozen=True):
    """What is known of an item.

    Attributes:
        outcome: None while it has none.
        calls: those that were answered, in the order in which the answers were journaled.
        unanswered: requests that no answer accounts for: the last tries of an item that failed or was broken off.
        unrendered: why some prompts cannot be rendered any more; empty where all can.
    """

    job: str
    index: int
    values: dict[str, Any]
    outcome: Told | None
    calls: tuple[Exchange, ...]
    unanswered: Requests
    unrendered: str


def index_of(job: str, named: str) -> int | None:
    """Return the index of an item that is named by it, or by the id of one of its lines; None for any other name."""
    index = named
    if ":" in named:
        of, index = named.split(":")[:2]
        if of != job:
            return None
    return int(index) if index.isascii() and index.isdigit() else None


def trace_item(snapshot: Snapshot, item: Item, chain: Chain, decode: Decode) -> ItemTrace:
    """Tell all that a journal holds of an item.

    Raises:
        JobFolderError: the journal was purged.
        CorruptionError: it is damaged.
    """
    if (snapshot.home / PURGED).exists():
        raise JobFolderError(f"job {snapshot.home.name}: its journal was purged, so its calls are not known any more")
    paid: list[Paid] = []
    left: list[Attempts] = []
    decided: Decided | None = None
    for record in _records_of(snapshot.folder / "journal", item.index):
        if isinstance(record, Paid):
            paid.append(record)
        elif isinstance(record, Decided | Tried):
            left.append(record.attempts)
            decided = record if isinstance(record, Decided) else decided
    asked, unrendered = _asked(Walk(chain, item), paid, decode)
    return ItemTrace(
        snapshot.home.name,
        item.index,
        item.values,
        Told(decided.outcome, decided.reason, decided.detail, decided.of, decided.records) if decided else None,
        tuple(_exchange(each, asked.get(each.place), chain, decode) for each in paid),
        Requests(*(sum(counts) for counts in zip((0, 0, 0), *map(_counts, left), strict=True))),
        unrendered,
    )


class _Line(msgspec.Struct, gc=False):
    index: int | None = msgspec.field(name="i", default=None)


_peek = msgspec.json.Decoder(_Line).decode


def _records_of(journal: Path, index: int) -> Iterator[Record]:
    """Yield what a journal holds of an item, up to its decision."""
    for _, line in journal_lines(journal):
        if _peek(line).index == index:
            record = decode_record(line)
            yield record
            if isinstance(record, Decided):
                return


def _asked(walk: Walk, paid: list[Paid], decode: Decode) -> tuple[dict[tuple[int, int, int], Ask], str]:
    """Return what an item asked for, by place, and the error that its walk broke off with, if any."""
    recalled = {each.place: each for each in paid}
    asked: dict[tuple[int, int, int], Ask] = {}

    def reply(ask: Ask) -> Reply:
        asked[ask.place] = ask
        each = recalled.get(ask.place)
        return NOT_YET if each is None else decode(ask.step.api, each)

    try:
        replay(walk.asks(), reply)
    except RenderError as error:
        return asked, str(error)
    return asked, ""


def _exchange(paid: Paid, ask: Ask | None, chain: Chain, decode: Decode) -> Exchange:
    step = ask.step if ask is not None else chain.steps[paid.step]
    completion = decode(step.api, paid)
    cost = paid.cost_picodollars
    return Exchange(
        step=step.name,
        part=paid.part,
        attempt=paid.attempt,
        model=paid.model,
        request_id=paid.request_id or None,
        requests=Requests(*_counts(paid.attempts)),
        tokens=CallTokens(*paid.usage) if paid.usage is not None else None,
        cost_usd=None if cost is None else cost / PICODOLLARS_PER_USD,
        prompt=_sent(ask.prompt) if ask is not None else None,
        parameters=step.parameters if ask is not None else None,
        answers=tuple(choice.text for choice in completion.choices),
        finish_reasons=tuple(choice.finish_reason for choice in completion.choices),
    )


def _sent(prompt: Prompt) -> tuple[Message, ...] | str:
    if prompt.api == "completions":
        return prompt.text
    system = (Message("system", prompt.system),) if prompt.system is not None else ()
    history = tuple(Message(turn.role, turn.text) for turn in prompt.history)
    return (*system, *history, Message("user", prompt.text))


def _counts(attempts: Attempts) -> tuple[int, int, int]:
    return attempts.sent, attempts.rate_limited, attempts.errors


def item_at(space: Space, job: str, named: str) -> Item:
    """Return the item that is named by its index, or by the id of one of its lines.

    Raises:
        JobFolderError: there is no such item.
    """
    index = index_of(job, named)
    if index is None:
        raise JobFolderError(f"{named!r} names no item of job {job}: give an index, or an id such as {job}:12")
    if index >= space.size:
        raise JobFolderError(f"job {job} has no item {index}: its space has {space.size:,}")
    return space.item(index)
