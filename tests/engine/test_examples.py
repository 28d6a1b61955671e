"""Examples in whole jobs: the balance sheet counts the lines that there are, through crashes too."""

import random
from collections import Counter

import msgspec
import pytest

from corpusmill.bootstrap.assembly import Assembly
from corpusmill.chain.asks import replay
from corpusmill.chain.completion import Choice, Completion, Usage
from corpusmill.chain.walk import Walk
from corpusmill.engine.outcome import decide
from corpusmill.journal.records import Attempts
from corpusmill.spec.schema import JobSpec
from tests.engine.test_simulation import SEEDS
from tests.sim.disk import SimDisk
from tests.sim.world import FOLDER, ScriptedEndpoint, World, make_spec

SPEAKERS = ("PUPIL", "TUTOR")


def taught(**changes: object) -> JobSpec:
    return make_spec(
        steps=[{"name": "talk", "prompt": "{{ nonce }} {{ genre }} {{ place }} {{ n }}", "parse": "dialogue"}],
        filters=[],
        dedup={"of": "record"},
        examples=[
            {
                "name": "turn",
                "each": "talk",
                "when": "element.speaker == 'TUTOR'",
                "prompt": "{{ element.text }} {{ position }}",
                "completion": "{{ element.text }}",
                "format": {"separator": "#"},
            },
            {"name": "none", "when": "talk | length == 1", "keep": 0.5, "prompt": "", "completion": "None"},
        ],
        **changes,
    )


def talk(prompt: str) -> Choice:
    """A dialogue of some turns, always the same for a prompt; sometimes with the separator in it."""
    chance = random.Random(prompt)
    word = "a # b" if chance.random() < 0.1 else f"word {chance.random()}"
    turns = [f"{SPEAKERS[number % 2]}: {word}" for number in range(chance.randrange(1, 6))]
    return Choice("\n".join(turns), "stop")


@pytest.mark.parametrize("seed", SEEDS[:5])
def test_the_sheet_counts_the_lines_that_there_are(seed: int) -> None:
    rng = random.Random(seed)
    world = World(seed, taught(), ScriptedEndpoint(rng, text=talk))
    world.disk.crash_at = rng.randrange(10, 100)
    while (ended := world.run()) is None:
        world.crash()
        world.disk.crash_at = 0
    summary, lines = ended[1], world.lines("corpus")
    ids = [line["id"] for line in lines]
    assert summary.records == len(lines) == len(set(ids))
    assert summary.outcomes.total == 120
    assert summary.outcomes.kept == len({line["index"] for line in lines})
    assert set(summary.rejected_by) == {"format", "no_example"}
    rejects = Counter(line["reason"] for line in world.lines("rejects"))
    assert rejects["format"] == summary.rejected_by["format"]


@pytest.mark.parametrize(
    ("texts", "ids"),
    [
        (["good", "a # b", "fine"], ["job:0:row:0", "job:0:row:2"]),
        (["a # b", "good", "good"], ["job:0:row:1"]),
        (["#", "a # b", ""], []),
    ],
)
def test_of_several_choices_those_that_do_not_fit_are_left_out(texts: list[str], ids: list[str]) -> None:
    spec = make_spec(
        steps=[{"name": "plot", "prompt": "{{ nonce }}", "parameters": {"n": 3}}],
        filters=[],
        examples=[{"name": "row", "prompt": "", "completion": "{{ plot }}", "format": {"separator": "#"}}],
    )
    disk = SimDisk(random.Random(0))
    disk.make_folder(FOLDER)
    assembly = Assembly(spec, FOLDER, disk, lambda: "2026-01-01T00:00:00.000Z")
    walk = Walk(assembly.chain, assembly.space.item(0))
    completion = Completion(tuple(Choice(text, "stop") for text in texts), Usage(1, 0, 1), b"{}")
    verdict = replay(walk.asks(), lambda _ask: completion)
    decided, _ = decide(walk, verdict, Attempts(1), novelty=assembly.novelty, records=assembly.liner.records)
    lines = assembly.liner.lines(walk, decided)
    assert [msgspec.json.decode(line)["id"] for line in lines.corpus] == ids
    assert decided.records == len(ids)
    assert (decided.outcome, decided.reason) == (("kept", "") if ids else ("rejected", "format"))
    assembly.store.close()
