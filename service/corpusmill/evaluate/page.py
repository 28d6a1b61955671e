"""The result as a page: each score with the intervals of all models on one scale, then what differs.

Rule of this file: the figures are the result's; the page frame is that of all pages.
"""

from corpusmill.evaluate.intervals import Interval
from corpusmill.evaluate.result import Difference, ModelResult, Result
from corpusmill.evaluate.scores import CONSISTENCY, MEANINGS
from corpusmill.pages.html import Child, Node, page, table, tag

WIDTH, HEIGHT = 260, 16


def result_page(result: Result) -> str:
    """Return the page."""
    scores = list(dict.fromkeys(score for model in result.models.values() for score in model.scores))
    accuracy = [score for score in scores if score not in CONSISTENCY]
    consistency = [score for score in scores if score in CONSISTENCY]
    return page(
        f"{result.evaluation}: evaluation",
        tag("h1", result.evaluation),
        tag("p", f"{result.clusters} different values of {result.cluster}; bars are 95 % intervals, from 0 to 1"),
        *(tag("p", tag("b", warning)) for warning in result.warnings),
        *_section("Accuracy", "Against what is true.", accuracy, result),
        *_section(
            "Consistency", "Between draws of the same question; says nothing of what is true.", consistency, result
        ),
        *_differences(result.differences),
        *_costs(result.models),
    )


def _section(heading: str, note: str, scores: list[str], result: Result) -> list[Node]:
    rows: list[list[Child]] = []
    for score in scores:
        for place, (key, model) in enumerate(result.models.items()):
            interval = model.scores.get(score)
            if interval is not None and interval.estimate == interval.estimate:
                ends = f"{interval.low:.3f} to {interval.high:.3f}"
                named = score if place == 0 else ""
                rows.append([named, key, _whisker(interval), f"{interval.estimate:.3f}", ends])
    if not rows:
        return []
    meanings = "; ".join(f"{score}: {MEANINGS[score]}" for score in scores)
    return [
        tag("h2", heading),
        tag("p", note),
        table(["score", "model", "", "estimate", "interval"], rows, numbers=3),
        tag("p", meanings),
    ]


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
            each.verdict,
            f"{each.difference.estimate:+.3f}",
            f"{each.difference.low:+.3f} to {each.difference.high:+.3f}",
            f"{each.p_corrected:.4f}",
            f"{each.detectable:.3f}",
        ]
        for each in differences
    ]
    header = ["models", "score", "verdict", "difference", "interval", "p, corrected", "least shown"]
    note = (
        "Paired by whole documents: approximate randomization (Yeh 2000), corrected for their number (Holm 1979). "
        "What this sample shows four times in five is the least shown."
    )
    return [tag("h2", "Differences"), tag("p", note), table(header, rows, numbers=3)]


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
