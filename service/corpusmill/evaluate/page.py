"""The result as a page: each score with the intervals of all models on one scale, then what differs.

Rule of this file: the figures are the result's; the page frame is that of all pages.
"""

from corpusmill.evaluate.intervals import Interval
from corpusmill.evaluate.result import Difference, Judging, ModelResult, Result
from corpusmill.evaluate.scores import CONSISTENCY, MEANINGS
from corpusmill.evaluate.text import JUDGEMENTS
from corpusmill.pages.html import Child, Node, page, table, tag

WIDTH, HEIGHT = 260, 16


def result_page(result: Result) -> str:
    """Return the page."""
    scores = {key: model.scores for key, model in result.models.items()}
    spoken = {key: model.of_answered for key, model in result.models.items()}
    accuracy = [score for score in _names(scores) if score not in CONSISTENCY]
    consistency = [score for score in _names(scores) if score in CONSISTENCY]
    return page(
        f"{result.evaluation}: evaluation",
        tag("h1", result.evaluation),
        tag("p", f"{result.clusters} different values of {result.cluster}; bars are 95 % intervals, from 0 to 1"),
        *(tag("p", tag("b", warning)) for warning in result.warnings),
        *_section("Accuracy", "Against what is true; an item without an answer is wrong.", accuracy, scores),
        *_section("Of the items that were answered alone", "The same, without those.", _names(spoken), spoken),
        *_section(
            "Consistency", "Between draws of the same question; says nothing of what is true.", consistency, scores
        ),
        *(_judging(result.judge) if result.judge is not None else ()),
        *_differences(result.differences),
        *_costs(result.models),
    )


def _names(scores: dict[str, dict[str, Interval]]) -> list[str]:
    return list(dict.fromkeys(score for each in scores.values() for score in each))


def _section(heading: str, note: str, names: list[str], scores: dict[str, dict[str, Interval]]) -> list[Node]:
    rows: list[list[Child]] = []
    for score in names:
        for place, (key, of_model) in enumerate(scores.items()):
            rows += _figures(score if place == 0 else "", key, of_model.get(score))
    if not rows:
        return []
    meanings = "; ".join(f"{score}: {MEANINGS[score]}" for score in names)
    return [
        tag("h2", heading),
        tag("p", note),
        table(["score", "model", "", "estimate", "interval"], rows, numbers=3),
        tag("p", meanings),
    ]


def _figures(name: str, key: str, interval: Interval | None) -> list[list[Child]]:
    """Return the row of an interval; none where nothing is known."""
    if interval is None or interval.estimate != interval.estimate:
        return []
    ends = f"{interval.low:.3f} to {interval.high:.3f}"
    return [[name, key, _whisker(interval), f"{interval.estimate:.3f}", ends]]


def _judging(judging: Judging) -> list[Node]:
    rows: list[list[Child]] = []
    for each in judging.judgements:
        pair = f"{each.model} against {each.baseline}"
        for place, (name, told) in enumerate(JUDGEMENTS.items()):
            rows += _figures(pair if place == 0 else "", name, told(each))
    asked = f"{judging.model} was asked for a {judging.asks}: {judging.cost.calls:,} calls"
    spent = "cost unknown" if judging.cost.usd is None else f"${judging.cost.usd:.6f}"
    unjudged = f", {judging.unjudged:,} verdicts could not be read" if judging.unjudged else ""
    nodes = [tag("h2", "Judge"), tag("p", f"{asked}, {spent}{unjudged}.")]
    if not rows:
        return nodes
    note = (
        "Each pair is judged in both orders (Zheng et al. 2023): it is won or lost only where both say so, and ties "
        "where they contradict each other, or where both answers are the same. First stands is the share of choices "
        "that fall on what stands first: 0.5 where order is nothing to the judge."
    )
    return [*nodes, tag("p", note), table(["models", "share", "", "estimate", "interval"], rows, numbers=3)]


def _whisker(interval: Interval) -> Node:
    low, middle, high = (min(max(each, 0.0), 1.0) * WIDTH for each in (interval.low, interval.estimate, interval.high))
    told = f"{interval.estimate:.3f}, from {interval.low:.3f} to {interval.high:.3f}"
    return tag(
        "svg",
        tag("title", told),
        tag("rect", y=7, width=WIDTH, height=2, class_="track"),
        tag("rect", x=f"{low:.1f}", y=4, width=f"{max(high - low, 1):.1f}", height=8, rx=2, class_="kept"),
        tag("rect", x=f"{max(middle - 1, 0):.1f}", y=1, width=2, height=14, class_="mark"),
        role="img",
        aria_label=told,
        width=WIDTH,
        height=HEIGHT,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
    )


def _differences(differences: list[Difference]) -> list[Node]:
    if not differences:
        return []
    rows: list[list[Child]] = [
        [
            f"{each.model} against {each.baseline}",
            each.score,
            each.items,
            each.verdict,
            f"{each.difference.estimate:+.3f}",
            f"{each.difference.low:+.3f} to {each.difference.high:+.3f}",
            f"{each.p_corrected:.4f}",
            f"{each.detectable:.3f}",
        ]
        for each in differences
    ]
    header = ["models", "score", "items", "verdict", "difference", "interval", "p, corrected", "least shown"]
    note = (
        "Paired by whole documents: approximate randomization (Yeh 2000), corrected for their number (Holm 1979). "
        "What this sample shows four times in five is the least shown."
    )
    return [tag("h2", "Differences"), tag("p", note), table(header, rows, numbers=4)]


def _costs(models: dict[str, ModelResult]) -> list[Node]:
    rows: list[list[Child]] = [
        [
            key,
            each.model,
            f"{each.answers:,}",
            f"{each.unanswered:,}",
            f"{each.cost.input_tokens:,}",
            f"{each.cost.output_tokens:,}",
            "unknown" if each.usd_per_answer is None else f"${each.usd_per_answer:.6f}",
            "not measured" if each.cost.latency_seconds is None else f"{each.cost.latency_seconds[0]:.3f} s",
        ]
        for key, each in models.items()
    ]
    header = ["model", "name", "answers", "unanswered", "input tokens", "output tokens", "per answer", "median latency"]
    return [tag("h2", "Cost"), table(header, rows, numbers=2)]
