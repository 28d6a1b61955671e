"""Which models answered a job's steps, and what their answers took: read from the journal."""

import msgspec

from corpusmill.jobs.snapshot import Snapshot
from corpusmill.journal.files import Disk
from corpusmill.journal.records import Paid, decode_record
from corpusmill.journal.segment import Reader


class Usage(msgspec.Struct):
    """What the answers of one model to one step took.

    Attributes:
        step: its name.
        model: the upstream name.
        unpriced: answers whose price was unknown; their cost is not in `cost_picodollars`.
    """

    step: str
    model: str
    answers: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_picodollars: int = 0
    unpriced: int = 0


def usage_of(snapshot: Snapshot) -> list[Usage] | None:
    """Return the usage by step and model, in the order of the steps; None where the journal was purged.

    The whole journal is read: some seconds for a million answers.

    Raises:
        CorruptionError: the journal is damaged.
    """
    journal = snapshot.folder / "journal"
    if not journal.exists():
        return None
    names = [step.name for step in snapshot.spec.steps]
    found: dict[tuple[int, str], Usage] = {}
    for block in Reader(Disk(), journal).blocks():
        for record in map(decode_record, block.lines):
            if isinstance(record, Paid):
                place = (record.step, record.model)
                _add(found.setdefault(place, Usage(names[record.step], record.model)), record)
    return [found[place] for place in sorted(found)]


def _add(usage: Usage, paid: Paid) -> None:
    usage.answers += 1
    if paid.usage is not None:
        usage.input_tokens += paid.usage[0]
        usage.output_tokens += paid.usage[2]
    if paid.cost_picodollars is None:
        usage.unpriced += 1
    else:
        usage.cost_picodollars += paid.cost_picodollars
