"""Steps: their parts fit together, and what one key asks for another does not forbid."""

from collections.abc import Sequence

from corpusmill.spec.checks.patterns import check_cleaning
from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import JobSpec, Step
from corpusmill.spec.schemas import compile_schema
from corpusmill.spec.steps import choices, goes_back_to
from corpusmill.spec.wording import hint, listed, quoted

_FORMS = ("each", "fold", "top_up", "rounds")
_LISTS = ("lines", "list")


def check_steps(spec: JobSpec) -> None:
    """Check each step by itself, then what goes back to another.

    Raises:
        SpecError: at the field that is wrong.
    """
    for number, step in enumerate(spec.steps):
        path = f"steps[{number}]"
        check_cleaning(step.clean, f"{path}.clean")
        _check_parse(step, path)
        _check_form(step, path)
        _check_companions(step, path)
        _check_loop(spec, number, path)


def _check_parse(step: Step, path: str) -> None:
    if step.schema is not None:
        if step.parse != "json":
            raise SpecError(f"{path}.schema", "is for `parse: json`")
        try:
            compile_schema(step.schema)
        except SpecError as error:
            raise SpecError(f"{path}.schema", error.problem) from None
    if step.between is not None:
        if step.parse != "number":
            raise SpecError(f"{path}.between", "is for `parse: number`")
        if step.between[0] > step.between[1]:
            raise SpecError(f"{path}.between", "the least comes first: nothing would be kept")


def _check_form(step: Step, path: str) -> None:
    forms = [name for name in _FORMS if getattr(step, name) is not None]
    if len(forms) > 1:
        raise SpecError(f"{path}.{forms[1]}", f"beside {quoted(forms[0])}; a step has one of {listed(_FORMS)}")
    if forms and choices(step) > 1:
        raise SpecError(f"{path}.parameters.n", f"with {quoted(forms[0])}, a call gives one completion")
    if step.top_up is not None and step.parse not in _LISTS:
        raise SpecError(f"{path}.top_up", f"needs a list: `parse` is one of {listed(_LISTS)}")
    if step.rounds is not None:
        _check_rounds(step, f"{path}.rounds")


def _check_rounds(step: Step, path: str) -> None:
    if step.rounds is None:
        return
    if step.parse != "text":
        raise SpecError(f"{path}", "the turns are the output as they are; `parse` is not for a dialogue between models")
    seen: set[str] = set()
    for place, speaker in enumerate(step.rounds.speakers):
        if speaker.name in seen:
            raise SpecError(f"{path}.speakers[{place}].name", f"{quoted(speaker.name)} speaks already")
        seen.add(speaker.name)


def _check_companions(step: Step, path: str) -> None:
    if step.require == "all" and step.each is None:
        raise SpecError(f"{path}.require", "is for `each`")
    if step.conversation is not None and step.api != "chat":
        raise SpecError(f"{path}.conversation", "a completion's prompt is one text; messages are for `api: chat`")
    if step.conversation is not None and step.rounds is not None:
        raise SpecError(f"{path}.conversation", "is made by the `rounds` of a dialogue")
    if step.otherwise != "" and step.when is None:
        raise SpecError(f"{path}.otherwise", "is the output where `when` is false, and there is no `when`")


def _check_loop(spec: JobSpec, number: int, path: str) -> None:
    step = spec.steps[number]
    if step.back_to is not None:
        _check_target(step.back_to, [each.name for each in spec.steps], number, f"{path}.back_to")
        if step.attempts == 1:
            raise SpecError(f"{path}.back_to", "goes back nowhere with one attempt; give the step more `attempts`")
    judged = step.parse != "text" or any(each.of == step.name for each in spec.filters)
    if goes_back_to(spec.steps, number) is not None and not judged:
        raise SpecError(f"{path}.attempts", f"no filter is of {quoted(step.name)}, so nothing is ever asked again")


def _check_target(name: str, steps: Sequence[str], number: int, path: str) -> None:
    if name not in steps:
        raise SpecError(path, f"there is no step {quoted(name)}{hint(name, steps)}")
    if steps.index(name) >= number and name != steps[number]:
        raise SpecError(path, f"{quoted(name)} is a later step; a chain goes back to an earlier one, or to the same")
