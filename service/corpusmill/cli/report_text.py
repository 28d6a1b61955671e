"""A report as a person reads it.

Rule of this file: text out of a report; tables are cut where they would not be read, and say so.
"""

from collections.abc import Mapping, Sequence

import msgspec

from corpusmill.cli.summary_text import cost_text
from corpusmill.jobs.pairs import PairCoverage
from corpusmill.jobs.report import DiskBytes, Estimates, Opening, Report, TextLengths, ValueCoverage
from corpusmill.jobs.variety import Variety
from corpusmill.journal.sheet import Calls, Sample, Tokens
from corpusmill.spec.wording import one_line

VALUES = 20
"""How many values of an axis are shown: of a longer one those that fall furthest behind their expected share."""

PAIRS = 5
"""How many pairs of axes are shown."""

NAME_CHARS = 40
QUANTILES = ("min", "p5", "median", "p95", "max")


def report_text(report: Report) -> str:
    """Return a report as lines."""
    lines = [*_outcomes(report), *_spending(report)]
    lines += [
        "",
        f"{'coverage':<{NAME_CHARS + 4}} {'kept':>10} {'of':>10} {'accepted':>9} {'share':>8} {'expected':>9}",
    ]
    for axis, values in report.coverage.items():
        lines += [f"  {axis}{_documents(report, axis)}", *_coverage(values)]
    if report.lengths:
        lines += ["", f"{'lengths':<26}" + "".join(f" {name:>9}" for name in QUANTILES)]
    for example, lengths in report.lengths.items():
        lines += _lengths(example, lengths)
    lines += [*_pairs(report.pairs), *_variety(report.variety), *_openings(report.openings)]
    return "\n".join([*lines, *_estimates(report.estimates)])


def _outcomes(report: Report) -> list[str]:
    summary, outcomes = report.summary, report.summary.outcomes
    done = outcomes.kept + outcomes.rejected + outcomes.duplicate + outcomes.failed
    of = "" if summary.items is None else f" of {summary.items:,}"
    duplicates = report.duplicates
    share = "" if duplicates.share is None else f"   {_percent(duplicates.share)} of all that passed the filters"
    return [
        f"{summary.job}: {summary.state}, {done:,}{of} items done",
        f"  kept       {outcomes.kept:>14,}   {summary.records:,} records",
        f"  rejected   {outcomes.rejected:>14,}",
        *_reasons(report, summary.rejected_by),
        *_sample(report.sample),
        f"  duplicate  {outcomes.duplicate:>14,}{share}",
        *(f"    {each.items:>12,} times the text of {each.id}" for each in duplicates.most_repeated[:3]),
        f"  failed     {outcomes.failed:>14,}",
        *_reasons(report, summary.failed_by),
    ]


def _reasons(report: Report, counts: Mapping[str, int]) -> list[str]:
    lines = []
    for reason, count in counts.items():
        first = report.reasons.get(reason)
        example = f"   as {first.id}: {one_line(first.detail)}" if first is not None and first.detail else ""
        lines.append(f"    {reason:<20} {count:>10,}{example}")
    return lines


def _sample(sample: Sample) -> list[str]:
    """Tell what all filters say of the sample, where that is more than the first to reject."""
    if not sample.faults:
        return []
    ranked = sorted(sample.faults.items(), key=lambda pair: (-pair[1], pair[0]))
    shares = ", ".join(f"{reason} {_percent(count / sample.items)}" for reason, count in ranked)
    return [f"    by all filters, of a sample of {sample.items:,}: {shares}"]


def _spending(report: Report) -> list[str]:
    summary = report.summary
    calls, tokens, disk = summary.calls, summary.tokens, report.disk
    rows = (
        ("calls", f"{calls.sent:,}", _counts(calls)),
        ("tokens", f"{tokens.input + tokens.output:,}", _counts(tokens)),
        ("cost", cost_text(summary), ""),
        ("disk", _size(disk.journal + disk.corpus + disk.rejects + disk.state), _sizes(disk)),
    )
    return [f"  {name:<10} {figure:>14}   {parts}".rstrip() for name, figure, parts in rows]


def _counts(figures: Calls | Tokens) -> str:
    parts = msgspec.structs.asdict(figures)
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in parts.items() if name != "sent")


def _sizes(disk: DiskBytes) -> str:
    return ", ".join(f"{name} {_size(size)}" for name, size in msgspec.structs.asdict(disk).items())


