"""Plans of chains: what is known without an answer is counted, the rest is expected, and the worst is bounded."""

from corpusmill.bootstrap.assembly import space_of
from corpusmill.jobs.estimate import LIST_ITEMS, expected_loads, greatest_loads
from corpusmill.jobs.preview import preview
from corpusmill.spec.schema import JobSpec
from tests.sim.world import make_spec

BOUND = {"max_tokens": 100}


def spec_of(*steps: dict[str, object], filters: list[dict[str, object]] | None = None) -> JobSpec:
    return make_spec(
        steps=[{"parameters": BOUND, **step} for step in steps],
        filters=filters or [],
        dedup=None,
        examples=[{"name": "row", "prompt": "", "completion": "x"}],
    )


def calls(spec: JobSpec) -> tuple[list[int], list[int]]:
    """Calls of each step for one item: expected, and at most."""
    shown = preview(spec, space_of(spec))
    greatest = greatest_loads(spec, shown, 1)
    assert greatest is not None
    return [load.calls for load in expected_loads(spec, shown, 1)], [load.calls for load in greatest]


def test_lists_that_no_answer_tells_are_counted_and_others_expected() -> None:
    spec = spec_of(
        {"name": "known", "prompt": "{{ element }}", "each": "['a', 'b', 'c']"},
        {"name": "found", "prompt": "x", "parse": "list", "top_up": {"items": 6, "calls": 4}},
        {"name": "unknown", "prompt": "{{ element }}", "each": "found"},
        {"name": "talk", "prompt": "x", "rounds": {"turns": 7, "speakers": [{"name": "A"}, {"name": "B"}]}},
    )
    assert calls(spec) == ([3, 2, LIST_ITEMS, 7], [3, 4, 1000, 7])


def test_the_worst_of_a_loop_counts_every_visit() -> None:
    spec = spec_of(
        {"name": "plot", "prompt": "x", "attempts": 2},
        {"name": "title", "prompt": "x"},
        {"name": "grade", "prompt": "{{ title }}", "parse": "number", "attempts": 3, "back_to": "plot"},
    )
    assert calls(spec) == ([1, 1, 1], [6, 3, 3])


def test_samples_show_what_stands_for_answers_in_their_shape() -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}, "tags": {"type": "array"}}}
    spec = spec_of(
        {"name": "who", "prompt": "x", "parse": "json", "schema": schema},
        {"name": "found", "prompt": "{{ who.name }} {{ who.tags | join }}", "parse": "list"},
        {"name": "part", "prompt": "{{ position }} {{ element }}", "each": "found"},
        {"name": "whole", "prompt": "{{ part | join(', ') }}", "when": "found | length > 3"},
    )
    shown = preview(spec, space_of(spec), 1)
    assert [prompt.prompt for prompt in shown.samples[0].prompts] == ["x", "⟨who⟩ ⟨who⟩", "0 ⟨found⟩", "⟨part⟩"]
    assert not shown.remarks
