"""What an evaluation is: held-out items, what is asked about them, who is asked, and what is true.

Rule of this file: what a job's spec has a word for has the same word here.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from corpusmill.spec.schema import Budget, Documents, Example, JobSpec, Limits, SpaceSpec, Step
from corpusmill.spec.schema.steps import ExpressionText, ModelAlias, Prompt, System
from corpusmill.spec.schema.words import Identifier, JobName, Share, Strict

ANSWER = "answer"
"""The step, and the example, of the jobs that ask the models."""

_NAME_CHARS = 63


class Finetuned(Strict, frozen=True):
    """The last model that came of training on a job's corpus."""

    finetuned: JobName


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
        trained_on: jobs on whose training side no document of this evaluation may be.
        none: what an answer says where it found nothing.
        form: a regular expression that every line of a well-formed answer matches.
        match: the least share of common words of two items that are one, where the words of one contain the other's.
    """

    name: Annotated[JobName, Meta(max_length=40)]
    space: SpaceSpec
    prompt: Prompt
    models: Annotated[dict[JobName, ModelAlias | Finetuned], Meta(min_length=1, max_length=10)]
    reference: ExpressionText
    cluster: Identifier
    source: Identifier | None = None
    trained_on: list[JobName] = msgspec.field(default_factory=list)
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


def job_of(spec: EvaluationSpec, key: str, model: str) -> JobSpec:
    """Return the job that asks one model; its records tell the truth, the source and the answer of each draw."""
    source = f"{spec.source} | string" if spec.source else "''"
    return JobSpec(
        name=f"{spec.name}-{key}"[:_NAME_CHARS],
        seed=spec.seed,
        space=spec.space,
        steps=[
            Step(name=ANSWER, prompt=spec.prompt, system=spec.system, parameters=spec.parameters, model=model),
        ],
        examples=[
            Example(
                name=ANSWER,
                prompt="{{ [" + f"({spec.reference}), ({source}), ({spec.cluster} | string)" + "] | tojson }}",
                completion="{{ answer }}",
            )
        ],
        limits=spec.limits,
        budget=spec.budget,
    )
