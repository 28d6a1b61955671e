"""An example tried out before any answer is there: each of its templates and expressions by itself.

Rule of this file: what an answer would tell is stood in for by the placeholder.
"""

from collections.abc import Callable, Iterator

import msgspec

from corpusmill.chain.step import Values
from corpusmill.jobs.stand_ins import placeholder
from corpusmill.spec.errors import RenderError
from corpusmill.spec.examples import ELEMENTS, PAIRS, TURN, Part, parts_of
from corpusmill.spec.schema import Example
from corpusmill.spec.template import compile_expression, compile_template

_OWN = frozenset((*ELEMENTS, *PAIRS, TURN))


class Fault(msgspec.Struct, frozen=True):
    """What failed: its path, why, and the names on which it depends."""

    path: str
    error: RenderError
    variables: frozenset[str]


class ExampleTrial:
    """One example of a checked spec, ready to be tried with the values of one item after another."""

    def __init__(self, number: int, example: Example) -> None:
        self._path = f"examples[{number}]"
        self._parts = [(part, *_compiled(part)) for part in parts_of(example)]
        self._every = frozenset[str]().union(*(variables for _, variables, _ in self._parts))

    def faults(self, values: Values) -> Iterator[Fault]:
        """Yield what cannot be rendered with these values."""
        seen = {**values, "position": 0, "better_score": 1, "worse_score": 0}
        seen |= {name: placeholder(name) for name in ("element", "better", "worse", TURN)}
        for part, variables, evaluate in self._parts:
            try:
                found = evaluate(seen)
            except RenderError as error:
                yield Fault(f"{self._path}.{part.path}", error, self._every if variables & _OWN else variables)
                continue
            if part.path == "each" and isinstance(found, list | tuple) and found:
                seen["element"] = found[0]


def _compiled(part: Part) -> tuple[frozenset[str], Callable[[Values], object]]:
    if part.is_expression:
        expression = compile_expression(part.source)
        return expression.variables, expression.evaluate
    template = compile_template(part.source)
    return template.variables, template.render
