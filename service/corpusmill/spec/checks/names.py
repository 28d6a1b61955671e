"""Names: each stands for one thing only, since templates read all of them alike."""

from collections.abc import Iterable

from corpusmill.spec.errors import SpecError
from corpusmill.spec.examples import own_names as own_names_of_example
from corpusmill.spec.schema import JobSpec
from corpusmill.spec.steps import output_names, own_names
from corpusmill.spec.wording import at, quoted

RESERVED_NAMES = ("nonce", "index", "draw")
"""What every template may read beside axes and outputs."""
_TEMPLATE_WORDS = ("and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None")
_TEMPLATE_NAMES = ("loop", "range")


def check_names(spec: JobSpec) -> None:
    """Check that no two things have one name, and that no name means something else in a template.

    Raises:
        SpecError: at the name that is taken.
    """
    for axis in spec.space.axes:
        _check_free(axis, at("space.axes", axis))
    for name in spec.space.documents:
        _check_free(name, at("space.documents", name))
    _check_different((step.name for step in spec.steps), "steps")
    for position, step in enumerate(spec.steps):
        path = f"steps[{position}].name"
        _check_free(step.name, path)
        if step.name in (*spec.space.axes, *spec.space.documents):
            raise SpecError(path, f"{quoted(step.name)} is the name of an axis; choose another")
    _check_own_names(spec)
    _check_different((example.name for example in spec.examples), "examples")


def _check_own_names(spec: JobSpec) -> None:
    """Check that what a step's own templates see, or its choices are called, is the name of nothing else."""
    taken = {axis: at("space.axes", axis) for axis in spec.space.axes}
    taken |= {name: at("space.documents", name) for name in spec.space.documents}
    taken |= {step.name: f"steps[{number}].name" for number, step in enumerate(spec.steps)}
    for number, step in enumerate(spec.steps):
        for name in (*own_names(spec.steps, number), *output_names(step)[1:]):
            if name in taken:
                raise SpecError(taken[name], f"{quoted(name)} means something to steps[{number}]; choose another name")
    for number, example in enumerate(spec.examples):
        for name in own_names_of_example(example):
            if name in taken:
                raise SpecError(
                    taken[name], f"{quoted(name)} means something to examples[{number}]; choose another name"
                )


def _check_free(name: str, path: str) -> None:
    if name in RESERVED_NAMES:
        raise SpecError(path, f"{quoted(name)} is reserved: every template can read it already; choose another name")
    if name in _TEMPLATE_WORDS or name in _TEMPLATE_NAMES:
        raise SpecError(path, f"{quoted(name)} is a word of the template language; choose another name")


def _check_different(names: Iterable[str], path: str) -> None:
    first: dict[str, int] = {}
    for position, name in enumerate(names):
        if first.setdefault(name, position) != position:
            raise SpecError(f"{path}[{position}].name", f"{quoted(name)} is the name of {path}[{first[name]}] already")
