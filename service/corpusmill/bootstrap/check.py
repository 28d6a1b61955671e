"""Asks endpoints whether a job could run there: do they answer, take the key, have the models, and answer a small call.

Rule of this file: what is wrong is a finding and no exception, so that one look tells all there is to mend.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from corpusmill.bootstrap.line import Line, opened
from corpusmill.bootstrap.switchboard import UNBOUNDED, configured_prices
from corpusmill.bootstrap.target import DEFAULT, Target, Upstream, UpstreamError
from corpusmill.chain.completion import Prompt
from corpusmill.config import ConfigError, EndpointConfig, endpoint_key
from corpusmill.endpoint.client import Answer, CallRequest
from corpusmill.endpoint.errors import EndpointConfigError, PriceConfigError
from corpusmill.endpoint.failures import Failure, FailureKind
from corpusmill.endpoint.prices import resolve_prices
from corpusmill.spec.schema import JobSpec
from corpusmill.spec.steps import aliases

PROMPT: Final = 'Reply with this JSON and nothing else: {"ready": true}'
"""It asks for JSON because a step's parameters may, and then some servers want the word in the prompt."""

MOST_OUTPUT_TOKENS: Final = 16
DEADLINE_SECONDS: Final = 120.0
"""A server that loads its model for the first call may take a minute."""

BOUNDS: Final = ("max_completion_tokens", "max_tokens")

UNTRIED: Final = "not tried, for its endpoint cannot be used"

ADVICE: Final[Mapping[FailureKind, str]] = {
    FailureKind.CONNECT: "check the base URL, the network and the proxy",
    FailureKind.RESET: "check what stands between here and the endpoint: a proxy, a gateway",
    FailureKind.TIMEOUT: "the server may be loading the model, or be full; try again, and look at the server",
    FailureKind.SERVER_ERROR: "look at the server's log, or try again later",
    FailureKind.OVERLOADED: "the server is full; a run waits and goes on by itself",
    FailureKind.SLOW_DOWN: "the server asks for fewer calls; a run slows down by itself",
    FailureKind.RATE_LIMITED: "somebody else uses the key's limits at present; a run waits and goes on by itself",
    FailureKind.QUOTA_EXHAUSTED: "the account may not spend any more: add credit, or raise its limit, at the provider",
    FailureKind.REQUEST_TOO_LARGE: "the model takes less than this call of some 20 tokens: check its context length",
    FailureKind.BAD_REQUEST: "the model does not take the step's `parameters` or its `api`: change them in the spec",
    FailureKind.UNAUTHORIZED: "the key may list models and not call this one: check its project and permissions",
    FailureKind.MODEL_NOT_FOUND: "check the model's name, and whether the key's account has access to it",
    FailureKind.MALFORMED: "this is no OpenAI-compatible API: check the base URL, it usually ends in /v1",
    FailureKind.EMPTY_CHOICE: "the model answers with nothing: check the chat template of the server",
}
"""What to do where a call failed, by kind of failure."""

ELSEWHERE: Final = "nothing is at this address: check the base URL, it usually ends in /v1"


class Trial(msgspec.Struct, frozen=True):
    """A model to try: by its alias, in the way a step calls it."""

    alias: str
    api: Literal["chat", "completions"] = "chat"
    parameters: dict[str, Any] = {}


class EndpointFinding(msgspec.Struct, frozen=True):
    """How an endpoint does.

    Attributes:
        models: how many it lists; None where it lists none or was not reached.
        problem: what is wrong and what to do; None if nothing is.
    """

    name: str
    base_url: str
    models: int | None = None
    problem: str | None = None


class ModelFinding(msgspec.Struct, frozen=True, kw_only=True):
    """How a model does at an endpoint.

    Attributes:
        model: its name there; None where that is not known.
        seconds, input_tokens, output_tokens: of the small call; None where there was no answer, or no usage in it.
        priced: whether its price is known.
        problem: what is wrong and what to do; None if nothing is.
    """

    alias: str
    endpoint: str
    model: str | None = None
    seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    priced: bool | None = None
    problem: str | None = None


class Findings(msgspec.Struct, frozen=True):
    """What was found of all endpoints and models."""

    endpoints: list[EndpointFinding]
    models: list[ModelFinding]

    @property
    def problems(self) -> int:
        """How many of them cannot be used."""
        problems = [endpoint.problem for endpoint in self.endpoints] + [model.problem for model in self.models]
        return sum(problem is not None for problem in problems)


def trials_of(spec: JobSpec | None, upstream: Upstream) -> list[Trial]:
    """Return what to try: each model of a spec, as the first step that calls it does; without one, each configured."""
    if spec is not None:
        first = {alias: step for step in reversed(spec.steps) for alias in aliases([step])}
        return [Trial(alias, first[alias].api, first[alias].parameters) for alias in aliases(spec.steps)]
    unnamed = [] if upstream.config.models and upstream.default is None else [DEFAULT]
    return [Trial(alias) for alias in dict.fromkeys([*upstream.config.models, *unnamed])]


