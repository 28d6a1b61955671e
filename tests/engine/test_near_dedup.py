"""Near duplicates in the whole engine: decided once, the same after any crash, and named by who holds the text.

A failure names its seed; `make sim SEED=n` replays it alone.
"""

import os
import random

import pytest

from benchmarks.near_duplicates import triples
from corpusmill.bootstrap.assembly import Assembly
from corpusmill.chain.completion import Choice
from corpusmill.dedup.fingerprint import fingerprint
from corpusmill.endpoint.failures import FailureKind
from corpusmill.engine.holdings import Mark
from corpusmill.engine.novelty import Novelty
from corpusmill.spec.errors import SpecError
from tests.sim.world import FOLDER, ScriptedEndpoint, World, make_spec

SEEDS = [int(os.environ["SEED"])] if "SEED" in os.environ else range(int(os.environ.get("SIM_SEEDS", "8")))
NEAR = 0.7
DEDUP = {"of": "plot", "near": NEAR}


def answer(prompt: str) -> Choice:
    """One of a few stories, with a word or two changed by the prompt; now and then a text too short to be like any."""
    rng = random.Random(prompt)
    if rng.random() < 0.1:
        return Choice(rng.choice(["Nothing.", "The end.", "Too short."]), "stop")
    words = [str(number) for number in random.Random(rng.randrange(25)).sample(range(1000), 80)]
    for _ in range(rng.choice([0, 1, 2, 30])):
        words[rng.randrange(80)] = str(rng.randrange(1000))
    return Choice(" ".join(words), "stop")


def alike(one: str, other: str) -> float:
    first, second = triples(one), triples(other)
    return len(first & second) / max(len(first | second), 1)


def check_novelty(world: World) -> None:
    """No two kept texts are near, and whoever is a duplicate is one of the kept text that he names."""
    kept = {str(line["id"]).rpartition(":")[0]: str(line["completion"]) for line in world.lines("corpus")}
    texts = list(kept.values())
    near = sum(alike(one, other) >= NEAR for place, one in enumerate(texts) for other in texts[:place])
    assert near == 0
    copies, near_copies = 0, 0
    for line in world.lines("rejects"):
        if line["reason"] != "duplicate":
            continue
        holder, _, told = str(line["detail"]).partition(", similarity ")
        text = str(line["outputs"]["plot"])  # type: ignore[index] # a reject line has the outputs
        similarity = alike(text, kept[holder])
        if told:
            near_copies += 1
            assert similarity >= NEAR
            assert f"{similarity:.2f}" == told
        else:
            copies += 1
            assert text.strip() == kept[holder].strip()
    assert copies > 2
    assert near_copies > 10


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_kept_is_new_whatever_the_endpoint_does(seed: int) -> None:
    worlds = []
    for _ in range(2):
        spec = make_spec(dedup=DEDUP, filters=[])
        endpoint = ScriptedEndpoint(random.Random(seed), faults={FailureKind.SERVER_ERROR: 0.1}, text=answer)
        worlds.append(World(seed, spec, endpoint))
        ended = worlds[-1].run()
        assert ended is not None
        assert ended[1].outcomes.total == 120
    check_novelty(worlds[0])
    assert worlds[0].lines("corpus") == worlds[1].lines("corpus")


@pytest.mark.parametrize("attempts", [1, 2])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_kept_is_new_through_crashes(seed: int, attempts: int) -> None:
    rng = random.Random(seed)
    steps = [{"name": "plot", "prompt": "{{ nonce }} {{ genre }} {{ place }} {{ n }}", "attempts": attempts}]
    spec = make_spec(dedup=DEDUP, steps=steps, filters=[{"of": "plot", "not_matching": "Too"}])
    world = World(seed, spec, ScriptedEndpoint(rng, text=answer))
    world.disk.crash_at = rng.randrange(5, 120)
    crashes = 0
    while (ended := world.run()) is None:
        crashes += 1
        world.crash()
        world.disk.crash_at = rng.randrange(5, 120) if crashes < 4 else 0
    assert ended[1].outcomes.total == 120
    check_novelty(world)


def test_a_recovered_index_is_that_of_a_run_that_never_ended() -> None:
    """Interrupted at any point, with rows in sealed files, in the file of the open commit, and in memory."""
    spec = make_spec(dedup=DEDUP, filters=[], shards={"records": 10})
    world = World(1, spec, ScriptedEndpoint(random.Random(1), text=answer))
    assert world.run() is not None
    assembly = Assembly(spec, FOLDER, world.disk, lambda: "")
    sketches = assembly.store.sketches
    kept = {int(str(line["index"])): str(line["completion"]).strip() for line in world.lines("corpus")}
    assert sketches.readable == len(kept)
    assert [sketches.read(row)[0] for row in range(len(kept))] == list(kept)
    assert len({name for name in world.disk.names(FOLDER / "state") if name.endswith(".near")}) > 2
    assembly.store.close()


def test_the_records_themselves_may_be_compared() -> None:
    """Two items with one answer but different prompts are no copies of each other as records."""
    same = ScriptedEndpoint(random.Random(1), text=lambda _: Choice("The same plot for all of them.", "stop"))
    world = World(1, make_spec(dedup={"of": "record"}, filters=[]), same)
    ended = world.run()
    assert ended is not None
    assert ended[1].outcomes.kept == 120
    world = World(1, make_spec(dedup={"of": "plot"}, filters=[]), same)
    ended = world.run()
    assert ended is not None
    assert ended[1].outcomes.kept == 1


@pytest.mark.parametrize(("near", "reasons"), [(NEAR, {True}), (0.6, {True}), (None, {False, True})])
def test_what_other_jobs_keep_counts_as_kept(near: float | None, reasons: set[bool]) -> None:
    """The same answers again, under another name: whatever threshold the first job had, nothing of it is new."""
    first = World(
        1, make_spec(dedup={"of": "plot", "near": near}, filters=[]), ScriptedEndpoint(random.Random(1), text=answer)
    )
    assert first.run() is not None
    kept = {str(line["id"]).rpartition(":")[0]: str(line["completion"]) for line in first.lines("corpus")}
    spec = make_spec(name="second", dedup={**DEDUP, "across": ["job"]}, filters=[])
    second = Assembly(spec, FOLDER.parent / "second", first.disk, lambda: "")
    novelty = second.novelty
    for holder, text in kept.items():
        copy = novelty.held(mark_of(text, novelty))
        assert copy is not None
        assert (copy.reason, copy.of, copy.detail) == ("exact", None, holder)
    long = [(holder, text) for holder, text in kept.items() if len(text.split()) > 50]
    told = {novelty.held(mark_of(f"{text} at the very end", novelty)) is not None for _, text in long}
    assert len(long) > 10
    assert told <= reasons
    second.store.close()


def test_another_job_that_is_not_there_is_a_fault_of_the_spec() -> None:
    world = World(1, make_spec(dedup={"of": "plot", "across": ["gone"]}))
    with pytest.raises(SpecError, match=r"dedup.across: there is no job 'gone'"):
        Assembly(world.spec, FOLDER, world.disk, lambda: "")


def mark_of(text: str, novelty: Novelty) -> Mark:
    near = novelty.marker.near
    return Mark(fingerprint(text.strip()), near.sketch(text.strip()) if near is not None else None)
