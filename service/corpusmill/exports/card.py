"""A dataset card: the README.md that hubs show beside exported files.

Rules of this file: figures in, text out; what only the owner knows, the licence first of all, is left to be filled in
and says so. The front matter has the keys of the Hugging Face Hub's dataset cards.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec
import re2
import yaml

from corpusmill.exports.sinks import Receipt
from corpusmill.jobs.summary import usd
from corpusmill.jobs.usage import Usage
from corpusmill.journal.sheet import Sheet
from corpusmill.spec.freeze import spec_to_json
from corpusmill.spec.schema import JobSpec
from corpusmill.spec.wording import one_line

SIZES = ((10**3, "1K"), (10**4, "10K"), (10**5, "100K"), (10**6, "1M"), (10**7, "10M"), (10**8, "100M"), (10**9, "1B"))

FILL_IN = "FILL IN"

SPEC_CHARS = 20_000
"""Characters of a spec above which the card has its digest only."""


class Exported(msgspec.Struct, frozen=True):
    """One file of the dataset; `side` is of the split, None where there is none."""

    path: Path
    side: str | None
    receipt: Receipt


class Facts(msgspec.Struct, frozen=True):
    """What a card is made of.

    Attributes:
        form: the format of the files.
        example: the only example whose records were exported, None for all.
        sheet: of what is sealed.
        usage: by step and model, None where it is no longer known.
    """

    spec: JobSpec
    state: str
    form: str
    example: str | None
    files: Sequence[Exported]
    sheet: Sheet
    usage: Sequence[Usage] | None


def dataset_card(facts: Facts) -> str:
    """Return the card."""
    sections = (_front_matter(facts), *_introduction(facts), *_files(facts), *_origin(facts), *_selection(facts))
    return "\n".join((*sections, *_spec(facts.spec), *_left_to_say())) + "\n"


def _front_matter(facts: Facts) -> str:
    front = {
        "pretty_name": facts.spec.name,
        "license": "unknown",
        "task_categories": ["text-generation"],
        "tags": ["synthetic", "corpusmill"],
        "size_categories": [_size(sum(each.receipt.records for each in facts.files))],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": each.side or "train", "path": each.path.name} for each in facts.files],
            }
        ],
    }
    return f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---\n"


def _introduction(facts: Facts) -> Iterator[str]:
    records = sum(each.receipt.records for each in facts.files)
    tasks = [facts.example] if facts.example is not None else [each.name for each in facts.spec.examples]
    yield f"# {facts.spec.name}\n"
    yield f"{records:,} synthetic records, made by language models with corpusmill. {FILL_IN}: what they are for.\n"
    yield f"- format: {facts.form}; examples: {', '.join(tasks)}"
    if facts.state != "finished":
        yield f"- the job was {facts.state} when this was exported: it may have more records later"
    yield ""


def _files(facts: Facts) -> Iterator[str]:
    yield "## Files\n"
    rows = [
        (each.path.name, each.side or "", f"{each.receipt.records:,}", f"{each.receipt.bytes:,}", each.receipt.sha256)
        for each in facts.files
    ]
    yield from _table(("file", "split", "records", "bytes", "sha256"), rows)
    split = facts.spec.split
    if split is not None:
        by = "item" if split.by == "item" else f"`{split.by}`"
        yield f"A share of {split.validation:g} is marked as validation, by {by}: a group never lies on both sides.\n"


def _origin(facts: Facts) -> Iterator[str]:
    spec, sheet = facts.spec, facts.sheet
    yield "## How it was made\n"
    yield f"- recipe: sha256 `{hashlib.sha256(spec_to_json(spec)).hexdigest()}` of the spec as it was accepted"
    yield f"- seed: {spec.seed}"
    axes = ", ".join(f"`{name}`" for name in spec.space.axes)
    yield f"- axes: {axes or 'none'}"
    for name in spec.space.documents:
        yield f"- source texts: `{name}`. {FILL_IN}: where they are from, and their licence"
    yield f"- {sheet.calls.sent:,} calls, {sheet.tokens.input:,} tokens in, {sheet.tokens.output:,} out"
    yield f"- cost: {_cost(sheet.cost_picodollars, sheet.unpriced, sheet.calls.answered)}\n"
    if facts.usage is None:
        yield "Which models answered is no longer known: the journal was purged. The spec names them as:\n"
        yield from _table(("step", "model"), [(step.name, step.model) for step in spec.steps])
    else:
        yield from _table(
            ("step", "model", "answers", "tokens in", "tokens out", "cost", "USD per 1M tokens"),
            map(_usage_row, facts.usage),
        )


def _usage_row(usage: Usage) -> tuple[str, ...]:
    cost = _cost(usage.cost_picodollars, usage.unpriced, usage.answers)
    figures = (f"{number:,}" for number in (usage.answers, usage.input_tokens, usage.output_tokens))
    return (usage.step, usage.model, *figures, cost, _price_paid(usage))


def _price_paid(usage: Usage) -> str:
    """Return what a million tokens cost, in and out together: list prices change, and this is what was paid."""
    tokens = usage.input_tokens + usage.output_tokens
    if usage.unpriced or not tokens:
        return "unknown"
    return f"{usd(usage.cost_picodollars * 1_000_000 // tokens):,.4f}"


def _cost(picodollars: int, unpriced: int, answers: int) -> str:
    if unpriced and unpriced == answers:
        return "unknown price"
    return f"${usd(picodollars):,.6f}" + (f", without {unpriced:,} of unknown price" if unpriced else "")


def _selection(facts: Facts) -> Iterator[str]:
    spec, sheet, outcomes = facts.spec, facts.sheet, facts.sheet.outcomes
    yield "## What was kept\n"
    rows = [(name, f"{getattr(outcomes, name):,}") for name in ("kept", "rejected", "duplicate", "failed")]
    yield from _table(("items", ""), rows)
    for document in spec.filters:
        told = msgspec.json.encode(document).decode()
        yield f"- filter: `{_inline(told)}`"
    if spec.dedup is not None:
        yield f"- dedup: `{_inline(msgspec.json.encode(spec.dedup).decode())}`"
    yield ""
    reasons = {**sheet.rejected_by, **sheet.failed_by}
    if reasons:
        ranked = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
        yield from _table(("reason", "items"), [(reason, f"{count:,}") for reason, count in ranked])


def _spec(spec: JobSpec) -> Iterator[str]:
    text = spec_to_json(spec).decode()
    if len(text) <= SPEC_CHARS:
        yield "## The spec\n"
        fence = "`" * max(3, 1 + max((len(run) for run in _runs_of_ticks(text)), default=0))
        yield f"{fence}json\n{text}{fence}\n"


def _left_to_say() -> Iterator[str]:
    yield "## Licence and use\n"
    yield f"{FILL_IN}: the licence, here and in the front matter; the terms of the models above may bind what may be"
    yield "trained on their output. Texts made by models can be wrong, biased, or too close to something that exists."


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"
    yield ""


def _cell(text: str) -> str:
    return one_line(text).replace("|", "\\|") if len(text) != 64 else text  # a digest is told whole


def _inline(text: str) -> str:
    return text.replace("`", "'") if len(text) <= 300 else text[:297].replace("`", "'") + "..."


def _runs_of_ticks(text: str) -> list[str]:
    return [run.group() for run in re2.finditer("`+", text)]


def _size(records: int) -> str:
    """Return the Hub's category for a number of records."""
    if records < SIZES[0][0]:
        return "n<1K"
    below = [(low, high) for (_, low), (bound, high) in pairwise(SIZES) if records < bound]
    return f"{below[0][0]}<n<{below[0][1]}" if below else "1B<n<10B"
