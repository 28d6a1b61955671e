"""A job's report as a page.

Rule of this file: the figures are the report's; tables and plots that would not be read are cut, and say so.
"""

from collections.abc import Mapping

from corpusmill.jobs.pairs import PairCoverage
from corpusmill.jobs.report import Duplicates, Opening, Reason, Report, TextLengths, ValueCoverage
from corpusmill.jobs.summary import Summary
from corpusmill.jobs.variety import Variety
from corpusmill.pages.html import Child, Node, page, table, tag
from corpusmill.pages.plots import bar, cell_map, histogram, stacked_bar, swatch

VALUES = 40
"""Values of an axis that are shown, those furthest behind their expected share."""

MAPS = 12
"""Pairs of axes that are drawn."""

DRAWN_VALUES = 48
"""Values of an axis above which a pair is told in the table only."""


def report_page(report: Report) -> str:
    """Return the page."""
    summary = report.summary
    done = summary.outcomes.total
    of = "" if summary.items is None else f" of {summary.items:,}"
    return page(
        f"{summary.job}: report",
        tag("h1", summary.job),
        tag("p", f"{summary.state}, {done:,}{of} items done"),
        tag("div", *(_card(name, figure) for name, figure in _headline(report)), class_="cards"),
        *_outcomes(summary),
        *_reasons(report.reasons, done),
        *_duplicates(report.duplicates),
        *_coverage(report),
        *_pairs(report.pairs),
        *_texts(report),
        *_spending(report),
    )


def _headline(report: Report) -> list[tuple[str, str]]:
    summary, outcomes = report.summary, report.summary.outcomes
    return [
        ("kept items", f"{outcomes.kept:,}"),
        ("records", f"{summary.records:,}"),
        ("accepted", _percent(outcomes.kept / outcomes.total if outcomes.total else None)),
        ("duplicates of what passed", _percent(report.duplicates.share)),
        ("calls", f"{summary.calls.sent:,}"),
        ("cost", "unknown" if summary.cost_usd is None else f"${summary.cost_usd:,.2f}"),
    ]


def _card(name: str, figure: str) -> Node:
    return tag("div", tag("b", figure), tag("span", name), class_="card")


def _outcomes(summary: Summary) -> list[Node]:
    outcomes = summary.outcomes
    parts = {name: getattr(outcomes, name) for name in ("kept", "rejected", "duplicate", "failed")}
    legend = (tag("span", swatch(name), f"{name} {count:,}") for name, count in parts.items())
    return [tag("h2", "Outcomes"), stacked_bar(parts), tag("div", *legend, class_="legend")]


def _reasons(reasons: Mapping[str, Reason], done: int) -> list[Node]:
    if not reasons:
        return []
    rows: list[list[Child]] = [
        [name, bar(reason.items / done, class_="rejected"), f"{reason.items:,}", _percent(reason.items / done)]
        for name, reason in reasons.items()
    ]
    return [
        tag("h2", "Why items were not kept"),
        table(["reason", "", "items", "of all"], rows, numbers=2),
        *(_samples(name, reason) for name, reason in reasons.items()),
    ]


def _duplicates(duplicates: Duplicates) -> list[Node]:
    rows: list[list[Child]] = [[each.id, f"{each.items:,}"] for each in duplicates.most_repeated[:5]]
    return [tag("h3", "Repeated most"), table(["kept item", "duplicates of it"], rows)] if rows else []


def _samples(name: str, reason: Reason) -> Node:
    shown: list[Node] = []
    for sample in reason.samples:
        shown.append(tag("p", f"{sample.id}: {sample.detail}" if sample.detail else sample.id))
        if sample.text:
            shown.append(tag("pre", sample.text))
    return tag("details", tag("summary", f"{name}: the first {len(reason.samples)} of {reason.items:,}"), *shown)


def _coverage(report: Report) -> list[Node]:
    note = "The bar is the value's share of kept items; the mark is its share of all combinations."
    nodes = [tag("h2", "Coverage"), tag("p", note)]
    for axis, values in report.coverage.items():
        nodes += [tag("h3", axis), *_axis(values)]
    return nodes


