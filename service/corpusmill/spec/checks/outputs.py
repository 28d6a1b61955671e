"""What a job gives: the form of its examples, the split, and a target that its items can reach."""

from corpusmill.spec.errors import SpecError
from corpusmill.spec.examples import CHOICE, REJECTION, TURN, parts_of
from corpusmill.spec.schema import Example, JobSpec
from corpusmill.spec.template import compile_template
from corpusmill.spec.wording import hint, quoted


def check_outputs(spec: JobSpec) -> None:
    """Check the examples, `split` and `target`.

    Raises:
        SpecError: at the field that is wrong.
    """
    for position, example in enumerate(spec.examples):
        _check_form(example, f"examples[{position}]")
        _check_companions(example, f"examples[{position}]")
    groups = ("item", *spec.space.axes, *spec.space.documents)
    if spec.split is not None and spec.split.by not in groups:
        near = hint(spec.split.by, groups)
        raise SpecError("split.by", f"expected `item` or an axis, got {quoted(spec.split.by)}{near}")
    limit = spec.space.limit
    if spec.target is not None and limit is not None and spec.target.kept > limit:
        raise SpecError("target.kept", f"{spec.target.kept} items cannot be kept of the {limit} of `space.limit`")


def _check_form(example: Example, path: str) -> None:
    """Check that an example has one form, and all of it."""
    chat = example.messages is not None or example.conversation is not None
    preference = example.chosen is not None or example.rejected is not None
    if chat and (example.prompt is not None or example.completion is not None):
        raise SpecError(path, "has both `messages` and `prompt` or `completion`; an example has one form")
    if preference and example.completion is not None:
        raise SpecError(path, "has both `completion` and `chosen` or `rejected`; an example has one form")
    if preference:
        for one, other in ((CHOICE, REJECTION), (REJECTION, CHOICE)):
            if getattr(example, one) is None:
                raise SpecError(f"{path}.{one}", f"missing: {quoted(other)} needs a text that it is compared with")
    if chat:
        _check_chat(example, "user" if preference else "assistant", path)
        return
    asks = example.prompt is not None or example.forms is not None
    if not asks and example.completion is None and not preference:
        raise SpecError(path, "needs `messages`, or `prompt` and `completion`")
    if not preference and example.completion is None:
        raise SpecError(f"{path}.completion", "missing: a `prompt` needs its `completion`")
    if not asks:
        told = CHOICE if preference else "completion"
        raise SpecError(f"{path}.prompt", f'missing: a `{told}` needs its `prompt`, which may be ""')


def _check_chat(example: Example, last: str, path: str) -> None:
    if example.format is not None:
        raise SpecError(f"{path}.format", "is for `prompt` and `completion`; a chat has its template's marks")
    later = [each.role for each in example.messages or () if each.role != "system"]
    if (later or example.conversation is None) and (not later or later[-1] != last):
        ends = (
            "an example ends with the assistant's"
            if last == "assistant"
            else "the texts to choose from follow a user's"
        )
        problem = f"the last message is the {later[-1] if later else 'system'}'s; {ends}"
        raise SpecError(f"{path}.messages", problem)


def _check_companions(example: Example, path: str) -> None:
    if example.each is not None and example.pairs is not None:
        raise SpecError(f"{path}.pairs", "beside `each`; an example has one of them")
    if example.pairs is not None and example.chosen is None:
        raise SpecError(f"{path}.pairs", "is for `chosen` and `rejected`")
    if example.roles is not None and example.conversation is None:
        raise SpecError(f"{path}.roles", "is for `conversation`")
    _check_forms_are_read(example, path)


def _check_forms_are_read(example: Example, path: str) -> None:
    """Check that the form whose turn it is appears somewhere."""
    if example.forms is None or (example.prompt is None and example.messages is None):
        return
    for part in parts_of(example):
        if TURN in part.sees and not part.is_expression and TURN in _variables(part.source):
            return
    raise SpecError(
        f"{path}.forms", f"nothing reads {quoted(TURN)}; leave `prompt` out, or write {{{{ {TURN} }}}} in it"
    )


def _variables(source: str) -> frozenset[str]:
    return compile_template(source).variables
