"""What a job will take: tokens, money and time, estimated from its first prompts.

Rule of this file: arithmetic only, and in integers where it is money or may be large: a space can have more items than
a float has digits. Every assumption is a named constant, because a person decides on money by the result.
"""

from collections.abc import Mapping, Sequence

import msgspec

from corpusmill.chain.completion import Usage
from corpusmill.chain.forms import MOST_ELEMENTS
from corpusmill.chain.step import max_tokens
from corpusmill.endpoint.prices import Prices
from corpusmill.jobs.preview import Preview, Sample
from corpusmill.jobs.stand_ins import placeholder
from corpusmill.limits.charge import Limits
from corpusmill.limits.estimator import CHARS_PER_TOKEN, Estimator
from corpusmill.spec.schema import Filter, JobSpec, Step
from corpusmill.spec.steps import most_visits

LIST_ITEMS = 5
"""Assumed length of a list that an answer gives."""

WORDS_PER_TOKEN = 0.75
"""OpenAI's rule of thumb for English prose; turns bounds in words into tokens."""

MESSAGE_TOKENS, REPLY_TOKENS = 4, 3
"""What a chat format adds: to each message, and to open the reply (OpenAI's cookbook on counting tokens)."""

CONCURRENCY = 100
"""Assumed calls in flight, where neither a bound nor a rate is known."""

FIRST_TOKEN_MS = 1_000
TOKEN_MS = 20
"""Assumed time to an answer: a second to its first token, then fifty tokens a second."""


class Model(msgspec.Struct, frozen=True):
    """What an alias leads to, as far as it is known without asking: None is unknown."""

    upstream: str | None
    base_url: str
    limits: Limits
    prices: Prices | None


class Load(msgspec.Struct, frozen=True):
    """What one step takes: so many calls of so many tokens each. `output_tokens` is of all choices of a call."""

    step: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int


class Pace(msgspec.Struct, frozen=True):
    """How long the calls take at least, and which limit says so."""

    seconds: int
    bound_by: str


def expected_loads(spec: JobSpec, shown: Preview, items: int) -> list[Load]:
    """Return the load of each step where each prompt is answered once, and every `when` is true."""
    outputs = {step.name: _expected_output(step, spec.filters) for step in spec.steps}
    calls = [items * _expected_parts(step, shown.elements) for step in spec.steps]
    return [_load(place, step, shown.samples, calls[place], outputs) for place, step in enumerate(spec.steps)]


def greatest_loads(spec: JobSpec, shown: Preview, items: int) -> list[Load] | None:
    """Return the loads where all attempts are needed and every answer is as long as allowed; None without a bound."""
    outputs: dict[str, int] = {}
    for step in spec.steps:
        bound = max_tokens(step.parameters)
        if bound is None:
            return None
        outputs[step.name] = bound
    calls = [
        items * most_visits(spec.steps, place) * _greatest_parts(step, shown.elements)
        for place, step in enumerate(spec.steps)
    ]
    return [_load(place, step, shown.samples, calls[place], outputs) for place, step in enumerate(spec.steps)]


def cost_picodollars(loads: Sequence[Load], models: Mapping[str, Model]) -> int | None:
    """Return what the loads cost; None where a price is unknown."""
    total = 0
    for load in loads:
        prices = models[load.model].prices
        if prices is None:
            return None
        total += load.calls * prices.cost(Usage(input_tokens=load.input_tokens, output_tokens=load.output_tokens))
    return total


