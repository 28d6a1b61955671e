"""Templates: each compiles, and reads only what is there when it is rendered."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from corpusmill.spec.checks.axes import inline_values
from corpusmill.spec.checks.documents import ATTRIBUTES, missing_option
from corpusmill.spec.checks.names import RESERVED_NAMES
from corpusmill.spec.errors import SpecError, TemplateError
from corpusmill.spec.schema import Axis, Documents, Example, JobSpec, Scalar
from corpusmill.spec.template import AXIS_VALUE_ATTRIBUTES, Expression, Template, compile_expression, compile_template
from corpusmill.spec.wording import hint, quoted

Axes = Mapping[str, list[Scalar] | Axis | Documents]


def check_templates(spec: JobSpec) -> None:
    """Check `where`, the templates of each step, and those of each example.

    Raises:
        SpecError: at the template, with the line where it is malformed.
    """
    axes: Axes = {**spec.space.axes, **spec.space.documents}
    steps = [step.name for step in spec.steps]
    if spec.space.where is not None:
        _check_where(spec.space.where, axes, {*RESERVED_NAMES, *steps})
    for position, step in enumerate(spec.steps):
        for field, source in (("prompt", step.prompt), ("system", step.system)):
            if source is not None:
                _check_step(source, f"steps[{position}].{field}", axes, steps, position)
    for path, source in _example_sources(spec.examples):
        _check_reads(_compile(source, path), path, axes, [*RESERVED_NAMES, *steps])


def _compile(source: str, path: str) -> Template:
    try:
        return compile_template(source)
    except TemplateError as error:
        raise SpecError(path, str(error)) from None


def _check_where(source: str, axes: Axes, others: Collection[str]) -> None:
    path = "space.where"
    try:
        expression = compile_expression(source)
    except TemplateError as error:
        raise SpecError(path, str(error)) from None
    for name in sorted(expression.variables & set(others)):
        raise SpecError(path, f"{quoted(name)} is not an axis: combinations are chosen by their axes alone")
    _check_reads(expression, path, axes, [])


def _check_step(source: str, path: str, axes: Axes, steps: Sequence[str], position: int) -> None:
    template = _compile(source, path)
    if steps[position] in template.variables:
        raise SpecError(path, f"{quoted(steps[position])} is this step itself; a prompt reads the steps before its own")
    for name in steps[position + 1 :]:
        if name in template.variables:
            raise SpecError(path, f"{quoted(name)} is a later step; a prompt reads the steps before its own")
    _check_reads(template, path, axes, [*RESERVED_NAMES, *steps[:position]])


def _example_sources(examples: Sequence[Example]) -> Iterator[tuple[str, str]]:
    for position, example in enumerate(examples):
        for field, source in (("prompt", example.prompt), ("completion", example.completion)):
            if source is not None:
                yield f"examples[{position}].{field}", source
        for turn, message in enumerate(example.messages or ()):
            yield f"examples[{position}].messages[{turn}].content", message.content


def _check_reads(compiled: Template | Expression, path: str, axes: Axes, others: Sequence[str]) -> None:
    """Check the names that a template reads, and what it reads of them."""
    readable = [*axes, *others]
    for name in sorted(compiled.variables - set(readable)):
        raise SpecError(path, f"{quoted(name)} is not defined{hint(name, readable)}")
    for name, attribute in sorted(compiled.attributes):
        read = quoted(f"{name}.{attribute}")
        if name not in axes:
            raise SpecError(path, f"{read} is not defined: {quoted(name)} is plain text")
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
