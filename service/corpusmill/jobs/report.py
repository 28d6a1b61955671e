"""What a job came to, looked at closely: the balance sheet, and what its lines tell.

Rule of this file: read-only, and exact for the moment in which the job was looked at: sealed shards and the journal
behind them make one whole.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from corpusmill.jobs.pairs import PairCoverage, PairTally
from corpusmill.jobs.snapshot import Snapshot, disk_bytes, fold_tail
from corpusmill.jobs.summary import Summary, summarise
from corpusmill.jobs.survey import Label, RejectedLine, Survey, Texts
from corpusmill.jobs.tallies import Histogram, Quantiles
from corpusmill.jobs.variety import Variety
from corpusmill.journal.sheet import Sample, Sheet
from corpusmill.journal.store import Render
from corpusmill.space.documents.axis import Document, DocumentAxis
from corpusmill.space.documents.index import Footer
from corpusmill.space.space import Space
from corpusmill.space.values import name_of

SHOWN_CHARS = 300
"""Characters that are shown of a text that was not kept."""

NO_DOCUMENTS: Mapping[str, DocumentAxis] = {}

OPENINGS = 10
"""How many openings are told of each example."""

REPEATED = 10
"""How many of the items that were repeated most are told."""


class ValueCoverage(msgspec.Struct, frozen=True):
    """What became of the items with one value of an axis.

    Attributes:
        kept, decided: items.
        acceptance: kept over decided; None where none is decided.
        share: of all kept items, those with this value; None where none is kept.
        expected: the value's share of all combinations, before `where`.
    """

    kept: int
    decided: int
    acceptance: float | None
    share: float | None
    expected: float


class TextLengths(msgspec.Struct, frozen=True):
    """How long the texts of an example are; the histogram is of characters."""

    chars: Quantiles
    words: Quantiles
    histogram: Histogram


class Opening(msgspec.Struct, frozen=True):
    """How many texts of an example begin with the same words, and their share of all."""

    words: str
    records: int
    share: float


class Repeated(msgspec.Struct, frozen=True):
    """A kept item, and how many items gave the same text again."""

    id: str
    items: int


class Duplicates(msgspec.Struct, frozen=True):
    """Items that repeat a kept one; `share` is of kept and duplicate ones together."""

    items: int
    share: float | None
    most_repeated: list[Repeated]


class RejectSample(msgspec.Struct, frozen=True):
    """An item that was not kept, why, and the beginning of what its last step gave."""

    id: str
    detail: str
    text: str


class Reason(msgspec.Struct, frozen=True):
    """Why items were not kept, with the first of them: `id` and `detail` are the very first one's."""

    items: int
    id: str
    detail: str
    samples: list[RejectSample]


class DiskBytes(msgspec.Struct, frozen=True):
    """Sizes of a job's folders."""

    journal: int
    corpus: int
    rejects: int
    state: int


class DocumentFigures(msgspec.Struct, frozen=True):
    """The documents of an axis.

    Attributes:
        documents, chunks, bytes: of those that are used; where documents are not cut, each is one chunk.
        skipped: reason -> how many are not.
    """

    documents: int
    chunks: int
    bytes: int
    skipped: dict[str, int]


class Estimates(msgspec.Struct, frozen=True):
    """How the calls of a step were estimated, by the last run that saw enough of them; see `journal.records.Learnt`."""

    samples: int
    chars_per_token: float
    output_tokens: float
    error_ratio: float
    bias_ratio: float
    max_tokens: int | None
    suggested_max_tokens: int | None


class Report(msgspec.Struct, frozen=True):
    """A report.

    Attributes:
        summary: the balance sheet; its `seconds` is 0, because a job's runs are not timed on disk.
        coverage: axis -> value -> what became of its items.
        pairs: coverage by pairs of axes whose values make a table that can be read; none with documents.
        lengths, openings, variety: by example.
        reasons: by reason, most frequent first.
        sample: of one item in a hundred, which conditions fail, not only the first.
        documents: by axis.
        estimates: by step.
    """

    summary: Summary
    coverage: dict[str, dict[str, ValueCoverage]]
    pairs: list[PairCoverage]
    lengths: dict[str, TextLengths]
    openings: dict[str, list[Opening]]
    variety: dict[str, Variety]
    duplicates: Duplicates
    reasons: dict[str, Reason]
    sample: Sample
    disk: DiskBytes
    documents: dict[str, DocumentFigures]
    estimates: dict[str, Estimates]