async def check(spec: JobSpec | None, upstream: Upstream, environ: Mapping[str, str], *, at: datetime) -> Findings:
    """Ask every endpoint of a spec, or all that there are, side by side.

    Raises:
        UpstreamError: there is no endpoint for a model.
    """
    trials = trials_of(spec, upstream)
    leads = {trial.alias: upstream.endpoints(trial.alias) for trial in trials}
    endpoints = {name: endpoint for each in leads.values() for name, endpoint in each.items()}
    if spec is None:
        endpoints |= upstream.config.endpoints
    async with asyncio.TaskGroup() as group:
        asked = [
            group.create_task(_look(name, endpoint, [t for t in trials if name in leads[t.alias]], upstream, environ))
            for name, endpoint in endpoints.items()
        ]
    looks = [task.result() for task in asked]
    needs_prices = spec is not None and spec.budget.usd is not None
    models = [
        _priced(model, endpoint.base_url, upstream, at, needs_prices) for endpoint, found in looks for model in found
    ]
    return Findings([endpoint for endpoint, _ in looks], models)


async def _look(
    name: str, endpoint: EndpointConfig, trials: list[Trial], upstream: Upstream, environ: Mapping[str, str]
) -> tuple[EndpointFinding, list[ModelFinding]]:
    """Ask one endpoint."""
    untried = [ModelFinding(alias=trial.alias, endpoint=name, problem=UNTRIED) for trial in trials]
    try:
        async with opened(_target(name, endpoint, upstream, environ), UNBOUNDED, environ) as line:
            await line.look()
            if line.trouble is not None:
                return EndpointFinding(name, endpoint.base_url, problem=line.explained), untried
            listed = None if line.listed is None else len(line.listed)
            models = [await _try(trial, line, upstream) for trial in trials]
            return EndpointFinding(name, endpoint.base_url, listed), models
    except (ConfigError, EndpointConfigError) as error:
        return EndpointFinding(name, endpoint.base_url, problem=str(error)), untried


def _target(name: str, endpoint: EndpointConfig, upstream: Upstream, environ: Mapping[str, str]) -> Target:
    if upstream.default is not None and endpoint is upstream.default.endpoint:
        return upstream.default
    return Target(name, endpoint, endpoint_key(name, endpoint, environ))


async def _try(trial: Trial, line: Line, upstream: Upstream) -> ModelFinding:
    """Make one small call; where its bound is refused, another as a run would make it."""
    endpoint = line.target.name
    try:
        model = await line.model(upstream.name(trial.alias))
    except UpstreamError as error:
        return ModelFinding(alias=trial.alias, endpoint=endpoint, model=upstream.name(trial.alias), problem=str(error))
    prompt = Prompt(trial.api, PROMPT)
    answer = await line.endpoint.call(CallRequest(model, prompt, _short(trial.parameters)), DEADLINE_SECONDS)
    if isinstance(answer, Failure) and answer.kind is FailureKind.BAD_REQUEST:
        answer = await line.endpoint.call(CallRequest(model, prompt, trial.parameters), DEADLINE_SECONDS)
    return _found(trial.alias, endpoint, model, answer)


def _short(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters that keep the answer short, by the name of the bound that they have."""
    bound = next((name for name in BOUNDS if name in parameters), BOUNDS[-1])
    return {**parameters, bound: MOST_OUTPUT_TOKENS}


def _found(alias: str, endpoint: str, model: str, answer: Answer | Failure) -> ModelFinding:
    if isinstance(answer, Failure):
        advice = ELSEWHERE if answer.status == 404 and answer.kind is FailureKind.BAD_REQUEST else ADVICE[answer.kind]
        return ModelFinding(alias=alias, endpoint=endpoint, model=model, problem=f"{answer.message}; {advice}")
    completion = answer.completion
    usage = completion.usage if completion.usage_known else None
    return ModelFinding(
        alias=alias,
        endpoint=endpoint,
        model=model,
        seconds=round(answer.seconds, 3),
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
    )


def _priced(model: ModelFinding, base_url: str, upstream: Upstream, at: datetime, needed: bool) -> ModelFinding:
    """Add whether the price is known, which a budget in dollars needs."""
    if model.problem is not None or model.model is None:
        return model
    try:
        prices = resolve_prices(base_url, model.model, configured_prices(upstream.model(model.alias)), at=at)
    except PriceConfigError as error:
        return msgspec.structs.replace(model, priced=False, problem=str(error))
    problem = None
    if prices is None and needed:
        problem = f"its price is not known, and budget.usd needs it: set models.{model.alias}.prices, or budget calls"
    return msgspec.structs.replace(model, priced=prices is not None, problem=problem)
