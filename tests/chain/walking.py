"""Walks without an engine: a spec, and a function that answers."""

from collections.abc import Callable, Mapping

from corpusmill.bootstrap.assembly import space_of
from corpusmill.chain.asks import Ask, Reply, replay
from corpusmill.chain.chain import Chain
from corpusmill.chain.completion import Choice, Completion, GaveUp, Usage
from corpusmill.chain.verdict import Verdict
from corpusmill.chain.walk import Walk
from tests.sim.world import make_spec

Answer = Callable[[str], str | list[str] | None]
"""Prompt -> the text of the answer, or of its choices; None gives up."""


def completion(*texts: str) -> Completion:
    return Completion(tuple(Choice(text, "stop") for text in texts), Usage(), b"{}")


class Walked:
    """What came of a walk."""

    def __init__(self, walk: Walk, verdict: Verdict, asks: list[Ask]) -> None:
        self.walk, self.verdict, self.asks = walk, verdict, asks

    @property
    def prompts(self) -> list[str]:
        return [ask.prompt.text for ask in self.asks]

    @property
    def places(self) -> list[tuple[int, int, int]]:
        return [ask.place for ask in self.asks]

    def output(self, step: str) -> object:
        return self.walk.values[step]


def walked(answer: Answer, *steps: Mapping[str, object], filters: list[dict[str, object]] | None = None) -> Walked:
    """Take the walk of item 0 of a spec with these steps."""
    spec = make_spec(
        steps=list(steps),
        filters=filters or [],
        dedup=None,
        examples=[{"name": "row", "prompt": "", "completion": "{{ genre }}"}],
    )
    walk = Walk(Chain(spec), space_of(spec).item(0))
    asks: list[Ask] = []

    def reply(ask: Ask) -> Reply:
        asks.append(ask)
        said = answer(ask.prompt.text)
        if said is None:
            return GaveUp("bad_request", "refused")
        return completion(*([said] if isinstance(said, str) else said))

    return Walked(walk, replay(walk.asks(), reply), asks)
