"""What must hold between the fields of an evaluation before anybody is asked.

Rule of this file: the checks are those of a job's spec; its paths are told as those of the evaluation.
"""

from corpusmill.chain.step import max_tokens
from corpusmill.evaluate.spec import ANSWER, EvaluationSpec
from corpusmill.spec.checks import check_spec
from corpusmill.spec.checks.patterns import check_pattern
from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import Example, JobSpec, Step
from corpusmill.spec.wording import at, hint, quoted

_JUDGE = "judge"
"""How the part of the names of the judge's jobs begins where a model's key stands in the models' own."""


def check_evaluation(spec: EvaluationSpec) -> None:
    """Check a whole evaluation; its documents are not looked at.

    Raises:
        SpecError: for the first thing that is wrong.
    """
    for key in spec.models:
        if key == _JUDGE or key.startswith(f"{_JUDGE}-"):
            raise SpecError(at("models", key), f"the judge's own jobs are called {_JUDGE}; choose another key")
    _check_steps(spec)
    _check_axes(spec)
    _check_judge(spec)
    check_pattern(spec.form, "form")


def _check_steps(spec: EvaluationSpec) -> None:
    """Check templates and expressions as the steps of a job, each of which reads the axes alone."""
    judge = spec.judge
    steps = {"reference": Step(name="tells_what_is_true", prompt="-", when=spec.reference)}
    if judge is not None:
        steps[_JUDGE] = Step(name="tells_what_is_good", prompt=judge.criteria, parameters=judge.parameters)
    steps[""] = Step(name=ANSWER, prompt=spec.prompt, system=spec.system, parameters=spec.parameters)
    example = Example(name=ANSWER, prompt="", completion="{{ answer }}")
    try:
        check_spec(JobSpec(spec.name, spec.space, list(steps.values()), [example], seed=spec.seed))
    except SpecError as error:
        raise SpecError(_place(error.path, list(steps)), error.problem) from None


def _place(path: str, parts: list[str]) -> str:
    """Return where in the evaluation something stands that a job has among its steps."""
    for number, part in enumerate(parts):
        if path.startswith(step := f"steps[{number}]."):
            field = path.removeprefix(step)
            if part == "reference":
                return part
            return f"{part}.{'criteria' if field == 'prompt' else field}" if part else field
    return path


def _check_axes(spec: EvaluationSpec) -> None:
    axes = [*spec.space.axes, *spec.space.documents]
    for field, name in (("cluster", spec.cluster), ("source", spec.source)):
        if name is not None and name not in axes:
            raise SpecError(field, f"there is no axis {quoted(name)}{hint(name, axes)}")


def _check_judge(spec: EvaluationSpec) -> None:
    for path, budget, parameters in (
        ("", spec.budget, spec.parameters),
        *((("judge.", spec.judge.budget, spec.judge.parameters),) if spec.judge is not None else ()),
    ):
        if budget.usd is not None and max_tokens(parameters) is None:
            raise SpecError(f"{path}parameters", "a dollar budget needs max_tokens here")
    judge = spec.judge
    if judge is None:
        return
    if judge.between[0] >= judge.between[1]:
        raise SpecError("judge.between", "the least score comes first, and lies below the greatest")
    if "n" in judge.parameters:
        raise SpecError("judge.parameters.n", "a verdict is asked for once")
    if judge.asks == "preference" and len(spec.models) < 2:
        raise SpecError("judge.asks", "a preference needs two models at least; ask for a score, or name another model")
