"""Sampling parameters: sent as they are, except for those that the engine sets itself or could not follow."""

from collections.abc import Sequence

from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import Step
from corpusmill.spec.wording import at, described

MAX_CHOICES = 128
"""How many completions one call may ask for (`n`): the bound that OpenAI's API reference gives."""

_REFUSED = {
    "model": "the engine sets it, from the step's `model`",
    "messages": "the engine sets it, from `prompt` and `system`",
    "prompt": "the engine sets it, from the step's `prompt`",
    "stream": "streams are not read",
    "stream_options": "streams are not read",
}
_AT_LEAST = {"n": 1, "max_tokens": 1, "max_completion_tokens": 1, "temperature": 0, "top_p": 0}
_INTEGERS = ("n", "max_tokens", "max_completion_tokens")
_AT_MOST = {"n": MAX_CHOICES, "top_p": 1}


def check_parameters(steps: Sequence[Step]) -> None:
    """Check the parameters of each step.

    Raises:
        SpecError: a parameter is set by the engine, or out of the range that any endpoint would take.
    """
    for position, step in enumerate(steps):
        for name, value in step.parameters.items():
            path = at(f"steps[{position}].parameters", name)
            if name in _REFUSED:
                raise SpecError(path, f"cannot be set: {_REFUSED[name]}")
            _check_range(name, value, path)


def _check_range(name: str, value: object, path: str) -> None:
    if name not in _AT_LEAST:
        return
    kinds, words = (int, "an integer") if name in _INTEGERS else (int | float, "a number")
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise SpecError(path, f"expected {words}, got {described(value)}")
    if value < _AT_LEAST[name]:
        raise SpecError(path, f"expected at least {_AT_LEAST[name]}, got {value}")
    if name in _AT_MOST and value > _AT_MOST[name]:
        raise SpecError(path, f"expected at most {_AT_MOST[name]}, got {value}")
