"""Templates: each compiles, and reads only what is there when it is rendered."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from corpusmill.spec.checks.axes import inline_values
from corpusmill.spec.checks.documents import ATTRIBUTES, missing_option
from corpusmill.spec.checks.names import RESERVED_NAMES
from corpusmill.spec.errors import SpecError, TemplateError
from corpusmill.spec.examples import ELEMENTS, PAIRS, TURN, parts_of
from corpusmill.spec.schema import Axis, Documents, JobSpec, Scalar, Step
from corpusmill.spec.steps import ROUNDS, output_kind, output_names, own_names
from corpusmill.spec.template import AXIS_VALUE_ATTRIBUTES, Expression, Template, compile_expression, compile_template
from corpusmill.spec.wording import hint, quoted

Axes = Mapping[str, list[Scalar] | Axis | Documents]
Kinds = Mapping[str, str | None]
"""Name -> what it is, where nothing can be read of it with a dot; else None."""

_OWN: Kinds = {**dict.fromkeys((*ELEMENTS, *PAIRS)), "position": "a number", TURN: "plain text"}
"""What the templates of an example alone see."""

_EVERYWHERE: Kinds = dict.fromkeys(RESERVED_NAMES, "plain text")


def check_templates(spec: JobSpec) -> None:
    """Check `where`, the templates of each step, and those of each example.

    Raises:
        SpecError: at the template, with the line where it is malformed.
    """
    axes: Axes = {**spec.space.axes, **spec.space.documents}
    steps = [step.name for step in spec.steps]
    if spec.space.where is not None:
        _check_where(spec.space.where, axes, {*RESERVED_NAMES, *steps})
    for number in range(len(steps)):
        _check_step(spec, number, axes)
    outputs = _outputs(spec.steps)
    for number, example in enumerate(spec.examples):
        for part in parts_of(example):
            path = f"examples[{number}].{part.path}"
            compiled = (_compile_expression if part.is_expression else _compile)(part.source, path)
            _check_reads(compiled, path, axes, {**_EVERYWHERE, **outputs, **{name: _OWN[name] for name in part.sees}})


def _check_step(spec: JobSpec, number: int, axes: Axes) -> None:
    """Check the templates of one step, and what decides on it before its prompt is made."""
    outputs = _outputs(spec.steps[:number])
    own = dict.fromkeys(own_names(spec.steps, number))
    before = {**dict.fromkeys(("index", "draw"), "a number"), **outputs}
    later = [each.name for each in spec.steps[number:]]
    for path, source in _step_sources(spec.steps[number], f"steps[{number}]"):
        _check_order(template := _compile(source, path), path, later)
        _check_reads(template, path, axes, {**_EVERYWHERE, **outputs, **own})
    for path, compiled, seen in _step_decisions(spec.steps[number], f"steps[{number}]"):
        _check_order(compiled, path, later)
        _check_reads(compiled, path, axes, {**before, **dict.fromkeys(seen)})


def _outputs(steps: Sequence[Step]) -> Kinds:
    """Return what templates see of steps, and what each of it is."""
    kinds = {step.name: output_kind(step) for step in steps}
    return {name: kinds[step.name] for step in steps for name in output_names(step)}


def _step_sources(step: Step, path: str) -> Iterator[tuple[str, str]]:
    yield f"{path}.prompt", step.prompt
    if step.system is not None:
        yield f"{path}.system", step.system
    for place, speaker in enumerate(step.rounds.speakers if step.rounds is not None else ()):
        if speaker.system is not None:
            yield f"{path}.rounds.speakers[{place}].system", speaker.system


def _step_decisions(step: Step, path: str) -> Iterator[tuple[str, Template | Expression, tuple[str, ...]]]:
    """Return the step's expressions, and the template of `otherwise`, each with the names that it alone sees."""
    for name in ("when", "each", "fold", "conversation"):
        source = getattr(step, name)
        if source is not None:
            yield f"{path}.{name}", _compile_expression(source, f"{path}.{name}"), ()
    if step.rounds is not None and step.rounds.until is not None:
        yield f"{path}.rounds.until", _compile_expression(step.rounds.until, f"{path}.rounds.until"), ROUNDS
    if isinstance(step.otherwise, str):
        yield f"{path}.otherwise", _compile(step.otherwise, f"{path}.otherwise"), ()


def _compile(source: str, path: str) -> Template:
    try:
        return compile_template(source)
    except TemplateError as error:
        raise SpecError(path, str(error)) from None


def _compile_expression(source: str, path: str) -> Expression:
    try:
        return compile_expression(source)
    except TemplateError as error:
        raise SpecError(path, str(error)) from None


def _check_where(source: str, axes: Axes, others: Collection[str]) -> None:
    path = "space.where"
    expression = _compile_expression(source, path)
    for name in sorted(expression.variables & set(others)):
        raise SpecError(path, f"{quoted(name)} is not an axis: combinations are chosen by their axes alone")
    _check_reads(expression, path, axes, {})


def _check_order(compiled: Template | Expression, path: str, later: Sequence[str]) -> None:
    """Check that a step reads what is there: neither itself, the first of `later`, nor the steps behind it."""
    for name in later:
        if name in compiled.variables:
            which = "this step itself" if name == later[0] else "a later step"
            raise SpecError(path, f"{quoted(name)} is {which}; a prompt reads the steps before its own")


def _check_reads(compiled: Template | Expression, path: str, axes: Axes, others: Kinds) -> None:
    """Check the names that a template reads, and what it reads of them."""
    readable = [*axes, *others]
    for name in sorted(compiled.variables - set(readable)):
        raise SpecError(path, f"{quoted(name)} is not defined{hint(name, readable)}")
    for name, attribute in sorted(compiled.attributes):
        read = quoted(f"{name}.{attribute}")
        if name not in axes:
            if (kind := others[name]) is not None:
                raise SpecError(path, f"{read} is not defined: {quoted(name)} is {kind}")
            continue
        axis = axes[name]
        if isinstance(axis, Documents):
            _check_document_read(axis, attribute, read, path)
            continue
        if attribute not in AXIS_VALUE_ATTRIBUTES:
            raise SpecError(path, f"{read} is not defined{hint(attribute, AXIS_VALUE_ATTRIBUTES)}")
        for value in inline_values(axis):
            if not isinstance(value, str) or ": " not in value:
                raise SpecError(
                    path, f"{read} needs values such as `label: definition`, but {quoted(str(value))} has no `: `"
                )


def _check_document_read(documents: Documents, attribute: str, read: str, path: str) -> None:
    if attribute not in ATTRIBUTES:
        raise SpecError(path, f"{read} is not defined{hint(attribute, ATTRIBUTES)}")
    if (problem := missing_option(documents, attribute)) is not None:
        raise SpecError(path, f"{read} has no meaning: {problem}")
