"""The result as a table for a terminal: scores side by side, then what differs and what cannot be told."""

from collections.abc import Callable

from corpusmill.evaluate.intervals import Interval
from corpusmill.evaluate.judgement import Judgement
from corpusmill.evaluate.result import ALL, Cost, Difference, Judging, ModelResult, Result
from corpusmill.evaluate.scores import CONSISTENCY, MEANINGS

SCORE_CHARS = 18
CELL_CHARS = 24


def result_text(result: Result) -> str:
    """Return all of it, in lines of text."""
    models = list(result.models.values())
    lines = [f"{result.evaluation}: {result.clusters} different values of {result.cluster}, 95 % intervals", ""]
    lines.append(_row("", list(result.models)))
    for heading, consistent in (("accuracy", False), ("consistency", True)):
        of_heading = [
            score for score in _names([each.scores for each in models]) if (score in CONSISTENCY) == consistent
        ]
        lines += _scores(heading, of_heading, [each.scores for each in models])
    spoken = [each.of_answered for each in models]
    lines += _scores("of the items that were answered alone", _names(spoken), spoken)
    lines.append("cost")
    for name, told in (("answers", _answers), ("USD/answer", _usd), ("latency s", _latency)):
        lines.append(_row(f"  {name}", [told(model) for model in models]))
    if result.judge is not None:
        lines += _judging(result.judge)
    lines += ["", *(_sentence(difference) for difference in result.differences)]
    lines += [f"WARNING {warning}" for warning in result.warnings]
    return "\n".join(lines)


def _names(scores: list[dict[str, Interval]]) -> list[str]:
    return list(dict.fromkeys(score for each in scores for score in each))


def _scores(heading: str, names: list[str], scores: list[dict[str, Interval]]) -> list[str]:
    """Return a heading, and below it a row for each score; nothing where there is none."""
    rows = [_row(f"  {name}", [_cell(each.get(name)) for each in scores]) for name in names]
    return [heading, *rows] if rows else []


def _judging(judging: Judging) -> list[str]:
    lines = [f"judge {judging.model}, asked for a {judging.asks}"]
    if judging.judgements:
        pairs = [f"{each.model} against {each.baseline}" for each in judging.judgements]
        lines.append(_row("", pairs))
    for name, told in JUDGEMENTS.items():
        cells = [_cell(told(each)) for each in judging.judgements]
        lines += [_row(f"  {name}", cells)] if cells else []
    counts = [f"{each.pairs:,}, {each.same:,} the same" for each in judging.judgements]
    lines += [_row("  pairs", counts)] if counts else []
    lines.append(f"  {judging.cost.calls:,} calls, {_spent(judging.cost)}")
    return lines


JUDGEMENTS: dict[str, Callable[[Judgement], Interval]] = {
    "won in both": lambda each: each.won,
    "tied": lambda each: each.tied,
    "lost in both": lambda each: each.lost,
    "contradicted": lambda each: each.contradicted,
    "first stands": lambda each: each.first,
}
"""Row -> which share of a judgement it tells."""


def _row(name: str, cells: list[str]) -> str:
    return f"{name:<{SCORE_CHARS}}" + "".join(f"{cell:<{CELL_CHARS}}" for cell in cells)


def _spent(cost: Cost) -> str:
    return "cost unknown" if cost.usd is None else f"{cost.usd:.6f} USD"


def _cell(interval: Interval | None) -> str:
    if interval is None or interval.estimate != interval.estimate:
        return "-"
    return f"{interval.estimate:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def _answers(model: ModelResult) -> str:
    return f"{model.answers:,}"


def _usd(model: ModelResult) -> str:
    return "unknown" if model.usd_per_answer is None else f"{model.usd_per_answer:.6f}"


def _latency(model: ModelResult) -> str:
    latency = model.cost.latency_seconds
    return "not measured" if latency is None else f"{latency[0]:.3f}, p95 {latency[1]:.3f}"


def _sentence(each: Difference) -> str:
    interval, pair = each.difference, f"{each.model} against {each.baseline}"
    figures = f"{interval.estimate:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}], p = {each.p_corrected:.4f}"
    over = "" if each.items == ALL else "; over the items that both answered"
    told = f"{each.score}: {pair} {each.verdict}: {figures} ({MEANINGS[each.score]}{over})"
    if each.verdict != "not told apart" or not each.detectable > 0:
        return told
    needed = f"; {each.clusters_needed:,} documents would show 0.05" if each.clusters_needed else ""
    return f"{told}; this sample shows differences from {each.detectable:.3f} on{needed}"
