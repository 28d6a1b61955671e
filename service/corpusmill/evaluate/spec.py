"""What an evaluation is: held-out items, what is asked about them, who is asked, what is true, and who judges.

Rule of this file: what a job's spec has a word for has the same word here.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from corpusmill.spec.schema import Budget, Documents, Example, JobSpec, Limits, SpaceSpec, Step
from corpusmill.spec.schema.steps import ExpressionText, ModelAlias, Prompt, System
from corpusmill.spec.schema.words import Identifier, JobName, Positive, Share, Strict

ANSWER = "answer"
"""The step, and the example, of the jobs that ask the models."""

ModelKey = Annotated[JobName, Meta(max_length=16)]
"""Short, as it is part of the names of jobs."""


class Finetuned(Strict, frozen=True):
    """The last model that came of training on a job's corpus."""

    finetuned: JobName


class Judge(Strict, frozen=True):
    """A model that says which answers are better.

    Attributes:
        model: its alias or upstream name.
        criteria: a template over the item's axes: what makes an answer a good one.
        asks: for a `preference` between the answers of each model and the baseline's, each pair in both orders; or for
            a `score` of each answer.
        between: the least and the greatest score.
        draws: so many draws of each item are judged.
        parameters: sent as they are.
        structured: whether the endpoint is sent the form of the verdict as `response_format`.
        budget: for all that the judge is asked about one model.
    """

    model: ModelAlias
    criteria: Prompt
    asks: Literal["preference", "score"] = "preference"
    between: Annotated[list[int], Meta(min_length=2, max_length=2)] = msgspec.field(default_factory=lambda: [1, 10])
    draws: Positive = 1
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    structured: bool = True
    budget: Budget = Budget()


class EvaluationSpec(Strict, frozen=True):
    """An evaluation.

    Attributes:
        name: of the evaluation; its jobs are called by it and a model's key.
        space: the held-out items, as in a job; `draws` asks each of them several times.
        prompt, system, parameters: what each model is asked; `n` among the parameters gives several draws in one call.
        models: key -> model alias or upstream name, or the outcome of a `finetune`; the first is the baseline.
        reference: an expression that gives the list of what is true of an item.
        source: the axis or document in whose text all that is listed must stand; None: nothing is asked of that.
        cluster: the axis whose values are independent of each other; all answers about one of them stand together.
        trained_on: jobs on whose training side no item of this evaluation may be, beside those that models come of.
        judge: who says which answers are better, beside what is true.
        none: what an answer says where it found nothing.
        form: a regular expression that every line of a well-formed answer matches.
        match: the least share of common words of two items that are one, where the words of one contain the other's.
    """

    name: Annotated[JobName, Meta(max_length=40)]
    space: SpaceSpec
    prompt: Prompt
    models: Annotated[dict[ModelKey, ModelAlias | Finetuned], Meta(min_length=1, max_length=10)]
    reference: ExpressionText
    cluster: Identifier
    source: Identifier | None = None
    trained_on: list[JobName] = msgspec.field(default_factory=list)
    judge: Judge | None = None
    system: System | None = None
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    none: str = "None found"
    form: str = r"[-*] \S.*"
    match: Share | Annotated[int, Meta(ge=1, le=1)] = 0.5
    seed: int = 0
    limits: Limits = Limits()
    budget: Budget = Budget()

    @property
    def documents(self) -> dict[str, Documents]:
        """The held-out documents, by axis."""
        return self.space.documents

    @property
    def training_jobs(self) -> list[str]:
        """The jobs that models come of, and those that are named beside them; each once."""
        made = [model.finetuned for model in self.models.values() if isinstance(model, Finetuned)]
        return list(dict.fromkeys([*self.trained_on, *made]))


def job_of(spec: EvaluationSpec, key: str, model: str) -> JobSpec:
    """Return the job that asks one model; its records tell the answer of each draw."""
    return JobSpec(
        name=f"{spec.name}-{key}",
        seed=spec.seed,
        space=spec.space,
        steps=[Step(name=ANSWER, prompt=spec.prompt, system=spec.system, parameters=spec.parameters, model=model)],
        examples=[Example(name=ANSWER, prompt="", completion="{{ answer }}")],
        limits=spec.limits,
        budget=spec.budget,
    )
