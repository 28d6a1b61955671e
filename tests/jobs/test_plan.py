import math
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from corpusmill.bootstrap.assembly import space_of
from corpusmill.chain.completion import Usage
from corpusmill.cli.plan_text import plan_text
from corpusmill.endpoint.prices import Prices
from corpusmill.jobs.estimate import Load, Model, pace
from corpusmill.jobs.plan import Basis, Plan, make_plan
from corpusmill.jobs.preview import preview, spread
from corpusmill.limits.charge import Limits
from corpusmill.simulate import SimulateOptions
from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import JobSpec, Target
from tests.jobs.harness import run, spec_of

PRICES = Prices(input=150_000, cached_input=75_000, output=600_000)


def models(spec: JobSpec, prices: Prices | None = PRICES) -> dict[str, Model]:
    limits = Limits(
        requests_per_minute=spec.limits.requests_per_minute, tokens_per_minute=spec.limits.tokens_per_minute
    )
    return {step.model: Model("some-model", "http://localhost/v1", limits, prices) for step in spec.steps}


def plan_of(spec: JobSpec, samples: int = 3, prices: Prices | None = PRICES) -> tuple[Plan, Basis]:
    return make_plan(spec, space_of(spec), models(spec, prices), samples)


def with_space(spec: JobSpec, **changes: Any) -> JobSpec:
    return replace(spec, space=replace(spec.space, **changes))


TWO_STEPS = """
name: two
space: {axes: {genre: [romance, horror], year: [1920, 1990]}}
steps:
  - name: plot
    system: You write.
    prompt: "{{ nonce }} Imagine a plot outline for a {{ genre }} film set in {{ year }}."
    parameters: {max_tokens: 1000}
    attempts: 3
  - name: note
    prompt: "Review this: {{ plot }}"
    parameters: {max_tokens: 600}
examples: [{name: note, prompt: "{{ plot }}", completion: "{{ note }}"}]
"""


@pytest.mark.parametrize(
    "spec",
    [
        with_space(spec_of(), limit=50),
        with_space(spec_of(), where="scene != 'four'", limit=70, order="random"),
        with_space(spec_of(), where="tone == 'grim'", draws=2),
        spec_of(TWO_STEPS),
    ],
)
def test_a_run_does_what_the_plan_said(tmp_path: Path, spec: JobSpec) -> None:
    plan, basis = plan_of(spec)
    done = run(spec, tmp_path, options=SimulateOptions())
    assert plan.items == done.items == done.outcomes.total == basis.items.most
    assert plan.calls == done.calls.sent
    told, used = plan.tokens, done.tokens
    assert told.input == pytest.approx(used.input, rel=0.3)
    assert told.input + told.output == pytest.approx(used.input + used.output, rel=0.3)


def test_a_target_is_the_least_and_the_space_the_most() -> None:
    spec = spec_of(target=Target(30))
    plan, basis = plan_of(spec)
    assert (plan.items, plan.calls, basis.items.most) == (30, 30, 120)
    told = plan_text(spec, plan, basis, models(spec))
    assert "tales: at least 30 items of a space of 120" in told
    assert "at least, until 30 are kept; at most 120" in told


def test_cost_is_exact_in_the_estimated_tokens_and_null_without_a_price() -> None:
    plan, basis = plan_of(spec_of())
    [load] = basis.loads
    assert (load.calls, load.output_tokens) == (120, 500)
    each = PRICES.cost(Usage(input_tokens=load.input_tokens, output_tokens=500))
    assert basis.picodollars == 120 * each
    assert plan.cost_usd == pytest.approx(120 * each / 1e12, abs=5e-7)
    unpriced, basis = plan_of(spec_of(), prices=None)
    assert (unpriced.cost_usd, basis.picodollars) == (None, None)
    assert "unknown" in plan_text(spec_of(), unpriced, basis, models(spec_of(), None))


def test_the_worst_case_has_every_attempt_and_every_answer_full() -> None:
    plan, basis = plan_of(spec_of(TWO_STEPS))
    assert basis.greatest is not None
    assert [(load.calls, load.output_tokens) for load in basis.loads] == [(4, 500), (4, 300)]
    assert [(load.calls, load.output_tokens) for load in basis.greatest] == [(12, 1000), (4, 600)]
    assert basis.greatest[1].input_tokens - basis.loads[1].input_tokens == 500
    assert basis.loads[1].input_tokens > 500
    assert plan.calls == 8
    unbounded = spec_of(TWO_STEPS.replace("parameters: {max_tokens: 600}", ""))
    assert plan_of(unbounded)[1].greatest is None


@pytest.mark.parametrize(
    ("condition", "tokens"),
    [
        ("min_chars: 3500", 1000),
        ("min_words: 600", 800),
        ("max_chars: 350", 100),
        ("max_words: 30", 40),
        ("min_chars: 9000", 1000),
    ],
)
def test_filters_bound_the_expected_output(condition: str, tokens: int) -> None:
    spec = spec_of(TWO_STEPS + f"filters: [{{of: plot, {condition}}}]\n")
    assert plan_of(spec)[1].loads[0].output_tokens == tokens


def test_several_choices_are_paid_for() -> None:
    spec = spec_of(TWO_STEPS.replace("max_tokens: 600", "max_tokens: 600, n: 4"))
    assert plan_of(spec)[1].loads[1].output_tokens == 1200


