"""How well `grounded_in` tells what a model invented, on notes of which it is known.

The simulated endpoint lists what is asked for of each note: a tenth of it is invented, half of that a real dose or
number exchanged, and some of what is true is told in other words than the note's.
"""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from benchmarks.sizes import Sizes
from benchmarks.table import Row
from corpusmill.chain.filters import Subject, compile_checks, edited, first_rejection
from corpusmill.recipes import recipe_files
from corpusmill.simulate.brief import Brief
from corpusmill.simulate.findings import TERMS, Care, findings
from corpusmill.simulate.kinds import Kind
from corpusmill.simulate.text import invent
from corpusmill.spec.schema import Filter, Grounding

INVENTED_SHARE = 0.1
NOTE_CHARS = 2_500
RECALL_LEAST = 0.95
PRECISION_LEAST = 0.8
"""With 2 % of what is true in other words, an exact filter cannot have more than 0.1 / (0.1 + 0.9 x 0.02) = 0.85."""


class Removal(NamedTuple):
    """How many items there were, how many were invented, removed, and both."""

    items: int
    invented: int
    removed: int
    rightly: int


def grounding(sizes: Sizes) -> Iterator[Row]:
    """State recall and precision of the exact filter and of the fuzzy one."""
    shipped = [content.decode() for name, content in recipe_files("medical-notes").items() if name.startswith("notes/")]
    notes = shipped + [invent(Brief(Kind.NOTE), key, NOTE_CHARS) for key in range(sizes.notes)]
    for what, similarity in (("exact", None), ("similarity 85", 85.0), ("similarity 95", 95.0)):
        seen = _removal(notes, Grounding("note", drop=True, similarity=similarity))
        recall, precision = seen.rightly / seen.invented, seen.rightly / seen.removed
        exact = similarity is None
        reached = recall >= RECALL_LEAST and precision >= PRECISION_LEAST
        yield Row(
            f"invented items removed by grounded_in, {what}",
            f"{seen.rightly:,} of {seen.invented:,}",
            f"{seen.items:,} listed",
            recall,
            f">= {RECALL_LEAST}" if exact else "",
            reached,
            f"recall {recall:.3f}, precision {precision:.3f} of what it removes; {len(notes):,} notes, four tasks; "
            f"before it {1 - seen.invented / seen.items:.3f} of what is listed is true, after it "
            f"{1 - (seen.invented - seen.rightly) / (seen.items - seen.removed):.3f}",
        )


def _removal(notes: list[str], asked: Grounding) -> Removal:
    checks = compile_checks([Filter(of="found", grounded_in=asked)], "found")
    items = invented = removed = rightly = 0
    for number, note in enumerate(notes):
        for sought in TERMS:
            told = findings(note, sought, Random(f"{number}/{sought}"), Care(INVENTED_SHARE))
            subject = Subject("", "stop", [finding.text for finding in told], None, {"note": note})
            after = edited(checks, subject)
            kept = after.output if first_rejection(checks.of_output, after) is None else []
            assert isinstance(kept, list), "it was a list"
            gone = [finding for finding in told if finding.text not in kept]
            items += len(told)
            invented += sum(finding.invented for finding in told)
            removed += len(gone)
            rightly += sum(finding.invented for finding in gone)
    return Removal(items, invented, removed, rightly)
