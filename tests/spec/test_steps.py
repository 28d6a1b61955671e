"""Steps: what does not fit together is told with its path, before anything is spent."""

import pytest

from corpusmill.spec.errors import SpecError
from tests.sim.world import make_spec

FIRST = {"name": "first", "prompt": "x"}
SPEAKERS = [{"name": "A"}, {"name": "B"}]


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ({"schema": {"type": "object"}}, "steps[1].schema: is for `parse: json`"),
        ({"parse": "json", "schema": {"type": 7}}, "steps[1].schema: not a JSON Schema"),
        ({"parse": "json", "schema": {"$ref": "http://example.org/x.json"}}, "steps[1].schema: not a JSON Schema"),
        ({"between": [1, 5]}, "steps[1].between: is for `parse: number`"),
        ({"parse": "number", "between": [5, 1]}, "steps[1].between: the least comes first"),
        ({"clean": {"cut_at": "("}}, "steps[1].clean.cut_at: not a regular expression"),
        ({"otherwise": "x"}, "steps[1].otherwise: is the output where `when` is false"),
        ({"require": "all"}, "steps[1].require: is for `each`"),
        ({"when": "frist"}, "steps[1].when: `frist` is not defined; did you mean `first`?"),
        ({"when": "last"}, "steps[1].when: `last` is a later step"),
        ({"when": "nonce"}, "steps[1].when: `nonce` is not defined"),
        ({"when": "first ="}, "steps[1].when: line 1"),
        ({"when": "first", "otherwise": "{{ frist }}"}, "steps[1].otherwise: `frist` is not defined"),
        ({"each": "second"}, "steps[1].each: `second` is this step itself"),
        ({"prompt": "{{ element }}"}, "steps[1].prompt: `element` is not defined"),
        ({"prompt": "{{ first.x }}"}, "steps[1].prompt: `first.x` is not defined: `first` is plain text"),
        ({"prompt": "{{ rejection }}"}, "steps[1].prompt: `rejection` is not defined"),
        ({"each": "[1]", "fold": "[1]"}, "steps[1].fold: beside `each`"),
        ({"each": "[1]", "parameters": {"n": 2}}, "steps[1].parameters.n: with `each`"),
        ({"top_up": {"items": 1, "calls": 1}}, "steps[1].top_up: needs a list"),
        ({"rounds": {"turns": 2, "speakers": SPEAKERS}, "parse": "list"}, "steps[1].rounds: the turns are the output"),
        ({"rounds": {"turns": 2, "speakers": [*SPEAKERS, {"name": "A"}]}}, "speakers[2].name: `A` speaks already"),
        (
            {"rounds": {"turns": 2, "speakers": SPEAKERS, "until": "turns > 1"}},
            "steps[1].rounds.until: `turns` is not defined; did you mean `turn`?",
        ),
        ({"back_to": "frist", "attempts": 2}, "steps[1].back_to: there is no step `frist`; did you mean `first`?"),
        ({"back_to": "last", "attempts": 2}, "steps[1].back_to: `last` is a later step"),
        ({"back_to": "first"}, "steps[1].back_to: goes back nowhere with one attempt"),
        ({"back_to": "first", "attempts": 2}, "steps[1].attempts: no filter is of `second`"),
        ({"name": "first_choices"}, "steps[1].name: `first_choices` means something to steps[0]"),
    ],
)
def test_a_step_that_does_not_fit_is_told_where_and_why(step: dict[str, object], problem: str) -> None:
    first = {**FIRST, "parameters": {"n": 2}} if step.get("name") else FIRST
    steps = [first, {"name": "second", "prompt": "x", **step}, {"name": "last", "prompt": "x"}]
    with pytest.raises(SpecError) as told:
        make_spec(steps=steps, filters=[], dedup=None, examples=[{"name": "row", "prompt": "", "completion": "x"}])
    assert problem in str(told.value)


def test_names_that_only_some_steps_see_are_free_elsewhere() -> None:
    axes = {"element": ["iron"], "position": ["left"], "attempt": ["first"]}
    spec = make_spec(
        space={"axes": axes},
        steps=[{"name": "plot", "prompt": "{{ element }} {{ position }} {{ attempt }}"}],
        examples=[{"name": "row", "prompt": "", "completion": "{{ element }}"}],
    )
    assert spec.steps[0].each is None
    with pytest.raises(SpecError, match=r"space\.axes\.element"):
        make_spec(
            space={"axes": axes},
            steps=[{"name": "plot", "prompt": "x", "each": "[1]"}],
            examples=[{"name": "row", "prompt": "", "completion": "x"}],
        )