LOADS = [Load("a", "one", 600, 100, 400), Load("b", "two", 600, 1000, 20)]


@pytest.mark.parametrize(
    ("one", "two", "concurrency", "seconds", "bound"),
    [
        (Limits(requests_per_minute=60), Limits(), 1000, 600, "requests_per_minute 60"),
        (Limits(tokens_per_minute=30_000), Limits(tokens_per_minute=100_000), 1000, 600, "tokens_per_minute 30,000"),
        (Limits(), Limits(tokens_per_minute=61_200), 1000, 600, "tokens_per_minute 61,200"),
        (Limits(), Limits(), 10, (9_000 + 1_400) * 600 / 10 / 1000, "concurrency 10"),
        (Limits(concurrency=9), Limits(), 100, 600, "concurrency 9"),
        (Limits(concurrency=5000), Limits(concurrency=5000), 5000, 11, "the time of one item"),
        (Limits(), Limits(), None, (9_000 + 1_400) * 600 / 100 / 1000, "an assumed concurrency of 100"),
    ],
)
def test_the_tightest_limit_sets_the_time(
    one: Limits, two: Limits, concurrency: int | None, seconds: float, bound: str
) -> None:
    apart = {"one": Model("x", "http://a/v1", one, None), "two": Model("y", "http://b/v1", two, None)}
    found = pace(LOADS, apart, concurrency)
    assert (found.seconds, found.bound_by) == (math.ceil(seconds), bound)


def test_models_of_one_endpoint_share_its_limits() -> None:
    limits = Limits(requests_per_minute=60, concurrency=1000)
    shared = {name: Model(name, "http://a/v1", limits, None) for name in ("one", "two")}
    assert pace(LOADS, shared, 1000).seconds == 1200


@pytest.mark.parametrize(("values", "axes"), [(10, 30), (1000, 200)])
def test_spaces_of_any_size_are_planned(values: int, axes: int) -> None:
    spec = with_space(spec_of(), axes={**spec_of().space.axes, **{f"a{n}": [*range(values)] for n in range(axes)}})
    plan, basis = plan_of(spec, samples=1)
    assert plan.space == plan.items == plan.calls == 120 * values**axes
    assert (plan.cost_usd is None) == (values == 1000)
    told = plan_text(spec, plan, basis, models(spec))
    assert f"about 10^{len(str(plan.space)) - 1}" in told


def test_samples_are_prompts_as_the_run_sends_them_with_placeholders_for_answers() -> None:
    spec = spec_of(TWO_STEPS)
    plan, basis = plan_of(spec)
    assert [sample.index for sample in plan.samples] == [0, 1, 3]
    plot, note = plan.samples[2].prompts
    values = plan.samples[2].values
    assert plot.prompt.endswith(f"a {values['genre']} film set in {values['year']}.")
    assert (plot.system, note.system, note.prompt) == ("You write.", None, "Review this: ⟨plot⟩")
    told = plan_text(spec, plan, basis, models(spec))
    assert plot.prompt in told
    assert "⟨plot⟩" in told


@pytest.mark.parametrize("count", range(7))
def test_samples_are_spread_over_the_first_items(count: int) -> None:
    samples = preview(spec_of(TWO_STEPS), space_of(spec_of(TWO_STEPS))).samples
    chosen = spread(samples, count)
    assert len(chosen) == min(count, 4)
    assert len({sample.index for sample in chosen}) == len(chosen)
    if count > 1:
        assert (chosen[0], chosen[-1]) == (samples[0], samples[-1])


def broken(old: str, new: str) -> JobSpec:
    assert old in TWO_STEPS
    return spec_of(TWO_STEPS.replace(old, new))


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (broken("set in {{ year }}", "{{ genre + 1 }}"), r"^steps\[0\]: step plot cannot be rendered for item 0: "),
        (broken("You write.", "Be {{ genre - 1 }}."), r"^steps\[0\]: step plot cannot be rendered for item 0: "),
        (broken('prompt: "{{ plot }}"', 'prompt: "{{ genre + 1 }}"'), r"^examples\[0\].prompt: example cannot be"),
        (
            broken("film set in {{ year }}", "{{ 1 // (year - 1990) }}"),
            r"^steps\[0\]: step plot cannot be rendered for item [0-3]: ",
        ),
    ],
)
def test_a_template_that_fails_by_itself_is_refused(spec: JobSpec, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        plan_of(spec)


def test_a_template_that_may_only_lack_an_answer_is_remarked_on_once() -> None:
    spec = broken("Review this: {{ plot }}", "{{ plot + 1 }}")
    plan, basis = plan_of(spec)
    assert plan.samples[0].prompts[1].prompt == "⟨shown when plot is there⟩"
    [remark] = basis.remarks
    assert remark.startswith("steps[1]: not checked: step note cannot be rendered for item 0: ")
    assert remark.endswith("(with a placeholder for plot)")
    assert remark in plan_text(spec, plan, basis, models(spec))


def test_a_where_that_keeps_nothing_is_no_job() -> None:
    spec = with_space(spec_of(), where="genre == 'none'")
    plan, basis = plan_of(spec)
    assert (plan.items, plan.calls, plan.seconds, plan.samples) == (0, 0, 0, ())
    assert "No combination that `where` keeps was found" in plan_text(spec, plan, basis, models(spec))
