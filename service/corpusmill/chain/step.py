"""The steps of a job, compiled: templates, expressions, checks and parsers, ready to use.

Rule of this file: no state between items, and nothing that depends on one.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from corpusmill.chain.filters import Checks, compile_checks
from corpusmill.chain.parsers import Parser, compile_parser
from corpusmill.chain.structured import with_schema
from corpusmill.spec import schema
from corpusmill.spec.schema import JobSpec, Speaker, Step
from corpusmill.spec.steps import choices, composed, goes_back_to, repeats
from corpusmill.spec.template import Expression, Template, compile_expression, compile_template
from corpusmill.text.clean import Transform, compile_clean

Values = dict[str, Any]
"""What templates see: axis values, outputs of earlier steps, `nonce`, `index`, `draw`."""


class Each(msgspec.Struct, frozen=True):
    """A step for each element of a list, side by side."""

    elements: Expression
    require_all: bool


class Fold(msgspec.Struct, frozen=True):
    """A step for one element of a list after the other."""

    elements: Expression


class TopUp(msgspec.Struct, frozen=True):
    """A step that is asked until its list is long enough."""

    items: int
    calls: int


class Rounds(msgspec.Struct, frozen=True):
    """A step that is a dialogue."""

    turns: int
    speakers: "tuple[tuple[str, CompiledStep], ...]"
    until: Expression | None
    told: bool


Form = Each | Fold | TopUp | Rounds


class CompiledStep(msgspec.Struct, frozen=True):
    """One step, ready to use.

    Attributes:
        form: None for a step that is one prompt.
        structured: whether the endpoint is told of a schema that the spec's own parameters do not have.
        tries: how many completions are asked for in one visit, until one passes.
        visits: how often the chain comes to the step at most, because its filters reject.
        back_to: the number of the step from which the chain goes on when they do.
        repeats: whether its templates see what came of the asks before.
        choices: how many completions one call gives (`parameters.n`).
        when: where this is false, the step is left out, and `otherwise` gives its output.
    """

    name: str
    model: str
    api: str
    parameters: dict[str, Any]
    structured: bool
    prompt: Template
    system: Template | None
    conversation: Expression | None
    clean: Transform | None
    parse: Parser | None
    checks: Checks
    form: Form | None
    tries: int
    visits: int
    back_to: int | None
    repeats: bool
    choices: int
    when: Expression | None
    otherwise: Callable[[Mapping[str, object]], object]


def compile_steps(spec: JobSpec) -> tuple[CompiledStep, ...]:
    """Return the steps of a checked spec."""
    return tuple(_compile_step(spec, number, step) for number, step in enumerate(spec.steps))


def callees(steps: tuple[CompiledStep, ...]) -> tuple[CompiledStep, ...]:
    """Return what is called: the steps, and the speakers of those that are dialogues."""
    speakers = (each for step in steps if isinstance(step.form, Rounds) for _, each in step.form.speakers)
    return (*(step for step in steps if not isinstance(step.form, Rounds)), *speakers)


def _compile_step(spec: JobSpec, number: int, step: Step) -> CompiledStep:
    back_to = goes_back_to(spec.steps, number)
    plain = CompiledStep(
        name=step.name,
        model=step.model,
        api=step.api,
        parameters=with_schema(step),
        structured=with_schema(step) is not step.parameters,
        prompt=compile_template(step.prompt),
        system=compile_template(step.system) if step.system is not None else None,
        conversation=compile_expression(step.conversation) if step.conversation is not None else None,
        clean=compile_clean(step.clean) if step.clean is not None else None,
        parse=compile_parser(step),
        checks=compile_checks(spec.filters, step.name),
        form=_form(step),
        tries=1 if back_to is not None or composed(step) else step.attempts,
        visits=step.attempts if back_to is not None else 1,
        back_to=back_to,
        repeats=repeats(spec.steps, number),
        choices=choices(step),
        when=compile_expression(step.when) if step.when is not None else None,
        otherwise=_constant(step.otherwise),
    )
    return plain if step.rounds is None else _with_speakers(plain, step.rounds)


def _form(step: Step) -> Form | None:
    if step.each is not None:
        return Each(compile_expression(step.each), step.require == "all")
    if step.fold is not None:
        return Fold(compile_expression(step.fold))
    return TopUp(step.top_up.items, step.top_up.calls) if step.top_up is not None else None


def _with_speakers(plain: CompiledStep, rounds: schema.Rounds) -> CompiledStep:
    speakers = tuple((speaker.name, _speaker(plain, speaker)) for speaker in rounds.speakers)
    until = compile_expression(rounds.until) if rounds.until is not None else None
    told = "history" in plain.prompt.variables
    return msgspec.structs.replace(plain, form=Rounds(rounds.turns, speakers, until, told))


def _speaker(plain: CompiledStep, speaker: Speaker) -> CompiledStep:
    system = compile_template(speaker.system) if speaker.system is not None else plain.system
    name = f"{plain.name}/{speaker.name}"
    return msgspec.structs.replace(plain, name=name, model=speaker.model or plain.model, system=system)


def _constant(otherwise: object) -> Callable[[Mapping[str, object]], object]:
    return compile_template(otherwise).render if isinstance(otherwise, str) else lambda _: otherwise


def max_tokens(parameters: Mapping[str, Any]) -> int | None:
    """Return the bound on a completion's tokens that a step's parameters set, if they do."""
    for name in ("max_completion_tokens", "max_tokens"):
        if isinstance(bound := parameters.get(name), int):
            return bound
    return None
