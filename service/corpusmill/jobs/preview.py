"""The first items of a job as they would be asked: every prompt rendered, nothing called.

Rule of this file: what a step will answer is not known, so a visible placeholder stands for it. A template that fails
without reading any answer is refused; one that reads answers may fail for want of them, and is only remarked on.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from corpusmill.chain.chain import Chain, CompiledStep, Values
from corpusmill.space.item import Item
from corpusmill.space.space import Space
from corpusmill.spec.errors import RenderError, SpecError
from corpusmill.spec.schema import JobSpec
from corpusmill.spec.template import Template, compile_template

CHECKED = 100
"""So many items are rendered, to find what fails and to estimate from."""

LOOKED_AT = 100_000
"""Positions looked at for them at most, where `where` excludes nearly everything."""


class SamplePrompt(msgspec.Struct, frozen=True):
    """One prompt of an item; `system` is None where the step has none."""

    step: str
    system: str | None
    prompt: str


class Sample(msgspec.Struct, frozen=True):
    """One item as it would be asked, a prompt for each step."""

    index: int
    values: dict[str, Any]
    prompts: tuple[SamplePrompt, ...]


class Preview(msgspec.Struct, frozen=True):
    """The rendered items, and remarks for people on what could not be judged yet."""

    samples: tuple[Sample, ...]
    remarks: tuple[str, ...]


def placeholder(step: str) -> str:
    """Return what stands for the answer of a step."""
    return f"⟨{step}⟩"


def preview(spec: JobSpec, space: Space, count: int = CHECKED) -> Preview:
    """Render the first items of a job, at most `count` of them.

    Raises:
        SpecError: a template cannot be rendered for one of them, or `where` cannot be evaluated.
    """
    chain = Chain(spec)
    examples = tuple(_example_templates(spec))
    remarks: dict[str, str] = {}
    samples = []
    for item in _first_items(space, count):
        values = chain.values(item)
        prompts = tuple(_render_step(number, step, chain, values, remarks) for number, step in enumerate(chain.steps))
        for path, template in examples:
            _render_example(path, template, values, chain, remarks)
        samples.append(Sample(item.index, item.values, prompts))
    return Preview(tuple(samples), tuple(remarks.values()))


def spread(samples: tuple[Sample, ...], count: int) -> tuple[Sample, ...]:
    """Return `count` of the samples, from the first to the last at even distances."""
    if count >= len(samples):
        return samples
    last = len(samples) - 1
    return tuple(samples[place * last // max(count - 1, 1)] for place in range(count))


def _first_items(space: Space, count: int) -> Iterator[Item]:
    items = (space.item(index) for index in range(min(space.size, LOOKED_AT)))
    return islice(filter(space.keeps, items), count)


def _render_step(
    number: int, step: CompiledStep, chain: Chain, values: Values, remarks: dict[str, str]
) -> SamplePrompt:
    """Render a step's prompt, and put the placeholder for its answer among the values."""
    path = f"steps[{number}]"
    variables = step.prompt.variables | (step.system.variables if step.system is not None else frozenset())
    try:
        prompt = chain.prompt(step, values, 0)
        sample = SamplePrompt(step.name, prompt.system, prompt.text)
    except RenderError as error:
        missing = _answers_read(variables, chain)
        _regard(path, f"step {step.name}", error, values["index"], missing, remarks)
        sample = SamplePrompt(step.name, None, f"⟨shown when {missing} is there⟩")
    values[step.name] = placeholder(step.name)
    return sample


def _render_example(path: str, template: Template, values: Values, chain: Chain, remarks: dict[str, str]) -> None:
    try:
        template.render(values)
    except RenderError as error:
        missing = _answers_read(template.variables, chain)
        _regard(path, "example", error, values["index"], missing, remarks)


def _regard(path: str, what: str, error: RenderError, index: int, missing: str, remarks: dict[str, str]) -> None:
    """Refuse a template that fails by itself; remark once on one that may lack an answer only."""
    problem = f"{what} cannot be rendered for item {index}: {error}"
    if not missing:
        raise SpecError(path, problem)
    remarks.setdefault(path, f"{path}: not checked: {problem} (with a placeholder for {missing})")


def _answers_read(variables: frozenset[str], chain: Chain) -> str:
    return ", ".join(step.name for step in chain.steps if step.name in variables)


def _example_templates(spec: JobSpec) -> Iterator[tuple[str, Template]]:
    for place, example in enumerate(spec.examples):
        for field, source in (("prompt", example.prompt), ("completion", example.completion)):
            if source is not None:
                yield f"examples[{place}].{field}", compile_template(source)
        for turn, message in enumerate(example.messages or ()):
            yield f"examples[{place}].messages[{turn}].content", compile_template(message.content)
