"""A job's chain of steps, compiled: prompts from values.

Rule of this file: no state between items. How an item goes through the chain is its walk (`chain.walk`).
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from corpusmill.chain.completion import Prompt
from corpusmill.chain.filters import Checks, compile_checks
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
    checks: Checks
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

    def prompt(self, step: CompiledStep, values: Values, attempt: int, part: int = 0) -> Prompt:
        """Render a step's prompt, and leave the nonce it reads among the values.

        Args:
            step: the step.
            values: what its templates see.
            attempt: how many completions were asked for at this step, and part of it, before.
            part: which of the calls that the step takes.

        Raises:
            RenderError: the template cannot be rendered with these values.
        """
        values["nonce"] = nonce(self.seed, values["index"], attempt, part)
        system = step.system.render(values) if step.system is not None else None
        return Prompt("chat" if step.api == "chat" else "completions", step.prompt.render(values), system)


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
