"""What a job gives: the form of its examples, the split, and a target that its items can reach."""

from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import Example, JobSpec
from corpusmill.spec.wording import hint, quoted


def check_outputs(spec: JobSpec) -> None:
    """Check the examples, `split` and `target`.

    Raises:
        SpecError: at the field that is wrong.
    """
    for position, example in enumerate(spec.examples):
        _check_form(example, f"examples[{position}]")
    groups = ("item", *spec.space.axes, *spec.space.documents)
    if spec.split is not None and spec.split.by not in groups:
        near = hint(spec.split.by, groups)
        raise SpecError("split.by", f"expected `item` or an axis, got {quoted(spec.split.by)}{near}")
    limit = spec.space.limit
    if spec.target is not None and limit is not None and spec.target.kept > limit:
        raise SpecError("target.kept", f"{spec.target.kept} items cannot be kept of the {limit} of `space.limit`")


def _check_form(example: Example, path: str) -> None:
    if example.messages is not None:
        if example.prompt is not None or example.completion is not None:
            raise SpecError(path, "has both `messages` and `prompt` or `completion`; an example has one form")
        if example.messages[-1].role != "assistant":
            problem = f"the last message is the {example.messages[-1].role}'s; an example ends with the assistant's"
            raise SpecError(f"{path}.messages", problem)
    elif example.prompt is None and example.completion is None:
        raise SpecError(path, "needs `messages`, or `prompt` and `completion`")
    elif example.completion is None:
        raise SpecError(f"{path}.completion", "missing: a `prompt` needs its `completion`")
    elif example.prompt is None:
        raise SpecError(f"{path}.prompt", 'missing: a `completion` needs its `prompt`, which may be ""')
