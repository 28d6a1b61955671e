"""The result as a table for a terminal: scores side by side, then what differs and what cannot be told."""

from corpusmill.evaluate.intervals import Interval
from corpusmill.evaluate.result import Difference, ModelResult, Result
from corpusmill.evaluate.scores import CONSISTENCY, MEANINGS

SCORE_CHARS = 18
CELL_CHARS = 24


def result_text(result: Result) -> str:
    """Return all of it, in lines of text."""
    lines = [f"{result.evaluation}: {result.clusters} different values of {result.cluster}, 95 % intervals", ""]
    lines.append(" " * SCORE_CHARS + "".join(f"{key:<{CELL_CHARS}}" for key in result.models))
    scores = list(dict.fromkeys(score for model in result.models.values() for score in model.scores))
    for heading, group in (("accuracy", False), ("consistency", True)):
        of_group = [score for score in scores if (score in CONSISTENCY) == group]
        lines += [heading] if of_group else []
        for score in of_group:
            cells = (_cell(model.scores.get(score)) for model in result.models.values())
            lines.append(f"  {score:<{SCORE_CHARS - 2}}" + "".join(f"{cell:<{CELL_CHARS}}" for cell in cells))
    lines.append("cost")
    for name, told in (("answers", _answers), ("USD/answer", _usd), ("latency s", _latency)):
        cells = (told(model) for model in result.models.values())
        lines.append(f"  {name:<{SCORE_CHARS - 2}}" + "".join(f"{cell:<{CELL_CHARS}}" for cell in cells))
    lines += ["", *(_sentence(difference) for difference in result.differences)]
    lines += [f"WARNING {warning}" for warning in result.warnings]
    return "\n".join(lines)


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
    told = f"{each.score}: {pair} {each.verdict}: {figures} ({MEANINGS[each.score]})"
    if each.verdict != "not told apart" or not each.detectable > 0:
        return told
    needed = f"; {each.clusters_needed:,} documents would show 0.05" if each.clusters_needed else ""
    return f"{told}; this sample shows differences from {each.detectable:.3f} on{needed}"
