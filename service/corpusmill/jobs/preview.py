"""The first items of a job as they would be asked: every prompt rendered, nothing called.

Rule of this file: what a step will answer is not known, so a visible placeholder stands for it. A template that fails
without reading any answer is refused; one that reads answers may fail for want of them, and is only remarked on.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from corpusmill.chain.chain import Chain
from corpusmill.chain.completion import Message
from corpusmill.chain.forms import elements
from corpusmill.chain.step import CompiledStep, Each, Fold, Rounds, Values
from corpusmill.jobs.example_preview import ExampleTrial
from corpusmill.jobs.stand_ins import own_stand_ins, placeholder, stand_ins
from corpusmill.space.item import Item
from corpusmill.space.nonce import nonce
from corpusmill.space.space import Space
from corpusmill.spec.errors import RenderError, SpecError
from corpusmill.spec.schema import JobSpec, Step
from corpusmill.spec.steps import choices_name

CHECKED = 100
"""So many items are rendered, to find what fails and to estimate from."""

LOOKED_AT = 100_000
"""Positions looked at for them at most, where `where` excludes nearly everything."""


class SamplePrompt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One prompt of an item, of a step with several the first.

    Attributes:
        system: None where the step has none.
        conversation: the messages between these two.
    """

    step: str
    system: str | None
    prompt: str
    conversation: tuple[Message, ...] = ()


class Sample(msgspec.Struct, frozen=True):
    """One item as it would be asked, a prompt for each step."""

    index: int
    values: dict[str, Any]
    prompts: tuple[SamplePrompt, ...]


class Preview(msgspec.Struct, frozen=True):
    """The rendered items.

    Attributes:
        elements: for steps that go through a list which no answer tells, the lengths of those lists.
        remarks: for people, on what could not be judged yet.
    """

    samples: tuple[Sample, ...]
    elements: dict[str, list[int]]
    remarks: tuple[str, ...]


def preview(spec: JobSpec, space: Space, count: int = CHECKED) -> Preview:
    """Render the first items of a job, at most `count` of them.

    Raises:
        SpecError: a template cannot be rendered for one of them, or `where` cannot be evaluated.
    """
    chain = Chain(spec)
    trials = [ExampleTrial(number, example) for number, example in enumerate(spec.examples)]
    remarks: dict[str, str] = {}
    elements: dict[str, list[int]] = {}
    samples = []
    for item in _first_items(space, count):
        values = chain.values(item)
        prompts = []
        for number, step in enumerate(spec.steps):
            found = _elements(number, chain, values, remarks)
            if found is not None and not _answers_read(_list_read(chain.steps[number]), chain):
                elements.setdefault(step.name, []).append(len(found))
            prompts.append(_render_step(number, step, chain, {**values, "element": _first(found)}, remarks))
            values |= stand_ins(step)
        values["nonce"] = nonce(chain.seed, item.index, 0)
        for fault in (each for trial in trials for each in trial.faults(values)):
            missing = _answers_read(fault.variables, chain)
            _regard(fault.path, "example", fault.error, item.index, missing, remarks)
        samples.append(Sample(item.index, item.values, tuple(prompts)))
    return Preview(tuple(samples), elements, tuple(remarks.values()))


def spread(samples: tuple[Sample, ...], count: int) -> tuple[Sample, ...]:
    """Return `count` of the samples, from the first to the last at even distances."""
    if count >= len(samples):
        return samples
    last = len(samples) - 1
    return tuple(samples[place * last // max(count - 1, 1)] for place in range(count))


def _first_items(space: Space, count: int) -> Iterator[Item]:
    items = (space.item(index) for index in range(min(space.size, LOOKED_AT)))
    return islice(filter(space.keeps, items), count)


def _render_step(number: int, spec: Step, chain: Chain, values: Values, remarks: dict[str, str]) -> SamplePrompt:
    """Render the first prompt of a step."""
    step = chain.steps[number]
    asked = step.form.speakers[0][1] if isinstance(step.form, Rounds) else step
    try:
        prompt = chain.prompt(asked, own_stand_ins(spec) | values, 0)
    except RenderError as error:
        variables = asked.prompt.variables | (asked.system.variables if asked.system is not None else frozenset())
        missing = _answers_read(variables | _list_read(step), chain)
        _regard(f"steps[{number}]", f"step {spec.name}", error, values["index"], missing, remarks)
        return SamplePrompt(spec.name, None, f"⟨shown when {missing} is there⟩")
    return SamplePrompt(spec.name, prompt.system, prompt.text, prompt.history)


def _elements(number: int, chain: Chain, values: Values, remarks: dict[str, str]) -> Sequence[object] | None:
    """Return the list that a step goes through; None where there is none, or none yet."""
    form = chain.steps[number].form
    if not isinstance(form, Each | Fold):
        return None
    try:
        return elements(form, values)
    except RenderError as error:
        missing = _answers_read(form.elements.variables, chain)
        _regard(f"steps[{number}]", "the list of its elements", error, values["index"], missing, remarks)
        return None


def _list_read(step: CompiledStep) -> frozenset[str]:
    return step.form.elements.variables if isinstance(step.form, Each | Fold) else frozenset()


def _first(elements: Sequence[object] | None) -> object:
    return elements[0] if elements else placeholder("element")


def _regard(path: str, what: str, error: RenderError, index: int, missing: str, remarks: dict[str, str]) -> None:
    """Refuse a template that fails by itself; remark once on one that may lack an answer only."""
    problem = f"{what} cannot be rendered for item {index}: {error}"
    if not missing:
        raise SpecError(path, problem)
    remarks.setdefault(path, f"{path}: not checked: {problem} (with a placeholder for {missing})")


def _answers_read(variables: frozenset[str], chain: Chain) -> str:
    return ", ".join(step.name for step in chain.steps if variables & {step.name, choices_name(step.name)})