def pace(loads: Sequence[Load], models: Mapping[str, Model], concurrency: int | None) -> Pace:
    """Return how long the loads take at the limits of their endpoints, and with so many calls in flight.

    Models of one endpoint share its limits; endpoints work side by side.
    """
    bounds = [] if concurrency is None else [(_total_latency_ms(loads) // concurrency, f"concurrency {concurrency:,}")]
    for base_url in dict.fromkeys(models[load.model].base_url for load in loads):
        shared = [load for load in loads if models[load.model].base_url == base_url]
        bounds += _endpoint_bounds(shared, models[shared[0].model].limits)
    if not bounds:
        bounds.append((_total_latency_ms(loads) // CONCURRENCY, f"an assumed concurrency of {CONCURRENCY:,}"))
    if any(load.calls for load in loads):
        bounds.append((sum(_latency_ms(load) for load in loads), "the time of one item"))
    milliseconds, name = max(bounds, key=lambda bound: bound[0])
    return Pace(-(-milliseconds // 1000), name)


def _endpoint_bounds(loads: Sequence[Load], limits: Limits) -> list[tuple[int, str]]:
    """Return the milliseconds that each limit of one endpoint imposes, with the limit's name."""
    requests = sum(load.calls for load in loads)
    tokens = sum(load.calls * (load.input_tokens + load.output_tokens) for load in loads)
    table = (
        (requests * 60_000, limits.requests_per_minute, "requests_per_minute"),
        (tokens * 60_000, limits.tokens_per_minute, "tokens_per_minute"),
        (_total_latency_ms(loads), limits.concurrency, "concurrency"),
    )
    return [(int(amount // limit), f"{name} {limit:,}") for amount, limit, name in table if limit is not None]


def _load(place: int, step: Step, samples: Sequence[Sample], calls: int, outputs: Mapping[str, int]) -> Load:
    """Return a step's load, its prompts as long as those of the samples are on average."""
    choices = int(step.parameters.get("n", 1))
    tokens = [_input_tokens(sample, place, outputs) for sample in samples]
    mean = -(-sum(tokens) // len(tokens)) if tokens else 0
    return Load(step.name, step.model, calls, mean, outputs[step.name] * choices)


def _expected_parts(step: Step, elements: Mapping[str, Sequence[int]]) -> int:
    """Return how many prompts a step sends for one item, if each of them is answered once."""
    if step.rounds is not None:
        return step.rounds.turns
    if step.top_up is not None:
        return min(step.top_up.calls, -(-step.top_up.items // LIST_ITEMS))
    if step.each is None and step.fold is None:
        return 1
    lengths = elements.get(step.name)
    return -(-sum(lengths) // len(lengths)) if lengths else LIST_ITEMS


def _greatest_parts(step: Step, elements: Mapping[str, Sequence[int]]) -> int:
    """Return how many prompts a step sends for one item at most, each of them once."""
    if step.rounds is not None:
        return step.rounds.turns
    if step.top_up is not None:
        return step.top_up.calls
    return max(elements.get(step.name, [MOST_ELEMENTS])) if step.each is not None or step.fold is not None else 1


def _input_tokens(sample: Sample, place: int, outputs: Mapping[str, int]) -> int:
    """Return the tokens of a prompt, with what earlier steps answer in place of the placeholders."""
    prompt = sample.prompts[place]
    text = "".join([prompt.prompt, prompt.system or "", *(turn.text for turn in prompt.conversation)])
    answers = 0
    for earlier in sample.prompts[:place]:
        times = text.count(placeholder(earlier.step))
        text = text.replace(placeholder(earlier.step), "")
        answers += times * outputs[earlier.step]
    framing = MESSAGE_TOKENS * (1 + (prompt.system is not None) + len(prompt.conversation)) + REPLY_TOKENS
    return round(Estimator().estimate(len(text), None).input_tokens) + framing + answers


def _expected_output(step: Step, filters: Sequence[Filter]) -> int:
    """Return the tokens of one answer: what the estimator begins with, within what the step's filters let pass."""
    most = max_tokens(step.parameters)
    expected = Estimator().estimate(0, most).output_tokens
    for each in (each for each in filters if each.of == step.name):
        expected = max(expected, (each.min_chars or 0) / CHARS_PER_TOKEN, (each.min_words or 0) / WORDS_PER_TOKEN)
    for each in (each for each in filters if each.of == step.name):
        if each.max_chars is not None:
            expected = min(expected, each.max_chars / CHARS_PER_TOKEN)
        if each.max_words is not None:
            expected = min(expected, each.max_words / WORDS_PER_TOKEN)
    return round(expected if most is None else min(expected, most))


def _latency_ms(load: Load) -> int:
    return FIRST_TOKEN_MS + load.output_tokens * TOKEN_MS


def _total_latency_ms(loads: Sequence[Load]) -> int:
    return sum(load.calls * _latency_ms(load) for load in loads)