def as_object(report: Report) -> dict[str, Any]:
    """Return a report as one flat object, the summary's keys first; `seconds` is null in it."""
    document: dict[str, Any] = msgspec.to_builtins(report)
    return {**document.pop("summary"), "seconds": None, **document}


def make_report(
    snapshot: Snapshot,
    space: Space,
    items: int | None,
    render: Render,
    documents: Mapping[str, DocumentAxis] = NO_DOCUMENTS,
) -> Report:
    """Read a job through.

    Args:
        snapshot: the job.
        space: of its spec.
        items: how many items the job has, None where unknown.
        render: makes the lines of decisions that are in the journal only.
        documents: those of each axis of documents.

    Raises:
        CorruptionError: something on disk is not what was written.
    """
    weights = {axis: space.weights(axis) for axis in space.axes}
    pairs = PairTally({axis: list(of) for axis, of in weights.items() if axis not in documents})
    sheet, survey = snapshot.sheet, Survey({axis: _labelled(space, axis) for axis in documents}, pairs)
    for line in snapshot.lines("corpus"):
        survey.add_kept(line)
    for line in snapshot.lines("rejects"):
        survey.add_rejected(line)
    unsealed = _survey_tail(snapshot, sheet, survey, render)
    folder = snapshot.folder
    return Report(
        summary=summarise(snapshot.home.name, snapshot.state(unsealed), sheet, items=items, seconds=0.0),
        coverage={axis: _coverage(axis, of, space.cells, survey, sheet.outcomes.kept) for axis, of in weights.items()},
        pairs=survey.pairs.coverage(),
        lengths={name: _lengths(texts) for name, texts in survey.texts.items()},
        openings={name: _openings(texts) for name, texts in survey.texts.items()},
        variety={name: texts.sample.variety() for name, texts in survey.texts.items()},
        duplicates=_duplicates(sheet, survey),
        reasons=_reasons(sheet, survey),
        sample=sheet.sample,
        documents={axis: _figures(each.index.footer) for axis, each in documents.items()},
        estimates={
            step: msgspec.convert(learnt, Estimates, from_attributes=True) for step, learnt in sheet.learnt.items()
        },
        disk=DiskBytes(*(disk_bytes(folder / name) for name in ("journal", "corpus", "rejects", "state"))),
    )


def _survey_tail(snapshot: Snapshot, sheet: Sheet, survey: Survey, render: Render) -> bool:
    """Take in what is in the journal only; return whether there is any."""
    before = sheet.copy()
    for lines in fold_tail(snapshot, sheet, render):
        for line in lines.corpus:
            survey.add_kept(line)
        if lines.reject is not None:
            survey.add_rejected(lines.reject)
    return sheet != before


def _labelled(space: Space, axis: str) -> Label:
    def label(index: int) -> str:
        value = space.item(index).values[axis]
        return value.label if isinstance(value, Document) else name_of(value)

    return label


def _figures(footer: Footer) -> DocumentFigures:
    return DocumentFigures(footer.documents, footer.pieces, footer.bytes, footer.skipped)


def _coverage(
    axis: str, weights: Mapping[str, int], cells: int, survey: Survey, kept_items: int
) -> dict[str, ValueCoverage]:
    coverage = {}
    for value, weight in weights.items():
        kept, decided = survey.kept[axis, value], survey.decided[axis, value]
        coverage[value] = ValueCoverage(
            kept, decided, _share(kept, decided), _share(kept, kept_items), round(weight / cells, 6)
        )
    return coverage


def _lengths(texts: Texts) -> TextLengths:
    return TextLengths(texts.chars.quantiles(), texts.words.quantiles(), texts.chars.histogram())


def _openings(texts: Texts) -> list[Opening]:
    return [Opening(words, count, round(count / texts.count, 6)) for words, count in texts.openings.most(OPENINGS)]


def _duplicates(sheet: Sheet, survey: Survey) -> Duplicates:
    items = sheet.outcomes.duplicate
    most = [Repeated(name, count) for name, count in survey.repeated.most(REPEATED)]
    return Duplicates(items, _share(items, items + sheet.outcomes.kept), most)


def _reasons(sheet: Sheet, survey: Survey) -> dict[str, Reason]:
    counts = {**sheet.rejected_by, **sheet.failed_by}
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return {
        reason: Reason(count, samples[0].id, samples[0].detail, [_sample(each) for each in samples])
        for reason, count in ranked
        if (samples := survey.examples_of.get(reason))
    }


def _sample(line: RejectedLine) -> RejectSample:
    last = next(reversed(line.outputs.values()), "")
    return RejectSample(line.id, line.detail, last[:SHOWN_CHARS])


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