def _documents(report: Report, axis: str) -> str:
    """Tell how many documents an axis has, and how many were found that are not used."""
    figures = report.documents.get(axis)
    if figures is None:
        return ""
    chunks = f" in {figures.chunks:,} chunks" if figures.chunks > figures.documents else ""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in figures.skipped.items())
    skipped = f", {sum(figures.skipped.values()):,} not: {reasons}" if reasons else ""
    return f": {figures.documents:,} documents used{chunks}{skipped}"


def _coverage(values: Mapping[str, ValueCoverage]) -> list[str]:
    shown = list(values.items())
    if len(shown) > VALUES:
        shown = sorted(shown, key=lambda pair: (pair[1].share or 0.0) - pair[1].expected)[:VALUES]
    lines = [
        f"    {one_line(name)[:NAME_CHARS]:<{NAME_CHARS}} {value.kept:>10,} {value.decided:>10,} "
        f"{_percent(value.acceptance):>9} {_percent(value.share):>8} {_percent(value.expected):>9}"
        for name, value in shown
    ]
    if len(values) > VALUES:
        lines.append(f"    ... and {len(values) - VALUES:,} values that fall less far behind; --json has all")
    return lines


def _lengths(example: str, lengths: TextLengths) -> list[str]:
    rows = (("characters", lengths.chars), ("words", lengths.words))
    return [
        f"  {one_line(example)[:12]:<12} {unit:<11}" + "".join(f" {getattr(row, name):>9,}" for name in QUANTILES)
        for unit, row in rows
    ]


def _pairs(pairs: Sequence[PairCoverage]) -> list[str]:
    """Tell how many combinations of two values the corpus has, the pairs that lack most first."""
    if not pairs:
        return []
    shown = sorted(pairs, key=lambda pair: pair.kept_cells / pair.cells)[:PAIRS]
    lines = ["", f"{'pairs':<{NAME_CHARS + 4}} {'kept':>10} {'of':>10}   fewest kept"]
    for pair in shown:
        least = pair.lacking[0] if pair.lacking else None
        fewest = (
            f"{least.kept:,} of {least.decided:,}: {one_line(', '.join(least.values))}" if least is not None else ""
        )
        name = one_line(" and ".join(pair.axes))[:NAME_CHARS]
        lines.append(f"    {name:<{NAME_CHARS}} {pair.kept_cells:>10,} {pair.cells:>10,}   {fewest}".rstrip())
    if len(pairs) > PAIRS:
        lines.append(f"    ... and {len(pairs) - PAIRS:,} pairs that lack less; --json has all")
    return lines


def _variety(by_example: Mapping[str, Variety]) -> list[str]:
    """Tell how varied the texts are: runs of words that are different, and how well they compress."""
    lines = ["", f"{'variety':<26} {'sampled':>9} {'distinct-1':>10} {'-2':>8} {'-3':>8} {'compression':>12}"]
    for example, each in by_example.items():
        shares = (_percent(share) for share in (each.distinct_1, each.distinct_2, each.distinct_3))
        one, two, three = shares
        lines.append(
            f"  {one_line(example)[:24]:<24} {each.sampled:>9,} {one:>10} {two:>8} {three:>8} "
            f"{each.compression_ratio:>10.2f} x"
        )
    return lines if by_example else []


def _estimates(by_step: Mapping[str, Estimates]) -> list[str]:
    """Tell how well the limiter knew the calls beforehand, and which `max_tokens` would do."""
    lines = ["", f"{'estimates':<26} {'tokens out':>10} {'error':>8} {'bias':>8} {'max_tokens':>11} {'suggested':>10}"]
    for step, each in by_step.items():
        bounds = ("-" if bound is None else f"{bound:,}" for bound in (each.max_tokens, each.suggested_max_tokens))
        given, suggested = bounds
        lines.append(
            f"  {one_line(step)[:24]:<24} {each.output_tokens:>10,.0f} {_percent(each.error_ratio):>8} "
            f"{_percent(each.bias_ratio):>8} {given:>11} {suggested:>10}"
        )
    return lines if by_step else []


def _openings(by_example: Mapping[str, list[Opening]]) -> list[str]:
    """Tell the openings that come more than once; examples of the same text share their table."""
    tables: dict[tuple[str, ...], list[str]] = {}
    for example, openings in by_example.items():
        rows = [
            f"  {_percent(each.share):>8} {each.records:>10,}   {one_line(each.words)}"
            for each in openings
            if each.records > 1
        ]
        tables.setdefault(tuple(rows or ["  every one is different"]), []).append(example)
    return [line for rows, examples in tables.items() for line in ("", f"openings of {', '.join(examples)}", *rows)]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share * 100:.1f} %"


def _size(size_bytes: int) -> str:
    size = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
