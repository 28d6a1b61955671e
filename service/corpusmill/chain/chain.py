"""A job's chain of steps, compiled: prompts from values, judgement of what comes back.

Rule of this file: no state between items. A chain is asked by whoever carries an item; it neither calls nor waits.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from corpusmill.chain.completion import Choice, Completion, Prompt
from corpusmill.chain.filters import Check, Rejection, compile_checks, first_rejection
from corpusmill.space.item import Item
from corpusmill.space.nonce import nonce
from corpusmill.spec.schema import JobSpec, Step
from corpusmill.spec.template import Template, compile_template

Values = dict[str, Any]
"""What templates see: axis values, outputs of earlier steps, `nonce`, `index`, `draw`."""


class CompiledStep(msgspec.Struct, frozen=True):
    """One step, ready to use. `choices` is how many completions one call gives (`parameters.n`)."""

    name: str
    model: str
    api: str
    parameters: dict[str, Any]
    prompt: Template
    system: Template | None
    checks: tuple[Check, ...]
    attempts: int
    choices: int


class Chain:
    """The steps of a job, in order."""

    def __init__(self, spec: JobSpec) -> None:
        self.seed = spec.seed
        self.steps = tuple(_compile_step(spec, step) for step in spec.steps)

    def values(self, item: Item) -> Values:
        """Return what the templates of an item see before its first step."""
        return {**item.values, "index": item.index, "draw": item.draw}

    def prompt(self, step: CompiledStep, values: Values, attempt: int) -> Prompt:
        """Render a step's prompt; `attempt` counts the completions asked for at this step, from 0.

        Raises:
            RenderError: the template cannot be rendered with these values.
        """
        values["nonce"] = nonce(self.seed, values["index"], attempt)
        system = step.system.render(values) if step.system is not None else None
        return Prompt("chat" if step.api == "chat" else "completions", step.prompt.render(values), system)

    def trimmed(self, completion: Completion) -> list[Choice]:
        """Return the completion's choices as later steps see them: without white space around their texts."""
        return [Choice(choice.text.strip(), choice.finish_reason) for choice in completion.choices]

    def judge(self, step: CompiledStep, choice: Choice) -> Rejection | None:
        """Return why the choice, with its text trimmed, does not pass the step's filters, or None if it does."""
        return first_rejection(step.checks, choice)


def _compile_step(spec: JobSpec, step: Step) -> CompiledStep:
    return CompiledStep(
        name=step.name,
        model=step.model,
        api=step.api,
        parameters=step.parameters,
        prompt=compile_template(step.prompt),
        system=compile_template(step.system) if step.system is not None else None,
        checks=compile_checks(spec.filters, step.name),
        attempts=step.attempts,
        choices=int(step.parameters.get("n", 1)),
    )


def max_tokens(parameters: Mapping[str, Any]) -> int | None:
    """Return the bound on a completion's tokens that a step's parameters set, if they do."""
    for name in ("max_completion_tokens", "max_tokens"):
        if isinstance(bound := parameters.get(name), int):
            return bound
    return None