def _axis(values: Mapping[str, ValueCoverage]) -> list[Node]:
    shown = list(values.items())
    if len(shown) > VALUES:
        shown = sorted(shown, key=lambda pair: (pair[1].share or 0.0) - pair[1].expected)[:VALUES]
    whole = max((max(value.share or 0.0, value.expected) for _, value in shown), default=1.0) or 1.0
    rows: list[list[Child]] = [
        [
            name,
            bar(value.share or 0.0, mark=value.expected, whole=whole),
            f"{value.kept:,}",
            f"{value.decided:,}",
            _percent(value.acceptance),
            _percent(value.share),
            _percent(value.expected),
        ]
        for name, value in shown
    ]
    nodes = [table(["value", "", "kept", "of", "accepted", "share", "expected"], rows, numbers=2)]
    if len(values) > VALUES:
        nodes.append(tag("p", f"The {VALUES} values furthest behind of {len(values):,}; report --json has all."))
    return nodes


def _pairs(pairs: list[PairCoverage]) -> list[Node]:
    if not pairs:
        return []
    ranked = sorted(pairs, key=lambda pair: pair.kept_cells / pair.cells)
    rows: list[list[Child]] = [
        [" and ".join(pair.axes), bar(pair.kept_cells / pair.cells), f"{pair.kept_cells:,}", f"{pair.cells:,}"]
        for pair in ranked
    ]
    drawn = [pair for pair in ranked if max(len(pair.rows), len(pair.columns)) <= DRAWN_VALUES][:MAPS]
    note = "Two values are covered when an item with both is kept. Red: tried, none kept. Frame: not tried."
    return [
        tag("h2", "Pairs of axes"),
        tag("p", note),
        table(["pair", "", "covered", "of"], rows, numbers=2),
        tag("div", *(_map(pair) for pair in drawn), class_="plots"),
        *([tag("p", f"The {len(drawn)} pairs that lack most are drawn.")] if len(drawn) < len(pairs) else []),
    ]


def _map(pair: PairCoverage) -> Node:
    drawing = cell_map(pair.rows, pair.columns, pair.kept, pair.decided)
    return tag("div", tag("h3", " and ".join(pair.axes)), tag("div", drawing, class_="scroll"))


def _texts(report: Report) -> list[Node]:
    nodes: list[Node] = []
    for example, lengths in report.lengths.items():
        nodes += [tag("h2", f"Texts of {example}"), *_lengths(lengths), *_variety(report.variety[example])]
        nodes += _openings(report.openings[example])
    return nodes


def _lengths(lengths: TextLengths) -> list[Node]:
    names = ("min", "p5", "median", "p95", "max")
    rows: list[list[Child]] = [
        [unit, *(f"{getattr(of, name):,}" for name in names)]
        for unit, of in (("characters", lengths.chars), ("words", lengths.words))
    ]
    drawn = lengths.histogram
    return [histogram(drawn.start, drawn.width, drawn.counts, "characters"), table(["length", *names], rows)]


def _variety(variety: Variety) -> list[Node]:
    note = (
        f"By a sample of {variety.sampled:,} texts: the share of different runs of one, two and three words (more is "
        "more varied), and how far the texts compress (more is more alike)."
    )
    shares = [_percent(share) for share in (variety.distinct_1, variety.distinct_2, variety.distinct_3)]
    row: list[Child] = ["", *shares, f"{variety.compression_ratio:.2f} x"]
    return [tag("h3", "Variety"), tag("p", note), table(["", "distinct-1", "-2", "-3", "compression"], [row])]


def _openings(openings: list[Opening]) -> list[Node]:
    common = [each for each in openings if each.records > 1]
    if not common:
        return [tag("p", "No two texts open with the same five words.")]
    rows: list[list[Child]] = [[each.words, f"{each.records:,}", _percent(each.share)] for each in common]
    return [tag("h3", "Common openings"), table(["words", "records", "share"], rows)]


def _spending(report: Report) -> list[Node]:
    summary = report.summary
    calls, tokens, disk = summary.calls, summary.tokens, report.disk
    rows: list[list[Child]] = [
        ["calls sent", f"{calls.sent:,}"],
        ["calls answered", f"{calls.answered:,}"],
        ["calls refused for rate", f"{calls.rate_limited:,}"],
        ["calls that failed", f"{calls.errors:,}"],
        ["input tokens", f"{tokens.input:,}"],
        ["of these cached", f"{tokens.cached_input:,}"],
        ["output tokens", f"{tokens.output:,}"],
        ["journal", f"{disk.journal / 1e6:,.1f} MB"],
        ["corpus and rejects", f"{(disk.corpus + disk.rejects) / 1e6:,.1f} MB"],
    ]
    return [tag("h2", "Calls, tokens, disk"), table(["", ""], rows)]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
