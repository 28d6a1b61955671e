"""A plan as a person reads it, who decides by it whether to spend the money.

Rule of this file: text out of a plan; every figure that is not counted says what it rests on.
"""

import textwrap
from collections.abc import Mapping, Sequence

from corpusmill.endpoint.prices import format_usd
from corpusmill.jobs.estimate import FIRST_TOKEN_MS, TOKEN_MS, Load, Model
from corpusmill.jobs.plan import Basis, Plan
from corpusmill.jobs.preview import Sample
from corpusmill.limits.estimator import CHARS_PER_TOKEN
from corpusmill.spec.schema import JobSpec

MOST_DIGITS = 18
"""Counts with more digits are told as a power of ten."""

AXIS_CHARS = 76
"""How much of an axis's values is shown."""


def plan_text(spec: JobSpec, plan: Plan, basis: Basis, models: Mapping[str, Model], *, remark: str = "") -> str:
    """Return a plan as lines; `remark` is one more thing to know."""
    lines = [
        _headline(spec, plan),
        *_axes(basis.axes),
        *_row("space", count_text(plan.space), _space_note(spec, plan)),
        *_row("items", count_text(plan.items), _items_note(spec, basis)),
        *_row("calls", count_text(plan.calls), _calls_note(basis)),
        *_row("tokens", *_tokens(basis.loads)),
        *_row("cost", _money(basis.picodollars), _cost_note(spec, basis, models)),
        *_row("time", _duration(plan.seconds), _time_note(basis)),
        *_greatest(basis),
        "",
        *(f"  {line}" for line in (*_remarks(basis), remark) if line),
    ]
    for number, sample in enumerate(plan.samples, start=1):
        lines += ["", f"--- sample {number} of {len(plan.samples)}: item {sample.index} ---", *_sample(sample)]
    return "\n".join(lines).rstrip("\n")


def count_text(count: int) -> str:
    """Return a count with separators, or as a power of ten where it is longer than a line should be."""
    return f"{count:,}" if count < 10**MOST_DIGITS else f"about 10^{len(str(count)) - 1}"


def _row(name: str, figure: str, note: str = "") -> list[str]:
    return [f"  {name:<8} {figure:>22}   {note}".rstrip()]


def _axes(axes: Mapping[str, Mapping[str, int]]) -> list[str]:
    width = max(map(len, axes))
    return [
        f"  {'axis' if not place else '':<8} {axis:<{width}} {len(weights):>9,} values   {_some(weights)}"
        for place, (axis, weights) in enumerate(axes.items())
    ]


def _some(weights: Mapping[str, int]) -> str:
    """Return the first values of an axis, each with its share where they differ."""
    equal = len(set(weights.values())) == 1
    total = sum(weights.values())
    shown = ""
    for value, weight in weights.items():
        shown += value if equal else f"{value} {weight * 100 // total} %"
        if len(shown) > AXIS_CHARS:
            return textwrap.shorten(shown, AXIS_CHARS, placeholder=" ...")
        shown += ", "
    return shown.removesuffix(", ")


def _headline(spec: JobSpec, plan: Plan) -> str:
    least = "at least " if spec.target is not None else ""
    steps = "1 step" if len(spec.steps) == 1 else f"{len(spec.steps)} steps"
    return f"{plan.job}: {least}{count_text(plan.items)} items of a space of {count_text(plan.space)}, {steps} each"


def _space_note(spec: JobSpec, plan: Plan) -> str:
    draws = spec.space.draws
    times = f"{count_text(plan.space // draws)} combinations, {draws:,} draws of each" if draws > 1 else "combinations"
    return f"{times}, {spec.space.order} order"


def _items_note(spec: JobSpec, basis: Basis) -> str:
    items = basis.items
    notes = []
    if spec.target is not None:
        notes.append(f"at least, until {spec.target.kept:,} are kept; at most {count_text(items.most)}")
    if spec.space.where is not None:
        notes.append("after `where`" if items.exact else "after `where`, estimated from a sample of the space")
    if spec.space.limit is not None and spec.space.limit == items.most:
        notes.append("by `limit`")
    return "; ".join(notes)


def _tokens(loads: Sequence[Load]) -> tuple[str, str]:
    sent = sum(load.calls * load.input_tokens for load in loads)
    received = sum(load.calls * load.output_tokens for load in loads)
    each = ", ".join(f"{load.step} {load.input_tokens:,} + {load.output_tokens:,}" for load in loads)
    return count_text(sent + received), f"{count_text(sent)} in, {count_text(received)} out; a call: {each}"


def _calls_note(basis: Basis) -> str:
    items = basis.items.least
    if all(load.calls == items for load in basis.loads):
        return "one for each item and step"
    each = ", ".join(f"{load.step} {load.calls // max(items, 1):,}" for load in basis.loads)
    return f"expected for an item: {each}"


def _money(picodollars: int | None) -> str:
    if picodollars is None:
        return "unknown"
    return format_usd(picodollars) if picodollars < 10**24 else f"{count_text(picodollars // 10**12)} USD"


def _cost_note(spec: JobSpec, basis: Basis, models: Mapping[str, Model]) -> str:
    if basis.picodollars is None:
        return _unpriced(models)
    names = ", ".join(dict.fromkeys(f"{model.upstream} at {model.base_url}" for model in models.values()))
    budget = spec.budget.usd
    if budget is not None and basis.picodollars > int(budget * 10**12):
        return f"{names}; the budget of ${budget:,.2f} ends the job before"
    return names


def _unpriced(models: Mapping[str, Model]) -> str:
    if any(model.upstream is None for model in models.values()):
        return "no model is named: --model-name or OPENAI_MODEL says whose price counts"
    names = ", ".join(f"{model.upstream} at {model.base_url}" for model in models.values() if model.prices is None)
    return f"the price of {names} is not known; prices can be set in --config"


def _duration(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    if days >= 1000:
        return f"{count_text(days)} d"
    clock = f"{rest // 3600}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{count_text(days)} d {clock}" if days else clock


def _time_note(basis: Basis) -> str:
    return f"at least; bound by {basis.pace.bound_by}"


def _greatest(basis: Basis) -> list[str]:
    """Tell the worst case: all attempts used, every answer as long as it may be."""
    if basis.greatest is None:
        return _row("at most", "no bound", "a step without max_tokens bounds neither tokens nor cost")
    calls = sum(load.calls for load in basis.greatest)
    note = f"{count_text(calls)} calls, {_tokens(basis.greatest)[0]} tokens: every attempt used, every answer full"
    return _row("at most", _money(basis.greatest_picodollars), note)


def _remarks(basis: Basis) -> list[str]:
    tokens_per_second = 1000 // TOKEN_MS
    if not basis.checked:
        return ["No combination that `where` keeps was found by looking: the counts are only as good as that."]
    return [
        f"Input tokens: {basis.checked:,} first items, at {CHARS_PER_TOKEN} characters a token, and a chat's frame.",
        "Output tokens: half of max_tokens (256 without), within the lengths that filters let pass.",
        f"Time of a call: {FIRST_TOKEN_MS // 1000} s and {tokens_per_second} tokens a second, assumed.",
        *basis.remarks,
    ]


def _sample(sample: Sample) -> list[str]:
    lines = [", ".join(f"{axis}={value}" for axis, value in sample.values.items())]
    for prompt in sample.prompts:
        if prompt.system is not None:
            lines += [f"[{prompt.step}: system]", *_indented(prompt.system)]
        lines += [f"[{prompt.step}]", *_indented(prompt.prompt)]
    return lines


def _indented(text: str) -> list[str]:
    return [f"    {line}".rstrip() for line in text.splitlines()]
